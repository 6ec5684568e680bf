"""age: our keys and decryptor against the `age` tools."""

from base64 import b64encode
from collections.abc import Callable
import io
from pathlib import Path
import subprocess

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, strategies as st
import pytest

from agency import age, bech32
from agency.age import Identity, Reader, decrypt
from agency.desk import Desk
from agency.errors import AgencyError
from scripts.children import tool

SIZES = (0, 1, 65_535, 65_536, 65_537, 131_072, 300_000)


def age_tool(*arguments: object, data: bytes = b"") -> bytes:
    command = [tool("age"), *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def sealed_to(folder: Path, data: bytes, *identities: Identity) -> bytes:
    """Let age encrypt; recipients are in a file, as random ones would fill the egress ledger."""
    recipients = folder / "recipients"
    recipients.write_text("\n".join(identity.recipient for identity in identities))
    return age_tool("-R", recipients, data=data)


@pytest.fixture(scope="module")
def identity() -> Identity:
    return Identity.generate()


@pytest.fixture(scope="module")
def sealed(identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    folder = tmp_path_factory.mktemp("age")
    return {size: sealed_to(folder, plain(size), identity) for size in SIZES}


def plain(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def opened(data: bytes, identity: Identity) -> bytes:
    return b"".join(decrypt(io.BytesIO(data), identity))


def test_age_keygen_reads_our_identity_file(folder: Path) -> None:
    file = folder / "private" / "age-identity.txt"
    recipient = subprocess.run(
        [tool("age-keygen"), "-y", str(file)], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert recipient == Desk(folder).identity().recipient
    assert f"# public key: {recipient}\n" in file.read_text()
    sealed = sealed_to(folder, b"evidence", Desk(folder).identity())
    assert age_tool("-d", "-i", file, data=sealed) == b"evidence"
    assert opened(sealed, Desk(folder).identity()) == b"evidence"


def test_we_read_what_age_keygen_writes(tmp_path: Path) -> None:
    file = tmp_path / "key"
    subprocess.run([tool("age-keygen"), "-o", str(file)], capture_output=True, check=True)
    identity = Identity.parse(file.read_text())
    assert f"# public key: {identity.recipient}\n" in file.read_text()
    assert identity.text() in file.read_text()


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_age_seals(identity: Identity, sealed: dict[int, bytes], size: int) -> None:
    assert opened(sealed[size], identity) == plain(size)


def test_several_recipients(identity: Identity, tmp_path: Path) -> None:
    other = Identity.generate()
    both = sealed_to(tmp_path, b"both", other, identity)
    assert opened(both, identity) == opened(both, other) == b"both"
    with pytest.raises(AgencyError, match="not encrypted to this"):
        opened(both, Identity.generate())


def test_reader_reads_in_pieces_of_any_length(identity: Identity, sealed: dict[int, bytes]) -> None:
    reader = Reader(io.BytesIO(sealed[300_000]), identity)
    assert reader.readable()
    parts = []
    while part := reader.read(40_000):
        parts.append(part)
    assert b"".join(parts) == plain(300_000)
    assert max(map(len, parts)) == 40_000


@pytest.mark.parametrize("cut", [1, 16, 17, 65_552, 65_553, 131_104])
def test_files_cut_short(identity: Identity, sealed: dict[int, bytes], cut: int) -> None:
    with pytest.raises(AgencyError, match="damaged or cut short"):
        opened(sealed[131_072][:-cut], identity)


def test_chunks_that_follow_the_last(identity: Identity, sealed: dict[int, bytes]) -> None:
    with pytest.raises(AgencyError, match="damaged or cut short"):
        opened(sealed[65_536] + bytes(16), identity)


def test_empty_last_chunk_is_refused(identity: Identity) -> None:
    """Age forbids it: two files must not have the same plain text by padding alone."""
    key = bytes(16)
    header = _header(identity, key)
    payload = ChaCha20Poly1305(age._derive(key, bytes(16), b"payload"))
    first = payload.encrypt(bytes(12), bytes(age.CHUNK), None)
    last = payload.encrypt((1).to_bytes(11) + b"\1", b"", None)
    with pytest.raises(AgencyError, match="empty chunk"):
        opened(header + bytes(16) + first + last, identity)


def _header(identity: Identity, key: bytes) -> bytes:
    """Write a header as `age` does, to the identity, for a file key of our choice."""
    share = Identity.generate()
    public = bech32.decode(identity.recipient)[1]
    shared = share._key.exchange(X25519PublicKey.from_public_bytes(public))
    wrap = ChaCha20Poly1305(age._derive(shared, share._public + public, age._X25519))
    body = wrap.encrypt(bytes(12), key, None)
    lines = [b"age-encryption.org/v1", b"-> X25519 " + _b64(share._public), _b64(body), b"---"]
    head = b"\n".join(lines)
    code = hmac.HMAC(age._derive(key, b"", b"header"), hashes.SHA256())
    code.update(head)
    return head + b" " + _b64(code.finalize()) + b"\n"


def _b64(data: bytes) -> bytes:
    return b64encode(data).rstrip(b"=")


def test_our_test_header_is_one_that_age_reads(identity: Identity, tmp_path: Path) -> None:
    payload = ChaCha20Poly1305(age._derive(bytes(16), bytes(16), b"payload"))
    file = _header(identity, bytes(16)) + bytes(16) + payload.encrypt(bytes(11) + b"\1", b"x", None)
    (tmp_path / "key").write_text(identity.text())
    assert age_tool("-d", "-i", tmp_path / "key", data=file) == b"x"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda _: b"", "no age file"),
        (lambda _: b"age-encryption.org/v2\n", "no age file"),
        (lambda head: head.replace(b"-> X25519", b"-> X25518"), "not encrypted to this"),
        (lambda head: head.replace(b"X25519 ", b"X25519 a "), "malformed X25519"),
        (lambda head: head.replace(b"X25519 ", b"X25519 AA"), "malformed"),
        (lambda head: head.replace(b"\n---", b"\nQUJD\n---"), "malformed"),
        (lambda head: head.replace(b"\n---", b"=\n---"), "malformed base64"),
        (lambda head: head.replace(b"\n---", b"\xff\n---"), "malformed base64"),
        (lambda head: head.replace(b"--- ", b"--- A"), "malformed base64|changed"),
        (lambda head: head.replace(b"\n-> ", b"\n-> grease\n\n-> "), "changed on its way"),
        (lambda head: head.replace(b"\n---", b"\n---\n"), "malformed"),
        (lambda head: head[:60], "cut short"),
        (lambda head: head[:22] + b"-> x\n" + (b"A" * 64 + b"\n") * 1100, "too long"),
        (lambda head: head[:22] + b"-> " + b"x" * 70_000 + b"\n", "cut short"),
        (
            lambda head: head[:22] + b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n",
            "worthless",
        ),
        (
            lambda head: head[:22] + b"-> X25519 " + b"A" * 40 + b"\n" + b"A" * 43 + b"\n",
            "malformed",
        ),
    ],
)
def test_headers_that_were_changed(
    identity: Identity, change: Callable[[bytes], bytes], complaint: str
) -> None:
    head = _header(identity, bytes(16))
    with pytest.raises(AgencyError, match=complaint):
        opened(change(head) + bytes(100), identity)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    identity = Identity.generate()
    with pytest.raises(AgencyError):
        opened(b"age-encryption.org/v1\n-> X25519 " + data, identity)
    with pytest.raises(AgencyError):
        opened(data, identity)


@given(st.binary(max_size=80), st.sampled_from(["age", "age-secret-key-", "a"]))
def test_bech32_returns_what_it_was_given(data: bytes, prefix: str) -> None:
    text = bech32.encode(prefix, data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (prefix, data)


@given(st.integers(0), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio"))
def test_bech32_notices_every_single_slip(place: int, letter: str) -> None:
    text = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    if changed != text:
        with pytest.raises(AgencyError):
            bech32.decode(changed)


@given(st.text(max_size=90))
def test_bech32_refuses_other_text(text: str) -> None:
    with pytest.raises(AgencyError):
        bech32.decode(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AGE-SECRET-KEY-1",
        "AGE-SECRET-KEY-1QQQ AGE-SECRET-KEY-1QQQ",
        bech32.encode("age-secret-key-", bytes(31)).upper(),
        bech32.encode("age-secret-key-", bytes(32)),
        "AGE-SECRET-KEY-1" + bech32.encode("age", bytes(32)).upper(),
    ],
)
def test_identities_that_are_none(text: str) -> None:
    with pytest.raises(AgencyError):
        Identity.parse(text)


@pytest.mark.parametrize("values", [[0] * 6 + [1], [0] * 6])
def test_bech32_with_bits_left_over(values: list[int]) -> None:
    check = bech32._polymod(bech32._expand("a") + values + [0] * 6) ^ 1
    values = values + [check >> 5 * (5 - place) & 31 for place in range(6)]
    with pytest.raises(AgencyError, match="malformed"):
        bech32.decode("a1" + "".join(bech32._LETTERS[value] for value in values))


def test_mixed_case() -> None:
    with pytest.raises(AgencyError, match="malformed"):
        bech32.decode("age1Zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj")
