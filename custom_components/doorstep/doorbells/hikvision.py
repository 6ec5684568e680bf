"""What cameras and door stations of Hikvision, and its many other names, push by HTTP.

`EventNotificationAlert` of ISAPI, as XML or JSON. A camera sends it while something lasts, once
more when it is over, and in between to show that it is alive. Door stations tell of a press in
several ways, and of much that is none.
"""

from collections.abc import Mapping
import re
from typing import Final

from homeassistant.util.json import JsonObjectType

from .model import SignalKind

_ROOT = re.compile(rb"<(?:\w{1,16}:)?EventNotificationAlert\b")
_END = re.compile(rb"</(?:\w{1,16}:)?EventNotificationAlert\s{0,8}>")
_MEMBER = re.compile(rb"<(?:\w{1,16}:)?(\w{1,40})(?:\s[^<>]{0,200})?>([^<>]{1,200})<")
_MAX_MEMBERS: Final = 200

_MOTION = re.compile(
    "vmd|motion(detection)?|movedetection|linedetection|fielddetection|pir|region(entrance|exiting)"
    "|loitering|facedetection"
)
_RING = re.compile("doorbell(ring)?|bellringing|callingdevice|ring")
# the camera is alive, or is not well: no matter which address it was told to call
_NEVER = re.compile(
    "heartbeat|videoloss|disk(full|error|unformat)|nicbroken|ipconflict|illaccess|badvideo"
    "|videomismatch|(record|raid)exception"
)
_DOORBELL_RANG: Final = ("5", "37")  # MAJOR_EVENT, MINOR_DOORBELL_RINGING
_MOTIONS: Final = frozenset({"motion_on", "motion_off"})
_OFF: Final = frozenset({"inactive", "false", "0"})


def read_xml(document: bytes) -> dict[str, str]:
    """Read the texts of a complete notification by lower-case name, the first of each name wins.

    Anything else has none. No parser: there is nothing that could be expanded or fetched.
    """
    if b"<!" in document or not (_ROOT.search(document) and _END.search(document)):
        return {}
    members: dict[str, str] = {}
    for found in _MEMBER.finditer(document):
        members.setdefault(found[1].decode().lower(), found[2].decode(errors="replace").strip())
        if len(members) >= _MAX_MEMBERS:
            break
    return members


def read_json(document: JsonObjectType) -> dict[str, str]:
    """Read the same out of JSON: the alert's own members before those of what it holds."""
    alert = document.get("EventNotificationAlert", document)
    members: dict[str, str] = {}
    if isinstance(alert, dict):
        for inner in alert.values():
            members |= plain(inner) if isinstance(inner, dict) else {}
        members |= plain(alert)
    return members


def plain(group: JsonObjectType) -> dict[str, str]:
    """Put texts, numbers and booleans of an object as text under lower-case names."""
    return {
        name.lower(): str(value)
        for name, value in group.items()
        if isinstance(value, str | int | float)
    }


def is_notification(members: Mapping[str, str]) -> bool:
    """Whether these are a notification's and not a plain report's."""
    return "eventtype" in members and "event" not in members


def notified(members: Mapping[str, str], wanted: SignalKind | None) -> SignalKind | None:
    """Say what has happened, None for nothing; `wanted` is what the address called stands for."""
    kind = members["eventtype"].lower()
    if _NEVER.fullmatch(kind) or members.get("currentevent", "").lower() == "false":
        # what a station sends later, of a time when it was not connected, is no press of now
        return None
    if members.get("eventstate", "").lower() in _OFF:
        return "motion_off" if (wanted or _usual(kind, members)) in _MOTIONS else None
    return wanted or _usual(kind, members)


def _usual(kind: str, members: Mapping[str, str]) -> SignalKind | None:
    """Say what a notification means at an address that stands for nothing."""
    if _MOTION.fullmatch(kind):
        return "motion_on"
    return "ring" if _RING.fullmatch(kind) or _is_press(kind, members) else None


def _is_press(kind: str, members: Mapping[str, str]) -> bool:
    match kind:
        case "accesscontrollerevent":
            codes = members.get("majoreventtype"), members.get("subeventtype")
            return codes == _DOORBELL_RANG
        case "voicetalkevent":
            return members.get("cmdtype", "").lower() == "request"
        case "callstatus":
            return members.get("status", "").lower() == "ring"
        case "videointercomevent" | "videointercom":
            # it tells of opened doors as well
            return not any("unlock" in name for name in members)
    return False
