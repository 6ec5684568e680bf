"""What devices post, as they write it."""

from datetime import UTC, datetime

from custom_components.doorstep.doorbells.report import Report

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
EPOCH = int(NOON.timestamp())

ALERT = """<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">
<ipAddress>192.168.1.64</ipAddress>
<portNo>80</portNo>
<macAddress>44:19:b6:6d:24:85</macAddress>
<channelID>1</channelID>
<dateTime>2026-11-23T13:00:00+01:00</dateTime>
<activePostCount>{count}</activePostCount>
<eventType>{kind}</eventType>
<eventState>{state}</eventState>
<eventDescription>{kind} alarm</eventDescription>
</EventNotificationAlert>
"""


def alert(kind: str, state: str = "active", count: int = 1) -> bytes:
    return ALERT.format(kind=kind, state=state, count=count).encode()


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """As a camera posts it: each part with its header lines."""
    body = b"".join(
        b"--boundary\r\n%s\r\n\r\n%s\r\n" % (head.encode(), content) for head, content in parts
    )
    return body + b"--boundary--\r\n"


XML_PART = 'Content-Disposition: form-data; name="MoveDetection.xml"\r\nContent-Type: text/xml'
JPEG_PART = 'Content-Disposition: form-data; name="Picture"; filename="1.jpg"'
FORM_PART = 'Content-Disposition: form-data; name="{}"'


def kind_of(report: Report | None) -> str | None:
    return "not understood" if report is None else report.kind
