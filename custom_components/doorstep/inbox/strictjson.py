"""JSON from strangers: one UTF-8 object, read in exactly one way or not at all (protocol 2)."""

import json
import re
from typing import Final, NoReturn
from unicodedata import is_normalized

from ..errors import RequestError

MAX_DEPTH: Final = 16
MAX_INTEGER: Final = 1 << 53
_INTEGER_DIGITS: Final = 16
_DEPTH: Final = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
# strings first, so that their brackets don't count; an unclosed one goes to the end (linear time)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
# C0 and C1 controls, bidirectional controls (UAX 9), lone surrogates
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def parse_object(data: bytes) -> dict[str, object]:
    """Read one JSON object (RFC 8259, I-JSON of RFC 7493 and stricter).

    RequestError keys: `json_malformed` (not UTF-8, BOM, NaN, not an object, numbers beyond 2^53 or
    a double), `json_depth` (deeper than 16), `json_duplicate` (a member twice), `json_text` (not
    NFC, control or bidirectional characters, lone surrogates).
    """
    _check_depth(data)
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_refuse,
        )
    except ValueError as error:
        raise RequestError("json_malformed") from error
    if not isinstance(value, dict):
        raise RequestError("json_malformed")
    _check_text(value)
    return value


def _check_depth(data: bytes) -> None:
    # before parsing: the parser recurses
    depth = 0
    for token in _TOKEN.finditer(data):
        depth += _DEPTH.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise RequestError("json_depth")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise RequestError("json_duplicate")
    return members


def _integer(digits: str) -> int:
    # length first: int() of a long text is slow or refused
    if len(digits.lstrip("-")) > _INTEGER_DIGITS or abs(int(digits)) >= MAX_INTEGER:
        raise RequestError("json_malformed")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if abs(number) == float("inf"):
        raise RequestError("json_malformed")
    return number


def _refuse(_constant: str) -> NoReturn:
    raise RequestError("json_malformed")


def _check_text(value: object) -> None:
    match value:
        case str():
            if _FORBIDDEN.search(value) or not is_normalized("NFC", value):
                raise RequestError("json_text")
        case dict():
            for name, member in value.items():
                _check_text(name)
                _check_text(member)
        case list():
            for item in value:
                _check_text(item)
