"""age files: the reference tool opens them, and nobody is encrypted to by mistake."""

from itertools import batched
from pathlib import Path
import subprocess
import tracemalloc

from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.disclosure.age import CHUNK, encrypt, parse_recipient
from custom_components.doorstep.errors import ReleaseError
from scripts.children import tool
from tests.simulators.package import AgeKey

PLUGIN = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"


def opened(data: bytes, key: AgeKey) -> bytes:
    """What `age -d` makes of it."""
    command = [tool("age"), "-d", "-i", str(key.identity)]
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 200_000]
)
def test_age_opens_what_is_written(size: int, age_key: AgeKey) -> None:
    plain = bytes(range(256)) * (size // 256 + 1)
    sealed = b"".join(encrypt([plain[:size]], [age_key.recipient]))
    assert opened(sealed, age_key) == plain[:size]


@pytest.mark.parametrize("part", [1000, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_the_way_it_is_fed_makes_no_difference(part: int, age_key: AgeKey) -> None:
    plain = bytes(range(251)) * 1045
    parts = [bytes(batch) for batch in batched(plain, part, strict=False)]
    assert opened(b"".join(encrypt([b"", *parts, b""], [age_key.recipient])), age_key) == plain


def test_each_of_several_recipients_can_decrypt(age_key: AgeKey, tmp_path: Path) -> None:
    other = AgeKey.generate(tmp_path / "other.txt")
    stranger = AgeKey.generate(tmp_path / "stranger.txt")
    sealed = b"".join(encrypt([b"footage"], [age_key.recipient, other.recipient]))
    assert opened(sealed, age_key) == opened(sealed, other) == b"footage"
    with pytest.raises(subprocess.CalledProcessError):
        opened(sealed, stranger)


def test_nothing_is_used_twice(age_key: AgeKey) -> None:
    first, second = (b"".join(encrypt([b"footage"], [age_key.recipient])) for _ in range(2))
    assert first != second
    assert b"footage" not in first


@pytest.mark.parametrize("at", [30, 80, -1, -20, -100])
def test_a_flipped_byte_is_found_by_age(at: int, age_key: AgeKey) -> None:
    sealed = bytearray(b"".join(encrypt([bytes(100)], [age_key.recipient])))
    sealed[at] ^= 1
    with pytest.raises(subprocess.CalledProcessError):
        opened(bytes(sealed), age_key)


def test_memory_stays_constant(age_key: AgeKey) -> None:
    block = bytes(1 << 20)
    tracemalloc.start()
    total = sum(len(part) for part in encrypt((block for _ in range(64)), [age_key.recipient]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total > 64 << 20
    assert peak < 6 << 20


def test_nobody_to_encrypt_to_is_refused() -> None:
    with pytest.raises(ReleaseError) as caught:
        encrypt([b"x"], [])
    assert caught.value.key == "recipient_missing"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "recipient_malformed"),
        ("age1", "recipient_malformed"),
        ("ssh-ed25519 AAAAC3Nza", "recipient_malformed"),
        (PLUGIN, "recipient_unsupported"),
        ("age1pq1" + "q" * 100, "recipient_unsupported"),
    ],
)
def test_other_recipients_are_refused_before_anything_is_read(text: str, key: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        encrypt(iter(()), [text])
    assert caught.value.key == key
    assert caught.value.placeholders == {"recipient": text}


def test_upper_case_is_refused(age_key: AgeKey) -> None:
    for text in (age_key.recipient.upper(), age_key.recipient.capitalize()):
        with pytest.raises(ReleaseError):
            parse_recipient(text)


def test_a_point_of_small_order_is_refused() -> None:
    # all zeros: whoever knows the format could decrypt
    zero = bech32(bytes(32))
    assert parse_recipient(zero).public_bytes_raw() == bytes(32)
    with pytest.raises(ReleaseError, match="recipient_malformed"):
        encrypt([b"x"], [zero])


@given(st.integers(0, 61), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l1bio"))
def test_a_wrong_character_is_always_found(at: int, other: str) -> None:
    good = bech32(bytes(range(32)))
    assert parse_recipient(good).public_bytes_raw() == bytes(range(32))
    bad = good[:at] + other + good[at + 1 :]
    if bad != good:
        with pytest.raises(ReleaseError):
            parse_recipient(bad)


@given(st.text(max_size=90))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(ReleaseError):
        parse_recipient(f"age1{text}")


@given(st.binary(max_size=40))
def test_only_32_bytes_are_a_key(raw: bytes) -> None:
    text = bech32(raw)
    if len(raw) == 32:
        assert parse_recipient(text).public_bytes_raw() == raw
    else:
        with pytest.raises(ReleaseError):
            parse_recipient(text)


def test_padding_that_is_not_zero_is_refused() -> None:
    assert parse_recipient(bech32(bytes(32))).public_bytes_raw() == bytes(32)
    with pytest.raises(ReleaseError, match="recipient_malformed"):
        parse_recipient(bech32(bytes(32), spare=1))


def test_padding_of_a_whole_character_is_refused() -> None:
    with pytest.raises(ReleaseError, match="recipient_malformed"):
        parse_recipient(checked([0] * 53))


def bech32(raw: bytes, spare: int = 0) -> str:
    """Write a recipient the way BIP 173 describes it (an independent, slow encoder)."""
    bits = "".join(f"{byte:08b}" for byte in raw)
    bits += f"{spare:b}".zfill(-len(bits) % 5) if len(bits) % 5 else ""
    return checked([int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)])


def checked(values: list[int]) -> str:
    """Append the checksum of BIP 173."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    expanded = [ord(c) >> 5 for c in "age"] + [0] + [ord(c) & 31 for c in "age"]
    remainder = 1
    for value in [*expanded, *values, *[0] * 6]:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ value
        for bit, word in enumerate([0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3]):
            remainder ^= word * (top >> bit & 1)
    remainder ^= 1
    total = values + [remainder >> 5 * (5 - place) & 31 for place in range(6)]
    return "age1" + "".join(alphabet[value] for value in total)
