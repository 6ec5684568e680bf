"""What real devices post, and what nobody should."""

from datetime import UTC, datetime
from time import perf_counter

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.doorstep.doorbells.report import MAX_BODY, Report, parse_report

from .devices import EPOCH, FORM_PART, JPEG_PART, NOON, XML_PART, alert, kind_of, multipart


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ring", "ring"),
        ("RING", "ring"),
        ("rings", "ring"),
        ("ringing", "ring"),
        ("press", "ring"),
        ("pressed", "ring"),
        ("ding", "ring"),
        ("bell", "ring"),
        ("visitor", "ring"),
        ("doorbell", "ring"),
        ("doorbell-pressed", "ring"),
        ("button", "ring"),
        ("button_press", "ring"),
        ("KeyPressed", "ring"),
        ("motion", "motion_on"),
        ("Motion_On", "motion_on"),
        ("motion start", "motion_on"),
        ("motion-started", "motion_on"),
        ("motion_begin", "motion_on"),
        ("MotionDetected", "motion_on"),
        ("motion_off", "motion_off"),
        ("motion.end", "motion_off"),
        ("motion_ended", "motion_off"),
        ("motionstop", "motion_off"),
        ("motion_cleared", "motion_off"),
        ("motion_inactive", "motion_off"),
        ("on", "not understood"),
        ("motion_maybe", "not understood"),
        ("emotion", "not understood"),
        ("string", "not understood"),
        ("explode", "not understood"),
        ("", "not understood"),
    ],
)
def test_words_for_it(word: str, kind: str) -> None:
    assert kind_of(parse_report({"event": word})) == kind


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("on", "motion_on"),
        ("1", "motion_on"),
        ("true", "motion_on"),
        ("off", "motion_off"),
        ("0", "motion_off"),
        ("inactive", "motion_off"),
        ("", "motion_on"),
        ("perhaps", "not understood"),
    ],
)
def test_motion_with_a_state_of_its_own(state: str, kind: str) -> None:
    assert kind_of(parse_report({"event": "motion", "state": state})) == kind


def test_motion_has_ended_if_word_or_state_says_so() -> None:
    assert kind_of(parse_report({"event": "motion_off", "state": "on"})) == "motion_off"
    assert kind_of(parse_report({"event": "motion_on", "state": "off"})) == "motion_off"
    assert kind_of(parse_report({"event": "motion_on", "state": "idle"})) == "motion_on"


def test_a_button_that_is_let_go_is_no_ring() -> None:
    assert parse_report({"event": "doorbell", "state": "off"}) == Report(None)
    assert kind_of(parse_report({"event": "doorbell", "state": "on"})) == "ring"


@pytest.mark.parametrize(
    "body",
    [
        b"event=ring&id=7&test=1",
        b"Event=ring&EVENT_ID=7&Test=TRUE",
        b'{"event": "ring", "id": 7, "test": true}',
        b'\xef\xbb\xbf {"event": "ring", "eventId": "7", "test": "yes"} \n',
        multipart(
            (FORM_PART.format("event"), b"ring"),
            (FORM_PART.format("id"), b"7"),
            ("Content-Type: text/plain", b"nameless"),
            (FORM_PART.format("test"), b"on"),
        ),
        b"\r\n"
        + multipart(("Content-Type: application/json", b'{"event":"ring","id":7,"test":1}')),
    ],
)
def test_every_way_to_write_the_same(body: bytes) -> None:
    assert parse_report({}, body) == Report("ring", "7", None, test=True)


def test_the_query_wins_and_the_body_adds() -> None:
    body = b'{"event": "ring", "id": "a", "timestamp": %d, "test": true}' % EPOCH
    report = parse_report({"event": "motion_off", "id": "b"}, body)
    assert report == Report("motion_off", "b", NOON, test=True)
    assert parse_report({"event": "explode"}, body) is None
    assert parse_report({"event": ""}, body) == Report("ring", "a", NOON, test=True)


def test_a_body_that_names_no_event_is_about_something_else() -> None:
    # the id of a device is the same in all its reports
    body = b'{"id": "shelly1", "time": %d, "state": "off", "test": true}' % EPOCH
    assert parse_report({"event": "motion"}, body) == Report("motion_on")
    assert parse_report({}, body) is None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T12:00:00Z", NOON),
        ("2026-11-23T13:00:00+01:00", NOON),
        ("2026-11-23T13:00:00 01:00", NOON),
        ("2026-11-23T13:00:00.250+0100", NOON.replace(microsecond=250_000)),
        ("2026-11-23 07:00:00-05:00", NOON),
        (str(EPOCH), NOON),
        (f"{EPOCH}.5", NOON.replace(microsecond=500_000)),
        (f"{EPOCH}000", NOON),
        # a zone that nobody told, a clock that nobody set, and what is no time
        ("2026-11-23T12:00:00", None),
        ("2026-11-23 12:00", None),
        ("1970-01-01T00:00:17Z", None),
        ("17", None),
        ("2019-12-31T23:59:59Z", None),
        ("2020-01-01T00:00:00Z", datetime(2020, 1, 1, tzinfo=UTC)),
        ("2100-01-01T00:00:00Z", None),
        ("9999999999999999", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-14:00", None),
        ("nan", None),
        ("-1", None),
        ("1e9", None),
        ("\u0661\u0662", None),
        ("noon", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("name", ["time", "timestamp", "device_time"])
def test_times(name: str, text: str, instant: datetime | None) -> None:
    assert parse_report({"event": "ring", name: text}) == Report("ring", None, instant)


def test_ids_that_are_none() -> None:
    for text in ("x" * 129, "a\x00b", "a\nb"):
        assert parse_report({"event": "ring", "id": text}) == Report("ring")
    assert parse_report({"event": "ring", "id": "x" * 128}) == Report("ring", "x" * 128)


@pytest.mark.parametrize(
    ("event", "params", "kind"),
    [
        ("KeyPressed", '{"key": "%1"}', "ring"),
        ("KeyPressed", "{}", "ring"),
        ("KeyPressed", '{"key": "7"}', None),
        ("KeyPressed", '{"key": "*"}', None),
        ("MotionDetected", '{"state": "in"}', "motion_on"),
        ("MotionDetected", '{"state": "out"}', "motion_off"),
        ("DoorStateChanged", '{"state": "opened"}', "not understood"),
    ],
)
def test_2n(event: str, params: str, kind: str | None) -> None:
    body = f'{{"id": 2, "tzShift": 60, "utcTime": {EPOCH}, "event": "{event}", "params": {params}}}'
    report = parse_report({}, body.encode())
    assert kind_of(report) == kind
    # it counts from 1 again after each restart
    assert report is None or (report.event_id, report.device_time) == (f"2@{EPOCH}", NOON)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ring",
        b"\xff\xfe\x00",
        b"{",
        b"{}",
        b'["ring"]',
        b'{"event": ["ring"]}',
        b'{"event": null}',
        b'{"event": 7}',
        b'{"event": "ring", "id": NaN}',
        b'{"params": 7}',
        b'{"EventNotificationAlert": {"eventType": []}}',
        b'{"EventNotificationAlert": 7, "eventType": "VMD"}',
        b'{"a":' * 20_000,
        b'{"event":"ring","id":' + b"9" * 5000 + b"e}",
        b"a=1&" * 100 + b"event=ring",
        b"--",
        b"--boundary",
        b"--boundary\r\n\r\n",
        b"--boundary\r\nContent-Disposition: form-data; name=event\r\nring",
        b"-" * MAX_BODY,
        b"<event>ring</event>",
        b"<?xml version='1.0'?>",
        alert("VMD").replace(b"</EventNotificationAlert>", b""),
        alert("VMD").replace(b"eventType", b"type"),
        b"<!DOCTYPE x [<!ENTITY a 'VMD'>]>" + alert("VMD"),
        alert("VMD").replace(b"VMD", b"<![CDATA[VMD]]>"),
    ],
)
def test_what_makes_no_sense(body: bytes) -> None:
    assert parse_report({}, body) is None
    # whoever calls the address of the bell rings it, whatever comes along
    assert kind_of(parse_report({"event": "ring"}, body)) == "ring"


def test_only_the_beginning_of_a_long_body_counts() -> None:
    picture = b"\xff\xd8\xff" + b"\0" * MAX_BODY
    in_parts = multipart((XML_PART, alert("VMD")), (JPEG_PART, picture))
    assert kind_of(parse_report({"event": "ring"}, in_parts)) == "ring"
    assert kind_of(parse_report({}, in_parts)) == "motion_on"
    assert parse_report({}, multipart((JPEG_PART, picture), (XML_PART, alert("VMD")))) is None

    long_json = b'{"event": "ring", "id": 7}' + b" " * MAX_BODY
    assert parse_report({}, long_json) is None
    assert parse_report({"event": "ring"}, long_json) == Report("ring")
    fits = long_json[:MAX_BODY]
    assert parse_report({}, fits) == Report("ring", "7")

    # who knows what the rest of it would have said
    assert parse_report({"event": "motion_on"}, alert("VMD") + b" " * MAX_BODY) is None


MEMBERS = st.dictionaries(
    st.sampled_from(["event", "id", "time", "state", "test", "eventType", "utcTime"]) | st.text(),
    st.sampled_from(["ring", "motion", "off", "2026-01-01T00:00:00Z", "1e400"]) | st.text(),
    max_size=6,
)
PIECES = st.sampled_from(
    [
        b"--b\r\n",
        b"\r\n\r\n",
        b"name=event",
        b'{"event":',
        b"}",
        b"<EventNotificationAlert>",
        b"</EventNotificationAlert>",
        b"<eventType>",
        b"VMD</",
        b"<eventState>inactive<",
        b"<!ENTITY",
        b"event=ring&",
        b"\xff",
        b"ring",
    ]
)
BODIES = st.binary(max_size=200) | st.lists(PIECES | st.binary(max_size=8)).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(query=MEMBERS, body=BODIES)
def test_nothing_that_is_sent_breaks_it(query: dict[str, str], body: bytes) -> None:
    report = parse_report(query, body)
    assert report is None or report.kind in {None, "ring", "motion_on", "motion_off"}
    if report is not None and report.device_time is not None:
        assert 2020 <= report.device_time.year < 2100


@pytest.mark.parametrize(
    "body",
    [
        b"<EventNotificationAlert></EventNotificationAlert>" + b"<a>" * 20_000,
        b"<EventNotificationAlert></EventNotificationAlert>" + b"<a> " + b" " * 60_000,
        alert("VMD") + b"".join(b"<a%d>x</a%d>" % (n, n) for n in range(3000)),
        b"<EventNotificationAlert" * 2_800,
        b"<" * MAX_BODY,
        b"--\n" * 20_000,
        b"--b\r\n" + b"\r\n" * 30_000,
        b"--b\r\n" + b"name=" * 12_000,
        b"{" * MAX_BODY,
        b"&=" * 30_000,
    ],
)
def test_nothing_that_is_sent_keeps_it_busy(body: bytes) -> None:
    started = perf_counter()
    parse_report({}, body)
    assert perf_counter() - started < 0.1
