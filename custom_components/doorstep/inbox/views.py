"""What the inbox shows to the rest of Doorstep: frozen values, no rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .agencies import Statement
from .assess import Assessment
from .feed import FeedDescriptor
from .requests import Details, Request

type FeedStatus = Literal["ok", "stale", "stopped", "error"]


@dataclass(frozen=True, slots=True)
class Proof:
    """An inclusion proof: leaf index, audit path from the leaf up, the checkpoint's note."""

    index: int
    hashes: Sequence[bytes]
    note: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedView:
    """A feed that is followed; `reason` is the key of what is wrong."""

    id: str
    url: str
    descriptor: FeedDescriptor
    state: FeedStatus
    reason: str | None
    read_at: datetime | None
    fresh_at: datetime | None
    size: int
    independent_witness: bool

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the log's key, in hex."""
        return self.descriptor.log_key.fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyView:
    """An agency.

    `statement` is the newest valid one, `confirmed` what a person has confirmed (None before), in
    force only where `is_confirmed`. `others` are statements that were signed by somebody else for
    this id, or that contradict: what a person might confirm instead. `domain` says whether the
    agency's web site lists its keys; None: nobody has asked.
    """

    id: str
    statement: Statement
    confirmed: Statement | None
    is_confirmed: bool
    conflict: bool
    others: tuple[Statement, ...]
    domain: bool | None

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Thumbprints (RFC 7638) of the keys that are active."""
        return tuple(self.statement.active)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A request that concerns this home, as it stands.

    `handle` is random and local; it is what leaves the inbox, never the request's own id. `reason`
    says why it is in its state. `jws` are the entry's bytes, `leaf` its index in `feed`.
    """

    handle: str
    state: str
    reason: str | None
    agency: AgencyView
    request: Request
    details: Details | None
    details_line: bytes
    assessment: Assessment
    received_at: datetime
    logged_at: datetime
    feed: str
    leaf: int
    jws: bytes
    kid: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that an agency signed and that is no request: `reason` says why."""

    handle: str
    agency: str
    reason: str
    received_at: datetime
