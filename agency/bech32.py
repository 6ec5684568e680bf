"""Bech32 (BIP 173) without its length limit: the text form of age's keys."""

from typing import Final

from .errors import AgencyError

_LETTERS: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK: Final = 6


def encode(prefix: str, data: bytes) -> str:
    """Write DATA under a lower-case PREFIX."""
    values = _regroup(data, 8, 5, pad=True)
    check = _polymod(_expand(prefix) + values + [0] * _CHECK) ^ 1
    values += [check >> 5 * (_CHECK - 1 - place) & 31 for place in range(_CHECK)]
    return f"{prefix}1{''.join(_LETTERS[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes]:
    """Return prefix and data. Raises AgencyError."""
    prefix, _, letters = text.lower().rpartition("1")
    values = [_LETTERS.find(letter) for letter in letters]
    plain = text.isascii() and text in {text.lower(), text.upper()}
    if not plain or not prefix or min(values, default=-1) < 0 or len(values) < _CHECK:
        raise AgencyError("malformed key (Bech32)")
    if _polymod(_expand(prefix) + values) != 1:
        raise AgencyError("mistyped key: its checksum is wrong (Bech32)")
    return prefix, bytes(_regroup(values[:-_CHECK], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _polymod(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate(_GENERATOR):
            check ^= term if top >> bit & 1 else 0
    return check


def _regroup(values: bytes | list[int], width: int, wanted: int, *, pad: bool) -> list[int]:
    """Cut a row of WIDTH-bit numbers into WANTED-bit ones."""
    store = bits = 0
    result = []
    for value in values:
        store = store << width | value
        bits += width
        while bits >= wanted:
            bits -= wanted
            result.append(store >> bits)
            store &= (1 << bits) - 1
    if pad and bits:
        result.append(store << wanted - bits)
    elif not pad and (bits >= width or store):
        raise AgencyError("malformed key (Bech32)")
    return result
