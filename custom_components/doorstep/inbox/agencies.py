"""Agency statements: what an agency says it is, and when that is believed (protocol 2.1).

Nothing here is believed because it is signed. A signature only says that a statement comes from
whoever made the one before; that the first comes from the agency, a person has to confirm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import re
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from yarl import URL

from ..errors import RequestError
from .geometry import Geometry
from .jws import Token, public_key, thumbprint
from .members import Members

TYP: Final = "agency-statement+jws"
VERSION: Final = 1
_DIGEST: Final = "{package_sha256}"
# age v1, X25519: Bech32 of 32 bytes; its checksum is checked where it is used
_RECIPIENT: Final = re.compile(r"age1[02-9ac-hj-np-z]{58}")
_MAX_SEQUENCE: Final = 1 << 31


class Kind(StrEnum):
    """What sort of body asks (closed list)."""

    MUNICIPAL_POLICE = "municipal_police"
    SHERIFF = "sheriff"
    STATE_POLICE = "state_police"
    FEDERAL = "federal"
    IMMIGRATION = "immigration"
    FIRE = "fire"
    EMERGENCY_MANAGEMENT = "emergency_management"
    PROSECUTOR = "prosecutor"
    DEFENCE = "defence"
    COURT = "court"
    OTHER = "other"


class KeyState(StrEnum):
    """What a key is good for: signing, what it signed before, nothing."""

    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"

    def stricter(self, other: KeyState) -> KeyState:
        """Return the stricter of two states: the order they are listed in."""
        order = list(KeyState)
        return max(self, other, key=order.index)


@dataclass(frozen=True, slots=True)
class AgencyKey:
    """A signing key of an agency."""

    kid: str
    public: bytes
    state: KeyState


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who can decrypt what is given: an age recipient and the unit that holds its key."""

    recipient: str
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A valid agency statement; `sha256` is over its decoded header and payload, in hex."""

    id: str
    sequence: int
    name: str
    kind: Kind
    jurisdiction: Geometry
    contact: Mapping[str, str | None]
    oversight: Mapping[str, str]
    policy_url: str
    keys: tuple[AgencyKey, ...]
    recipients: tuple[Recipient, ...]
    delivery: str
    receipts: str
    issued_at: datetime
    sha256: str

    @classmethod
    def parse(cls, token: Token) -> Self:
        """Read a statement's payload; anything wrong is a RequestError."""
        members = Members(token.payload)
        check_version(members)
        identity = members.url("id")
        if URL(identity).query_string or not identity.endswith("/"):
            raise members.bad("id")
        contact, oversight = members.inner("contact"), members.inner("oversight")
        delivery = members.inner("delivery")
        return cls(
            id=identity,
            sequence=members.integer("sequence", 1, _MAX_SEQUENCE),
            name=members.text("name"),
            kind=members.choice("kind", Kind),
            jurisdiction=Geometry.parse(members.get("jurisdiction")),
            contact={name: contact.optional(name) for name in ("phone", "email", "url")},
            oversight={"name": oversight.text("name"), "url": oversight.url("url")},
            policy_url=members.url("policy_url"),
            keys=_keys(members),
            recipients=_recipients(members),
            delivery=delivery.url("tus"),
            receipts=_receipts(delivery),
            issued_at=members.time("issued_at"),
            sha256=token.content_sha256,
        )

    @property
    def matters(self) -> tuple[object, ...]:
        """What a person has confirmed: everything but signing keys, contact and policy."""
        return (
            self.id,
            self.name,
            self.kind,
            self.jurisdiction,
            tuple(self.oversight.items()),
            self.recipients,
            self.delivery,
            self.receipts,
        )

    @property
    def active(self) -> Mapping[str, bytes]:
        """The keys it calls active, by kid."""
        return {key.kid: key.public for key in self.keys if key.state is KeyState.ACTIVE}


class Standing(StrEnum):
    """What a statement is to the home that reads it."""

    FIRST = "first"
    SUCCESSOR = "successor"
    OLD = "old"
    CONFLICT = "conflict"
    IMPOSTOR = "impostor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What the home holds for an agency: the newest statement, the one before it, all its keys.

    `keys` are in the strictest state that was ever seen for them.
    """

    head: Statement
    previous: Statement | None
    keys: Mapping[str, AgencyKey]


def judge(token: Token, statement: Statement, chain: Chain | None) -> Standing:
    """Decide what a statement is, by the chain that is held for its id.

    One that isn't even signed by a key it lists as active is a RequestError (`jws_key_unknown`,
    `jws_signature`), whatever else it is.
    """
    if chain is None:
        _verify(token, statement.active)
        return Standing.FIRST
    head = chain.head
    if statement.sequence == head.sequence + 1 and _signed(token, _usable(head.active, chain)):
        return Standing.SUCCESSOR
    if statement.sequence == head.sequence:
        before = chain.previous or head
        if _signed(token, _usable(before.active, chain)):
            return Standing.CONFLICT
    known = {kid: key.public for kid, key in chain.keys.items()}
    if statement.sequence < head.sequence and _signed(token, known):
        return Standing.OLD
    _verify(token, statement.active)
    return Standing.IMPOSTOR


def check_version(members: Members) -> None:
    """Refuse (`newer_version`) what was written for a later Doorstep."""
    if members.integer("v", 1, 1 << 31) != VERSION:
        raise RequestError("newer_version")


def _usable(active: Mapping[str, bytes], chain: Chain) -> dict[str, bytes]:
    strict = {kid for kid, key in chain.keys.items() if key.state is KeyState.ACTIVE}
    return {kid: public for kid, public in active.items() if kid in strict}


def _signed(token: Token, keys: Mapping[str, bytes]) -> bool:
    try:
        _verify(token, keys)
    except RequestError:
        return False
    return True


def _verify(token: Token, keys: Mapping[str, bytes]) -> None:
    public = keys.get(token.kid)
    if public is None:
        raise RequestError("jws_key_unknown")
    token.verify(Ed25519PublicKey.from_public_bytes(public))


def _keys(members: Members) -> tuple[AgencyKey, ...]:
    keys = tuple(_key(item) for item in members.objects("keys"))
    if not keys or len({key.kid for key in keys}) != len(keys):
        raise members.bad("keys")
    return keys


def _key(item: Members) -> AgencyKey:
    key, state = public_key(item.inner("jwk").values), item.choice("state", KeyState)
    if state is KeyState.REVOKED:
        item.time("revoked_from")
    return AgencyKey(thumbprint(key), key.public_bytes_raw(), state)


def _recipients(members: Members) -> tuple[Recipient, ...]:
    recipients = tuple(
        Recipient(item.text("recipient"), item.text("holder"))
        for item in members.objects("encryption")
    )
    if not recipients or not all(_RECIPIENT.fullmatch(one.recipient) for one in recipients):
        raise members.bad("encryption")
    return recipients


def _receipts(delivery: Members) -> str:
    template = delivery.text("receipts", 2000)
    if template.count(_DIGEST) != 1:
        raise delivery.bad("receipts")
    Members({"receipts": template.replace(_DIGEST, "0")}, delivery.path).url("receipts")
    return template
