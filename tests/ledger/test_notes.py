"""Checkpoints and proofs: a third party reads ours, ours reads theirs, and refuses the rest."""

from base64 import b64encode
from datetime import UTC, datetime
import struct

import aics_tlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.ledger.merkle import inclusion_proof, leaf_hash, root_hash
from custom_components.doorstep.ledger.notes import (
    COSIGNATURE,
    SIGNATURE,
    VerifierKey,
    format_proof,
    open_checkpoint,
    sign_checkpoint,
)

NAME = "log.example/2026"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
LOG = VerifierKey(NAME, SIGNATURE, PUBLIC)
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
WITNESS = VerifierKey("witness.example", COSIGNATURE, WITNESS_KEY.public_key().public_bytes_raw())
ROOT = root_hash([leaf_hash(b"a"), leaf_hash(b"b")])
NOTE = sign_checkpoint(NAME, 2, ROOT, KEY)
AT = 1_790_000_000


def signed(body: bytes, *, name: str = NAME, key: Ed25519PrivateKey = KEY) -> bytes:
    """Sign any body, well-formed or not."""
    raw = VerifierKey(name, SIGNATURE, key.public_key().public_bytes_raw()).id + key.sign(body)
    return body + f"\n— {name} {b64encode(raw).decode()}\n".encode()


def cosignature(
    key: Ed25519PrivateKey = WITNESS_KEY, name: str = WITNESS.name, at: int = AT
) -> bytes:
    """Cosign NOTE, written straight from the specification."""
    body = NOTE.split(b"\n\n")[0] + b"\n"
    signature = key.sign(f"cosignature/v1\ntime {at}\n".encode() + body)
    verifier = VerifierKey(name, COSIGNATURE, key.public_key().public_bytes_raw())
    raw = verifier.id + struct.pack(">Q", at) + signature
    return f"— {name} {b64encode(raw).decode()}\n".encode()


def test_a_third_party_verifies_our_checkpoint() -> None:
    verdict = aics_tlog.verify_checkpoint(
        aics_tlog.parse_note(NOTE.decode()), aics_tlog.parse_vkey(str(LOG)), expected_origin=NAME
    )
    assert verdict.ok
    assert (verdict.origin, verdict.size, verdict.root) == (NAME, 2, ROOT)


def test_we_verify_our_checkpoint() -> None:
    checkpoint = open_checkpoint(NOTE, LOG)
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (NAME, 2, ROOT)
    assert checkpoint.note == NOTE
    assert not checkpoint.cosigned


def test_cosignatures_are_timed() -> None:
    note = NOTE + cosignature() + cosignature(KEY, NAME, AT + 1)
    assert open_checkpoint(note, LOG, [WITNESS]).cosigned == {
        WITNESS.name: datetime.fromtimestamp(AT, UTC),
        NAME: datetime.fromtimestamp(AT + 1, UTC),
    }


def test_lines_of_unknown_keys_are_passed_over() -> None:
    assert not open_checkpoint(NOTE + cosignature(), LOG).cosigned


@pytest.mark.parametrize(
    "lines",
    [
        cosignature() * 2,
        cosignature(at=1 << 63),
        b"\xe2\x80\x94 witness.example " + b64encode(WITNESS.id + bytes(8)) + b"\n",
        b"\xe2\x80\x94 witness.example " + b64encode(WITNESS.id + bytes(72)) + b"\n",
        NOTE.split(b"\n\n")[1],
    ],
    ids=["twice", "time out of range", "no signature", "wrong signature", "signed twice"],
)
def test_a_bad_line_of_a_known_key_spoils_the_note(lines: bytes) -> None:
    with pytest.raises(FeedError) as caught:
        open_checkpoint(NOTE + lines, LOG, [WITNESS])
    assert caught.value.key == "note_signature"


def test_another_key_of_the_same_name_does_not_count() -> None:
    with pytest.raises(FeedError) as caught:
        open_checkpoint(sign_checkpoint(NAME, 2, ROOT, WITNESS_KEY), LOG)
    assert caught.value.key == "note_signature"


def test_an_edited_size_is_found() -> None:
    with pytest.raises(FeedError) as caught:
        open_checkpoint(NOTE.replace(b"\n2\n", b"\n3\n"), LOG)
    assert caught.value.key == "note_signature"


def test_a_note_about_another_log_is_refused() -> None:
    body = f"other.example\n2\n{b64encode(ROOT).decode()}\n".encode()
    with pytest.raises(FeedError) as caught:
        open_checkpoint(signed(body), LOG)
    assert caught.value.key == "note_origin"


_ROOT64 = b64encode(ROOT)
_HEAD = f"{NAME}\n".encode()


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\xff",
        NOTE[:-1],
        NOTE.replace(b"\n\n", b"\n"),
        NOTE + b"x" * (64 * 1024),
        NOTE.replace("— ".encode(), b"- "),
        NOTE + b"\xe2\x80\x94 name !!!\n",
        NOTE + b"\xe2\x80\x94 name AAAA\n",
        NOTE + "— ".encode() + b" AAAAAAAA\n",
        NOTE + cosignature() * 101,
        signed(_HEAD + b"2\n"),
        signed(_HEAD + b"\n" + _ROOT64 + b"\n"),
        signed(_HEAD + b"02\n" + _ROOT64 + b"\n"),
        signed(_HEAD + b"-2\n" + _ROOT64 + b"\n"),
        signed(_HEAD + "²\n".encode() + _ROOT64 + b"\n"),
        signed(_HEAD + b"9" * 5000 + b"\n" + _ROOT64 + b"\n"),
        signed(_HEAD + str(1 << 53).encode() + b"\n" + _ROOT64 + b"\n"),
        signed(_HEAD + b"2\n" + _ROOT64[:-4] + b"\n"),
        signed(_HEAD + b"2\n!\n"),
    ],
)
def test_malformed_notes_are_refused(note: bytes) -> None:
    with pytest.raises(FeedError) as caught:
        open_checkpoint(note, LOG)
    assert caught.value.key == "note_malformed"


def test_a_size_of_nought_is_a_size() -> None:
    assert open_checkpoint(signed(_HEAD + b"0\n" + _ROOT64 + b"\n"), LOG).size == 0


@given(st.binary(max_size=200), st.integers(0, len(NOTE)), st.integers(0, 20))
def test_any_bytes_give_a_verdict(noise: bytes, at: int, cut: int) -> None:
    for note in (noise, NOTE[:at] + noise + NOTE[at + cut :]):
        try:
            assert open_checkpoint(note, LOG).root == ROOT
        except FeedError:
            continue


def test_a_key_is_written_as_it_is_read() -> None:
    text = aics_tlog.format_vkey(aics_tlog.vkey_from_ed25519(NAME, PUBLIC))
    key = VerifierKey.parse(text)
    assert key == LOG
    assert str(key) == text
    assert len(key.fingerprint) == 64


_KEY64 = b64encode(b"\x01" + PUBLIC).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        f"{NAME}+00000000+{_KEY64}",
        f"{NAME}+{LOG.id.hex()}+",
        f"{NAME}+{LOG.id.hex()}+{_KEY64[:-4]}",
        f"{NAME}+{LOG.id.hex()}+!",
        f"{NAME}+{LOG.id.hex()}+{_KEY64[:-8]}",
        str(VerifierKey(NAME, 2, PUBLIC)),
        str(VerifierKey("", SIGNATURE, PUBLIC)),
        str(VerifierKey("a b", SIGNATURE, PUBLIC)),
    ],
)
def test_malformed_keys_are_refused(text: str) -> None:
    with pytest.raises(FeedError) as caught:
        VerifierKey.parse(text)
    assert caught.value.key == "key_malformed"


def test_a_proof_is_written_as_the_specification_says() -> None:
    leaves = [leaf_hash(b"a"), leaf_hash(b"b")]
    text = format_proof(1, inclusion_proof(leaves, 1), NOTE)
    sibling = b64encode(leaves[0])
    assert text == b"c2sp.org/tlog-proof@v1\nindex 1\n" + sibling + b"\n\n" + NOTE
