"""The checks of a feed: a log in C2SP's tlog-tiles layout, read whole (protocol 1).

`TrustedFeed` is bytes in, verdict out, no I/O. One poll goes through it in this order:

* the checkpoint: signed by the log, enough witnesses, never smaller than before;
* entry bundles from the last verified size on, until their root is the checkpoint's. Until then
  nothing of them is used, and only their leaf hashes are kept;
* the same bundles again, now each entry against its verified leaf hash, with the details beside
  them. A feed that fits into one poll is fetched once; a longer backlog is fetched twice, so that
  neither memory nor disk ever holds what has not been verified.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

from yarl import URL

from ..errors import FeedError
from ..ledger.merkle import CompactRange, leaf_hash
from ..ledger.notes import COSIGNATURE, SIGNATURE, Checkpoint, VerifierKey, open_checkpoint
from .members import Members
from .strictjson import parse_object
from .web import MAX_DESCRIPTOR

MAX_ENTRIES: Final = 1 << 20
BUNDLE: Final = 256
MAX_BUNDLE: Final = BUNDLE * (2 + 0xFFFF)
MAX_DETAILS: Final = 4096
MAX_DETAILS_FILE: Final = BUNDLE * (MAX_DETAILS + 1)
FRESH: Final = timedelta(hours=48)
AHEAD: Final = timedelta(minutes=10)
_MAX_WITNESSES: Final = 32
# what a server can only show when it, or its key, has gone wrong: a person decides
STOPPING: Final = frozenset(
    {"feed_forked", "feed_quorum", "feed_rolled_back", "note_origin", "note_signature"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedDescriptor:
    """`feed.json`: what the operator says the feed is, and the keys a person accepted."""

    name: str
    operator: str
    log: str
    log_key: VerifierKey
    witnesses: tuple[VerifierKey, ...]
    quorum: int
    mirrors: tuple[str, ...]
    raw: bytes = field(repr=False)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read `feed.json`; anything wrong is a FeedError (`feed_too_large`, `member_bad`, ...)."""
        if len(data) > MAX_DESCRIPTOR:
            raise FeedError("feed_too_large", host="", cap=MAX_DESCRIPTOR)
        members = Members(parse_object(data))
        members.integer("version", 1, 1)
        log_key = VerifierKey.parse(members.text("log_vkey", 1000))
        witnesses = tuple(_witnesses(members))
        publics = {log_key.public, *(witness.public for witness in witnesses)}
        names = {log_key.name, *(witness.name for witness in witnesses)}
        log = members.url("log")
        if log_key.algorithm != SIGNATURE or not log.endswith("/"):
            raise members.bad("log")
        # one key under two names would count as two witnesses
        if not len(publics) == len(names) == len(witnesses) + 1:
            raise members.bad("witnesses")
        return cls(
            name=members.text("name"),
            operator=members.text("operator"),
            log=log,
            log_key=log_key,
            witnesses=witnesses,
            quorum=members.integer("quorum", 0, len(witnesses)),
            mirrors=tuple(_mirrors(members)),
            raw=data,
        )

    def same_keys(self, other: Self) -> bool:
        """Whether trust in this descriptor is trust in `other`: same log, witnesses and quorum."""
        return (self.log, self.log_key, self.witnesses, self.quorum) == (
            other.log,
            other.log_key,
            other.witnesses,
            other.quorum,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """Where a home stands in a feed: `size` leaves verified, `read` entries taken in.

    `peaks` is the compact range of `size`, `unread` the leaf hashes from `read` to `size`.
    """

    id: str
    descriptor: FeedDescriptor
    size: int = 0
    peaks: bytes = b""
    read: int = 0
    unread: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """A file of the log: bundle `number`, or its first `width` entries."""

    number: int
    width: int = BUNDLE

    def url(self, log: str, kind: str) -> URL:
        """Where it lies (tlog-tiles): groups of three digits, `.p/<W>` where partial."""
        digits = f"{self.number % 1000:03d}"
        rest = self.number // 1000
        while rest:
            digits, rest = f"x{rest % 1000:03d}/{digits}", rest // 1000
        partial = f".p/{self.width}" if self.width < BUNDLE else ""
        return URL(f"{log}{kind}/{digits}{partial}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One verified entry of the log; `details` are what lay beside it, not verified."""

    index: int
    data: bytes
    details: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedUpdate:
    """What one poll gave, for the store to apply.

    Without `checkpoint` the tree is not complete yet and nothing new is verified. `leaves` continue
    the verified leaves; `entries` continue the entries read, as far as the poll's budget went.
    `fresh_at` is the newest cosignature, `witnessed` whether one came from somebody else than the
    feed's operator.
    """

    feed: str
    checkpoint: Checkpoint | None
    leaves: Sequence[bytes]
    peaks: bytes
    entries: Sequence[Entry]
    fresh_at: datetime | None
    witnessed: bool


class TrustedFeed:
    """One poll of one feed, checked step by step (see the module)."""

    def __init__(self, state: FeedState, backlog: Sequence[bytes] = ()) -> None:
        """Continue from `state`; `backlog` are leaf hashes that an earlier poll left over."""
        self._state = state
        self._tree = CompactRange.from_bytes(state.size, state.peaks)
        self._leaves = list(backlog)
        for leaf in self._leaves:
            self._tree.append(leaf)
        self._target: Checkpoint | None = None
        self._fresh_at: datetime | None = None
        self._witnessed = False

    @property
    def backlog(self) -> list[bytes]:
        """Leaf hashes that wait for their root."""
        return [] if self._complete else self._leaves

    def update_checkpoint(self, note: bytes, now: datetime) -> None:
        """Check the newest checkpoint.

        Consistency is not checked here but with the root, when its last bundle is in. FeedError
        keys: those of `open_checkpoint`, `feed_untimed` (no cosignature up to 10 minutes from
        now), `feed_quorum`, `feed_rolled_back`, `feed_forked`, `feed_too_long`.
        """
        descriptor = self._state.descriptor
        checkpoint = open_checkpoint(note, descriptor.log_key, descriptor.witnesses)
        timed = {name: at for name, at in checkpoint.cosigned.items() if at <= now + AHEAD}
        if not timed:
            raise FeedError("feed_untimed")
        independent = timed.keys() - {descriptor.log_key.name}
        if len(independent) < descriptor.quorum:
            raise FeedError("feed_quorum", found=len(independent), quorum=descriptor.quorum)
        if checkpoint.size < self._tree.size:
            raise FeedError("feed_rolled_back", size=checkpoint.size, known=self._tree.size)
        if checkpoint.size > MAX_ENTRIES:
            raise FeedError("feed_too_long", size=checkpoint.size)
        self._target = checkpoint
        self._fresh_at = max(timed.values())
        self._witnessed = bool(independent)
        self._check_root()

    @property
    def next_tile(self) -> Tile | None:
        """The bundle that is needed next to complete the tree, or None."""
        if self._complete:
            return None
        assert self._target is not None  # update_checkpoint comes first
        return _tile(self._tree.size, self._target.size)

    def update_bundle(self, data: bytes) -> None:
        """Take in `next_tile`'s bytes, the partial or the full file.

        FeedError keys: `bundle_malformed` (truncated, oversized or too few entries),
        `feed_forked` (another root than the checkpoint's).
        """
        tile = self.next_tile
        assert tile is not None and self._target is not None  # noqa: PT018 - one precondition
        entries = _split(data, tile)
        for entry in entries[self._tree.size % BUNDLE :]:
            leaf = leaf_hash(entry)
            self._leaves.append(leaf)
            self._tree.append(leaf)
        self._check_root()

    @property
    def unread(self) -> Iterator[Tile]:
        """The bundles whose entries are verified but not read yet."""
        end = self._tree.size if self._complete else self._state.size
        place = self._state.read
        while place < end:
            tile = _tile(place, end)
            yield tile
            place = (tile.number + 1) * BUNDLE

    def entries(self, tile: Tile, data: bytes, details: bytes) -> list[Entry]:
        """Return the unread entries of a bundle with their details lines.

        An entry that differs from its verified leaf is a FeedError (`bundle_changed`): whoever
        serves the files lies now, or lied before.
        """
        start = tile.number * BUNDLE
        lines = details.split(b"\n")
        known = [*self._state.unread, *self._leaves]
        found = []
        for place, entry in enumerate(_split(data, tile)):
            if (index := start + place) < self._state.read:
                continue
            if leaf_hash(entry) != known[index - self._state.read]:
                raise FeedError("bundle_changed", index=index)
            line = lines[place] if place < len(lines) else b""
            found.append(Entry(index, entry, line if len(line) <= MAX_DETAILS else b""))
        return found

    def update(self, entries: Sequence[Entry]) -> FeedUpdate:
        """Sum up the poll; `entries` are those of the first bundles of `unread`."""
        return FeedUpdate(
            feed=self._state.id,
            checkpoint=self._target if self._complete else None,
            leaves=tuple(self._leaves) if self._complete else (),
            peaks=self._tree.to_bytes() if self._complete else self._state.peaks,
            entries=tuple(entries),
            fresh_at=self._fresh_at if self._complete else None,
            witnessed=self._witnessed,
        )

    @property
    def _complete(self) -> bool:
        return self._target is not None and self._tree.size == self._target.size

    def _check_root(self) -> None:
        assert self._target is not None  # set by both callers
        if self._complete and self._tree.root() != self._target.root:
            raise FeedError("feed_forked", size=self._target.size)


def is_stale(fresh_at: datetime | None, now: datetime) -> bool:
    """Whether the newest cosignature is too old, or the host's clock too far behind it."""
    return fresh_at is None or not -AHEAD <= now - fresh_at <= FRESH


def _tile(place: int, end: int) -> Tile:
    number = place // BUNDLE
    return Tile(number, min(BUNDLE, end - number * BUNDLE))


def _split(data: bytes, tile: Tile) -> list[bytes]:
    """Take an entry bundle apart: uint16 length and bytes, `width` times (or the full file)."""
    if len(data) > MAX_BUNDLE:
        raise FeedError("bundle_malformed", number=tile.number)
    entries, place = [], 0
    while place < len(data):
        start = place + 2
        place = start + int.from_bytes(data[place:start])
        entries.append(data[start:place])
    if place != len(data) or not tile.width <= len(entries) <= BUNDLE:
        raise FeedError("bundle_malformed", number=tile.number)
    return entries[: tile.width]


def _witnesses(members: Members) -> Iterator[VerifierKey]:
    for text in members.array("witnesses", _MAX_WITNESSES):
        key = VerifierKey.parse(text) if isinstance(text, str) else None
        if key is None or key.algorithm != COSIGNATURE:
            raise members.bad("witnesses")
        yield key


def _mirrors(members: Members) -> Iterator[str]:
    for mirror in members.array("mirrors"):
        yield Members({"mirrors": mirror}).url("mirrors")
