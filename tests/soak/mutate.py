"""Damaging valid input, by seed: bytes, and the values of a JSON document."""

from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

_STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**53, 10**20, 1e308, 0.1, "", " ", "é", "e\u0301"),
    *("\u202e", "\x00", "a" * 5000, "http://[", "https://a.example/\n", "urn:uuid:", "2026-02-30"),
    *("2026-11-23T25:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "😀", "\u0661"),
    *([], {}, [[]], [None], {"": None}, [0] * 3000, {"type": "Polygon", "coordinates": [[]]}),
)
_NUMBERS = (0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def damaged(dice: Random, data: bytes) -> bytes:
    """Damage bytes in one to three places."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        data = dice.choice(_DAMAGES)(dice, data)
    return data


def _flip(dice: Random, data: bytes) -> bytes:
    at = dice.randrange(len(data) or 1)
    return (
        data[:at]
        + bytes([(data[at : at + 1] or b"x")[0] ^ 1 << dice.randrange(8)])
        + data[at + 1 :]
    )


def _cut_short(dice: Random, data: bytes) -> bytes:
    return data[: dice.randint(0, len(data))]


def _leave_out(dice: Random, data: bytes) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + data[at + dice.choice((1, 2, 4, 30, 1000)) :]


def _double(dice: Random, data: bytes) -> bytes:
    at, count = dice.randint(0, len(data)), dice.choice((1, 2, 4, 30, 1000))
    return data[: at + count] + data[at:]


def _insert(dice: Random, data: bytes) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + dice.randbytes(dice.choice((1, 2, 4, 30))) + data[at:]


def _number(dice: Random, data: bytes) -> bytes:
    at = dice.randint(0, max(0, len(data) - 4))
    return data[:at] + dice.choice(_NUMBERS).to_bytes(4) + data[at + 4 :]


def _letter(dice: Random, data: bytes) -> bytes:
    at = dice.randint(0, len(data))
    return data[:at] + dice.choice(b'\n.,:"{}[]0+-=/ aA').to_bytes() + data[at + 1 :]


def _swap_lines(dice: Random, data: bytes) -> bytes:
    lines = data.split(b"\n")
    dice.shuffle(lines)
    return b"\n".join(lines)


_DAMAGES: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_flip, _cut_short, _leave_out, _double, _insert, _number, _letter, _swap_lines),
)


def distorted(dice: Random, document: dict[str, Any]) -> dict[str, Any]:
    """Change one to three values of a JSON object, anywhere in it."""
    document = deepcopy(document)
    for _ in range(dice.choice((1, 1, 2, 3))):
        place: Any = document
        while inner := [value for value in _values(place) if isinstance(value, dict | list)]:
            if dice.random() < 0.3:
                break
            place = dice.choice(inner)
        _distort(dice, place)
    return document


def _values(place: Any) -> list[Any]:
    return list(place.values()) if isinstance(place, dict) else list(place)


def _distort(dice: Random, place: Any) -> None:
    names = list(place) if isinstance(place, dict) else list(range(len(place)))
    if not names:
        return
    name, other = dice.choice(names), dice.choice(names)
    match dice.randrange(4):
        case 0:
            del place[name]
        case 1:
            place[name] = place[other]
        case 2 if isinstance(place[name], str) and place[name]:
            at = dice.randrange(len(place[name]))
            place[name] = place[name][:at] + dice.choice("\n a0é{}/") + place[name][at:]
        case _:
            place[name] = deepcopy(dice.choice(_STRANGE))
