"""SOAP 1.2 as an ONVIF device speaks it: requests read, answers written.

Written by hand from the ONVIF Core, Device, Media and Event specifications and OASIS WS-Security
UsernameToken 1.1: there is no device-side library that could judge our client side.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Final
from xml.etree import ElementTree as ET

NAMESPACES: Final = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
    "ter": "http://www.onvif.org/ver10/error",
    "tns1": "http://www.onvif.org/ver10/topics",
}
SECURITY: Final = (
    "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
)
UTILITY: Final = (
    "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}"
)
CONTENT: Final = "application/soap+xml; charset=utf-8"
CONCRETE: Final = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the OPERATION's local name, and its XML."""

    operation: str
    envelope: ET.Element

    @classmethod
    def read(cls, content: bytes) -> Call:
        """Parse a request; ParseError where it is none."""
        envelope = ET.fromstring(content)
        body = envelope.find("s:Body", NAMESPACES)
        if body is None or len(body) == 0:
            raise ET.ParseError("there is no operation in the body")
        return cls(body[0].tag.rpartition("}")[2], envelope)

    def text(self, path: str) -> str:
        """Return the text of the first element at PATH, or nothing."""
        return self.envelope.findtext(f".//{path}", default="", namespaces=NAMESPACES).strip()

    def admitted(self, user: str, password: str) -> bool:
        """Whether it carries the digest of nonce, time and PASSWORD."""
        token = self.envelope.find(f".//{SECURITY}UsernameToken")
        if token is None:
            return False
        nonce = base64.b64decode(token.findtext(f"{SECURITY}Nonce", ""))
        created = token.findtext(f"{UTILITY}Created", "")
        digest = sha1(nonce + created.encode() + password.encode(), usedforsecurity=False).digest()
        told = token.findtext(f"{SECURITY}Password", "")
        return token.findtext(f"{SECURITY}Username") == user and base64.b64decode(told) == digest


@dataclass(frozen=True, slots=True)
class Notice:
    """One event: a property's VALUE at the device's time AT (UTC)."""

    topic: str
    source: tuple[str, str]
    value: tuple[str, str]
    at: datetime
    operation: str = "Changed"

    def xml(self) -> str:
        """Write it as a NotificationMessage."""
        return (
            f'<wsnt:NotificationMessage><wsnt:Topic Dialect="{CONCRETE}">{self.topic}</wsnt:Topic>'
            f'<wsnt:Message><tt:Message UtcTime="{stamp(self.at)}"'
            f' PropertyOperation="{self.operation}">'
            f"<tt:Source>{_item(self.source)}</tt:Source><tt:Data>{_item(self.value)}</tt:Data>"
            "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
        )


class FaultError(Exception):
    """The answer is a fault with the SUBCODE, one of ONVIF's."""

    def __init__(self, subcode: str, reason: str) -> None:
        """Say why."""
        super().__init__(reason)
        self.subcode = subcode

    def xml(self) -> str:
        """Write it as a body."""
        return (
            f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{self.subcode}"
            f'</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">{self}</s:Text>'
            "</s:Reason></s:Fault>"
        )


def envelope(body: str) -> bytes:
    """Wrap BODY."""
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NAMESPACES.items())
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>'
        f"<s:Envelope {names}><s:Header/><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def stamp(at: datetime) -> str:
    """Write a time as xs:dateTime in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def duration(text: str) -> timedelta:
    """Read the xs:duration forms that clients send: PT60S, PT1M, PT10M0S."""
    units = {"H": "hours", "M": "minutes", "S": "seconds"}
    found: dict[str, float] = {}
    number = ""
    for sign in text.removeprefix("PT"):
        if sign in units:
            found[units[sign]] = float(number)
            number = ""
        else:
            number += sign
    return timedelta(**found)


def _item(pair: tuple[str, str]) -> str:
    return f'<tt:SimpleItem Name="{pair[0]}" Value="{pair[1]}"/>'
