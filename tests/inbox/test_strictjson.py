import json

from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.inbox.strictjson import MAX_INTEGER, parse_object

from .world import error_key

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - MAX_INTEGER, MAX_INTEGER - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('abc é<>&"\\/{}[]', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("xyz", max_size=3), VALUES, max_size=4))
def test_plain_objects_are_read_as_any_other_parser_reads_them(value: dict[str, object]) -> None:
    assert parse_object(json.dumps(value).encode()) == value
    assert parse_object(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60) | st.text('{}[]",:\\u0019dbea', max_size=40).map(str.encode))
def test_any_bytes_give_an_object_or_our_error(data: bytes) -> None:
    key = error_key(parse_object, data)
    assert key == "nothing raised" or key.startswith("json_")


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "json_malformed"),
        (b"[]", "json_malformed"),
        (b'"text"', "json_malformed"),
        (b"{} {}", "json_malformed"),
        (b'{"a":1,}', "json_malformed"),
        (b'{"a":NaN}', "json_malformed"),
        (b'{"a":Infinity}', "json_malformed"),
        (b'{"a":-Infinity}', "json_malformed"),
        (b'{"a":1e999}', "json_malformed"),
        (b'{"a":-1e999}', "json_malformed"),
        (b'{"a":9007199254740992}', "json_malformed"),
        (b'{"a":-9007199254740992}', "json_malformed"),
        (b'{"a":' + b"9" * 100_000 + b"}", "json_malformed"),
        (b"\xef\xbb\xbf{}", "json_malformed"),
        (b'{"a":"\xff"}', "json_malformed"),
        (b'{"a":"\n"}', "json_malformed"),
        ('{"a":1}'.encode("utf-16"), "json_malformed"),
        (b'{"a":1,"a":1}', "json_duplicate"),
        (b'{"a":1,"\\u0061":1}', "json_duplicate"),
        (b'{"b":[{"a":1,"a":1}]}', "json_duplicate"),
        (b'{"a":"\\n"}', "json_text"),
        (b'{"a":["\\u0000"]}', "json_text"),
        (b'{"a":{"\\u0085":1}}', "json_text"),
        (b'{"a":"\\u007f"}', "json_text"),
        (b'{"a":"\\ud800"}', "json_text"),
        (b'{"a":"\\udc00\\ud800"}', "json_text"),
        ('{"a":"e\u0301"}'.encode(), "json_text"),
        *(
            (f'{{"a":"x{bidi}y"}}'.encode(), "json_text")
            for bidi in "\u061c\u200e\u200f\u202e\u2066"
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(data: bytes, key: str) -> None:
    assert error_key(parse_object, data) == key


def test_the_largest_integers_are_read() -> None:
    assert parse_object(b'{"a":9007199254740991,"b":-9007199254740991,"c":-0.5}') == {
        "a": 9007199254740991,
        "b": -9007199254740991,
        "c": -0.5,
    }


def test_sixteen_levels_are_read_and_seventeen_are_not() -> None:
    deep = b'{"a":' * 15 + b"[]" + b"}" * 15
    assert parse_object(deep)
    assert error_key(parse_object, b'{"a":' + deep + b"}") == "json_depth"


def test_brackets_in_text_are_not_depth() -> None:
    text = '[{"\\' * 20
    assert parse_object(json.dumps({"a": text, text: 1}).encode()) == {"a": text, text: 1}


def test_a_million_brackets_are_refused_before_they_are_parsed() -> None:
    assert error_key(parse_object, b"[" * 1_000_000) == "json_depth"
    assert error_key(parse_object, b'{"a":' * 200_000) == "json_depth"


def test_unclosed_strings_cost_no_time() -> None:
    assert error_key(parse_object, b'{"' + b'\\"' * 500_000) == "json_malformed"
