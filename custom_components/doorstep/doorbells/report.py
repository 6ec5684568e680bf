"""What a device posts to the webhook, put into one shape; nothing it sends is trusted.

Devices differ in where they say it (query, form, JSON, XML, a part of a multipart body), and many
name another content type than they send: what a body is, its first bytes tell. Everything is read
into flat members of text; the query wins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import re
from typing import Final
from urllib.parse import parse_qsl

from homeassistant.util.json import json_loads_object

from .hikvision import is_notification, notified, plain, read_json, read_xml
from .model import SignalKind

MAX_BODY: Final = 64 * 1024
"""Bytes of a body that are looked at; pictures that come along are longer."""

ACCEPTED: Final = "event must be one of: ring, motion, motion_on, motion_off"

_MAX_MEMBERS: Final = 64
_MAX_ID: Final = 128
_RING = re.compile(
    "ring(s|ing)?|press(ed)?|doorbell(press(ed)?)?|bell|ding|visitor|button(press(ed)?)?|keypressed"
)
_MOTION = re.compile("motion(.*)")
_ON = re.compile("on|start(ed)?|begin|active|detected|true|1|in")
_OFF = re.compile("off|end(ed)?|stop(ped)?|inactive|clear(ed)?|false|0|out")
# a clock that was never set tells of 1970 or 2000; one beyond this is broken
_OLDEST: Final = datetime(2020, 1, 1, tzinfo=UTC).timestamp()
_NEWEST: Final = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
_MILLISECONDS: Final = 1000
_NOT_A_WORD = re.compile("[^a-z0-9]+")
# "+" of a zone is a space once it has come through a query that nobody escaped
_LOST_PLUS = re.compile(r"(?<=\d) (?=\d\d:?\d\d$)")
_NUMBER = re.compile(r"\d{1,16}(\.\d{1,9})?")
_FIELD_NAME = re.compile(rb'\bname="?([\w-]{1,64})')
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Report:
    """What a device said; `kind` None means understood, but nothing has happened.

    `event_id` is the device's own name of the event, `device_time` its own clock (UTC), None where
    it says nothing usable; `test` that it only tries the way.
    """

    kind: SignalKind | None
    event_id: str | None = None
    device_time: datetime | None = None
    test: bool = False


def parse_report(query: Mapping[str, str], body: bytes = b"") -> Report | None:
    """Read a report; None if it can't be understood. Never raises.

    A body longer than MAX_BODY counts only for what its beginning holds completely: parts of a
    multipart body.
    """
    asked = {name.lower(): value for name, value in query.items() if value}
    too_long = len(body) > MAX_BODY
    body = body[:MAX_BODY].removeprefix(b"\xef\xbb\xbf").strip()
    if too_long and not body.startswith(b"--"):
        if body.startswith(b"<"):
            return None
        body = b""
    told = _members(body)
    if not is_notification(told):
        return _report(told | asked if "event" in told else asked)
    wanted = _report(asked) if "event" in asked else None
    if wanted is None and "event" in asked:
        return None
    kind = notified(told, wanted.kind if wanted else None)
    if kind is None and "eventstate" not in told:
        return None
    return Report(kind, _id(asked), _time(told | asked), _test(asked))


def _report(members: Mapping[str, str]) -> Report | None:
    word = _word(members.get("event", ""))
    state = _word(members.get("state", ""))
    kind: SignalKind | None
    if word == "keypressed" and not members.get("key", "%").startswith("%"):
        # 2N: somebody types a code; the buttons that call are %1, %2, ...
        kind = None
    elif _RING.fullmatch(word):
        # a button that is let go rings no bell
        kind = None if _OFF.fullmatch(state) else "ring"
    elif motion := _MOTION.fullmatch(word):
        # its end is its end, wherever that is said
        ended = _OFF.fullmatch(state)
        if (kind := _motion("off" if ended else motion[1] or state or "on")) is None:
            return None
    else:
        return None
    return Report(kind, _id(members), _time(members), _test(members))


def _motion(state: str) -> SignalKind | None:
    if _ON.fullmatch(state):
        return "motion_on"
    return "motion_off" if _OFF.fullmatch(state) else None


def _word(text: str) -> str:
    return _NOT_A_WORD.sub("", text.lower())


def _id(members: Mapping[str, str]) -> str | None:
    found = next((members[name] for name in ("event_id", "eventid", "id") if name in members), "")
    if not found or len(found) > _MAX_ID or not found.isprintable():
        return None
    # 2N counts anew after a restart: only together with the time is its number one event's
    return f"{found}@{members['utctime']}" if "utctime" in members else found


def _time(members: Mapping[str, str]) -> datetime | None:
    names = ("time", "timestamp", "device_time", "utctime", "datetime")
    text = next((members[name] for name in names if name in members), "")
    if _NUMBER.fullmatch(text):
        seconds = float(text)
        return _instant(seconds if seconds < _NEWEST else seconds / _MILLISECONDS)
    try:
        there = datetime.fromisoformat(_LOST_PLUS.sub("+", text))
        # without a zone it is the time of a place that nobody told
        return _instant(there.timestamp()) if there.tzinfo else None
    except ValueError, OverflowError:
        return None


def _instant(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if _OLDEST <= seconds < _NEWEST else None


def _test(members: Mapping[str, str]) -> bool:
    return members.get("test", "").lower() in {"1", "true", "yes", "on"}


def _members(body: bytes) -> dict[str, str]:
    """Read a body of any kind into members with lower-case names; none where it makes no sense."""
    if body.startswith(b"<"):
        return read_xml(body)
    if body.startswith(b"{"):
        return _json(body)
    if body.startswith(b"--"):
        return _multipart(body)
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=_MAX_MEMBERS)
    except ValueError:
        return {}
    return {name.lower(): value for name, value in pairs}


def _json(body: bytes) -> dict[str, str]:
    try:
        said = json_loads_object(body)
    except ValueError:
        return {}
    if "eventType" in said or isinstance(said.get("EventNotificationAlert"), dict):
        return read_json(said)
    # of what is nested nothing else counts: an "id" in there is not the event's
    inner = said.get("params")
    params = plain(inner) if isinstance(inner, dict) else {}
    return {name: params[name] for name in ("key", "state") if name in params} | plain(said)


def _multipart(body: bytes) -> dict[str, str]:
    """Read the first part that tells something by itself, else the fields of a form."""
    fields: dict[str, str] = {}
    for head, content in _parts(body):
        if content.startswith((b"<", b"{")) and (told := _members(content)):
            return told
        if (name := _FIELD_NAME.search(head)) and len(content) <= _MAX_ID:
            fields[name[1].decode().lower()] = content.decode(errors="replace")
    return fields


def _parts(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    boundary = body.partition(b"\n")[0].strip()
    for part in body.split(boundary, _MAX_MEMBERS)[1:]:
        head, *content = _BLANK_LINE.split(part, maxsplit=1)
        if content:
            yield head, content[0].strip()
