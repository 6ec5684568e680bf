"""What Hikvision pushes, at addresses that stand for one thing or for none."""

import pytest

from custom_components.doorstep.doorbells.report import parse_report

from .devices import JPEG_PART, NOON, XML_PART, alert, kind_of, multipart


@pytest.mark.parametrize(
    ("kind", "state", "usual", "at_ring", "at_motion"),
    [
        ("VMD", "active", "motion_on", "ring", "motion_on"),
        ("VMD", "inactive", "motion_off", None, "motion_off"),
        ("linedetection", "active", "motion_on", "ring", "motion_on"),
        ("fielddetection", "inactive", "motion_off", None, "motion_off"),
        ("PIR", "active", "motion_on", "ring", "motion_on"),
        ("regionExiting", "active", "motion_on", "ring", "motion_on"),
        ("motion", "active", "motion_on", "ring", "motion_on"),
        ("IO", "active", None, "ring", "motion_on"),
        ("IO", "inactive", None, None, "motion_off"),
        ("doorbell", "active", "ring", "ring", "motion_on"),
        ("doorbell", "inactive", None, None, "motion_off"),
        ("videoloss", "inactive", None, None, None),
        ("videoloss", "active", None, None, None),
        ("heartBeat", "active", None, None, None),
        ("diskfull", "active", None, None, None),
        ("illaccess", "active", None, None, None),
    ],
)
def test_hikvision(
    kind: str, state: str, usual: str | None, at_ring: str | None, at_motion: str | None
) -> None:
    plain = alert(kind, state)
    in_parts = multipart((XML_PART, plain), (JPEG_PART, b"\xff\xd8\xff" + b"\r\n\r\n" * 9))
    for body in (plain, in_parts):
        for query, expected in (
            ({}, usual),
            ({"event": "ring"}, at_ring),
            ({"event": "motion_on"}, at_motion),
        ):
            report = parse_report(query, body)
            assert report is not None
            assert (report.kind, report.device_time, report.event_id) == (expected, NOON, None)


def test_a_heartbeat_does_not_understand_a_wrong_address_either() -> None:
    assert parse_report({"event": "explode"}, alert("videoloss", "inactive")) is None


def test_hikvision_with_other_names_for_its_namespace() -> None:
    body = alert("VMD").replace(b"<e", b"<hik:e").replace(b"</e", b"</hik:e")
    assert kind_of(parse_report({}, body)) == "motion_on"
    body = body.replace(b"EventNotif", b"h:EventNotif")
    assert kind_of(parse_report({}, body)) == "motion_on"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('"AccessControllerEvent", "AccessControllerEvent": {A}', "ring"),
        ('"AccessControllerEvent", "AccessControllerEvent": {B}', "not understood"),
        ('"AccessControllerEvent", "eventState": "active", "AccessControllerEvent": {B}', None),
        ('"AccessControllerEvent", "eventState": "active", "AccessControllerEvent": {C}', None),
        ('"voiceTalkEvent", "VoiceTalkEvent": {"cmdType": "request"}', "ring"),
        ('"voiceTalkEvent", "eventState": "active", "V": {"cmdType": "hangUp"}', None),
        ('"callStatus", "CallStatus": {"status": "ring"}', "ring"),
        ('"callStatus", "eventState": "active", "CallStatus": {"status": "onCall"}', None),
        ('"videoIntercomEvent", "eventState": "active"', "ring"),
        ('"videoIntercomEvent", "eventState": "active", "V": {"unlockType": "card"}', None),
        ('"VMD", "eventState": "inactive"', "motion_off"),
        ('"ring"', "ring"),
        ('"something"', "not understood"),
    ],
)
def test_hikvision_door_stations(body: str, kind: str | None) -> None:
    for short, long in (
        ("{A}", '{"majorEventType": 5, "subEventType": 37, "currentEvent": true}'),
        ("{B}", '{"majorEventType": 5, "subEventType": 75}'),
        ("{C}", '{"majorEventType": 5, "subEventType": 37, "currentEvent": false}'),
    ):
        body = body.replace(short, long)
    when = '"dateTime": "2026-11-23T13:00:00+01:00"'
    for text in (
        f'{{{when}, "eventType": {body}}}',
        f'{{"EventNotificationAlert": {{{when}, "eventType": {body}}}}}',
    ):
        report = parse_report({}, text.encode())
        assert kind_of(report) == kind
        assert report is None or report.device_time == NOON


def test_only_the_first_members_count() -> None:
    many = b"".join(b"<a%d>x</a%d>" % (n, n) for n in range(200))
    late = alert("VMD").replace(b"<ipAddress>", many + b"<ipAddress>")
    assert parse_report({}, late) is None
    assert kind_of(parse_report({}, alert("VMD") + many)) == "motion_on"
