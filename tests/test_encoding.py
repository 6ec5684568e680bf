"""The encodings that everything signed or hashed goes through."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.encoding import (
    b64url,
    b64url_decode,
    canonical_json,
    format_time,
    parse_time,
)
from custom_components.doorstep.errors import DoorstepError


def test_json_has_one_form() -> None:
    assert canonical_json({"b": [1, None], "a": "ü"}) == '{"a":"ü","b":[1,null]}'.encode()


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(float("nan"))


@given(st.binary())
def test_base64url_is_read_as_written(data: bytes) -> None:
    assert b64url_decode(b64url(data)) == data


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+", "A/", "A A", "AAA\n", "ÄÄ"])
def test_sloppy_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64url|trailing"):
        b64url_decode(text)


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (datetime(2026, 11, 23, 20, tzinfo=UTC), "2026-11-23T20:00:00Z"),
        (datetime(2026, 11, 23, 20, 0, 0, 123_456, tzinfo=UTC), "2026-11-23T20:00:00.123Z"),
        (datetime(2026, 11, 23, 20, 0, 0, 999, tzinfo=UTC), "2026-11-23T20:00:00Z"),
        (datetime(2026, 11, 23, 20, 0, 0, 1000, tzinfo=UTC), "2026-11-23T20:00:00.001Z"),
        (datetime(2026, 11, 23, 20, tzinfo=timezone(timedelta(hours=1))), "2026-11-23T19:00:00Z"),
    ],
)
def test_times_are_utc_with_z(time: datetime, text: str) -> None:
    assert format_time(time) == text


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds have none
def test_times_are_read_as_written(time: datetime) -> None:
    assert time - parse_time(format_time(time)) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-23",
        "2026-11-23T20:00:00",
        "2026-11-23T20:00:00+00:00",
        "2026-11-23t20:00:00z",
        "2026-13-23T20:00:00Z",
        "2026-11-23T20:00:00.Z",
        "2026-11-23T20:00:00Z\n",
        None,
    ],
)
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|month"):
        parse_time(text)


def test_errors_tell_key_and_values() -> None:
    error = DoorstepError("feed_stale", name="City", hours=3)
    assert error.key == "feed_stale"
    assert error.placeholders == {"name": "City", "hours": "3"}
    assert str(error) == "feed_stale: name=City, hours=3"
    assert str(DoorstepError("plain")) == "plain"
