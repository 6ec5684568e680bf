"""Feeds as rows: how far each was read, its verified leaves, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from itertools import batched
from sqlite3 import Connection, Row
from typing import Final

from ..errors import FeedError
from ..ledger.merkle import HASH_LENGTH, CompactRange, inclusion_proof
from .feed import BUNDLE, STOPPING, Entry, FeedDescriptor, FeedState, FeedUpdate, is_stale
from .tables import Work, when
from .values import Actor
from .views import FeedStatus, FeedView, Proof

_ID_LENGTH: Final = 16


def feed_id(descriptor: FeedDescriptor) -> str:
    """Name a feed by its log's key: the same log under another URL is the same feed."""
    return sha256(str(descriptor.log_key).encode()).hexdigest()[:_ID_LENGTH]


def add(work: Work, url: str, descriptor: FeedDescriptor, actor: Actor) -> str:
    """Follow a feed; one that was followed before goes on where it was."""
    identity = feed_id(descriptor)
    known = work.tx.execute("SELECT removed FROM feeds WHERE id = ?", (identity,)).fetchone()
    work.tx.execute(
        "INSERT INTO feeds (id, url, descriptor) VALUES (?1, ?2, ?3) ON CONFLICT (id)"
        " DO UPDATE SET url = ?2, descriptor = ?3, removed = 0,"
        # who adds a stopped feed anew has looked into it; a start of Home Assistant has not
        " stopped = stopped AND NOT removed, problem = iif(removed, NULL, problem)",
        (identity, url, descriptor.raw),
    )
    if known is None or known["removed"]:
        facts = {"key": descriptor.log_key.fingerprint, "log": descriptor.log_key.name}
        work.log("feed_added", identity, facts, actor)
    return identity


def remove(work: Work, feed: str, actor: Actor) -> None:
    """Follow a feed no longer; what it showed stays, for the proofs."""
    work.tx.execute("UPDATE feeds SET removed = 1 WHERE id = ?", (_row(work.tx, feed)["id"],))
    work.log("feed_removed", feed, {}, actor)


def renew(work: Work, feed: str, descriptor: FeedDescriptor) -> None:
    """Take over what an operator may change; other keys are a FeedError (`feed_key_changed`)."""
    known = FeedDescriptor.parse(_row(work.tx, feed)["descriptor"])
    if not known.same_keys(descriptor):
        raise FeedError("feed_key_changed", name=known.name)
    work.tx.execute("UPDATE feeds SET descriptor = ? WHERE id = ?", (descriptor.raw, feed))


def state(tx: Connection, feed: str) -> FeedState:
    """Return where the next poll continues."""
    row = _row(tx, feed)
    first = row["read"] // BUNDLE
    unread = _leaves(tx, feed, first)[row["read"] - first * BUNDLE :]
    return FeedState(
        id=feed,
        descriptor=FeedDescriptor.parse(row["descriptor"]),
        size=row["size"],
        peaks=row["peaks"],
        read=row["read"],
        unread=tuple(unread),
    )


def verified(work: Work, update: FeedUpdate) -> None:
    """Store a poll's verified tree; the caller reads the entries."""
    row = _row(work.tx, update.feed)
    if row["stopped"] or row["removed"]:
        raise FeedError("feed_stopped" if row["stopped"] else "feed_removed")
    fresh_at = row["fresh_at"]
    if update.fresh_at is not None:
        # an older note of the same tree proves no younger time
        fresh_at = max(update.fresh_at.timestamp(), fresh_at or 0.0)
    if update.checkpoint is not None:
        if update.checkpoint.size != row["size"] + len(update.leaves):
            raise FeedError("feed_read_meanwhile")
        _store_leaves(work.tx, update.feed, row["size"], update.leaves)
        work.tx.execute(
            "UPDATE feeds SET size = ?, peaks = ?, note = ?, witnessed = ? WHERE id = ?",
            (
                update.checkpoint.size,
                update.peaks,
                update.checkpoint.note,
                update.witnessed,
                update.feed,
            ),
        )
    work.tx.execute(
        "UPDATE feeds SET fresh_at = ?, problem = NULL, read_at = ? WHERE id = ?",
        (fresh_at, work.now.timestamp(), update.feed),
    )


def advance(work: Work, feed: str, entry: Entry) -> datetime:
    """Move the cursor past the next entry; returns the time of the checkpoint that shows it."""
    row = _row(work.tx, feed)
    if entry.index != row["read"] or entry.index >= row["size"]:
        raise FeedError("feed_read_meanwhile")
    work.tx.execute("UPDATE feeds SET read = ? WHERE id = ?", (entry.index + 1, feed))
    return when(row["fresh_at"])


def log_read(work: Work, update: FeedUpdate, counts: Mapping[str, int]) -> None:
    """Note in the ledger which checkpoint was reached, and what became of its entries."""
    if update.leaves or update.entries:
        row = _row(work.tx, update.feed)
        root = CompactRange.from_bytes(row["size"], row["peaks"]).root()
        facts = {
            "size": row["size"],
            "root": root.hex(),
            "read": row["read"],
            "counts": dict(counts),
        }
        work.log("feed_read", update.feed, facts)


def failed(work: Work, feed: str, error: FeedError) -> None:
    """Remember why a poll failed; what only a wrong log can show stops the feed."""
    stops = error.key in STOPPING
    row = _row(work.tx, feed)
    if stops and not row["stopped"]:
        work.log("feed_stopped", feed, {"reason": error.key})
        work.errand("feed_stopped", feed)
    if not row["stopped"]:
        work.tx.execute(
            "UPDATE feeds SET problem = ?, stopped = ? WHERE id = ?", (error.key, stops, feed)
        )


def resume(work: Work, feed: str, actor: Actor) -> None:
    """Read a stopped feed again, from where it was: a person has looked into it."""
    identity = _row(work.tx, feed)["id"]
    work.tx.execute("UPDATE feeds SET problem = NULL, stopped = 0 WHERE id = ?", (identity,))
    work.log("feed_resumed", feed, {}, actor)


def why_not(work: Work, feed: str) -> str | None:
    """Return why nothing of this feed may be approved now, or None."""
    row = _row(work.tx, feed)
    if row["removed"]:
        return "why_feed_removed"
    if row["stopped"]:
        return "why_feed_stopped"
    return "why_feed_stale" if _stale(row, work) else None


def stale(work: Work, feed: str) -> bool:
    """Whether the newest cosignature of a feed is too old."""
    return _stale(_row(work.tx, feed), work)


def followed(tx: Connection) -> list[Row]:
    """Return the rows of the feeds that are followed."""
    return tx.execute("SELECT * FROM feeds WHERE removed = 0 ORDER BY rowid").fetchall()


def proof(tx: Connection, feed: str, leaf: int) -> Proof:
    """Prove that leaf `leaf` is in the newest verified checkpoint."""
    note = _row(tx, feed)["note"]
    leaves = _leaves(tx, feed, 0)
    return Proof(leaf, tuple(inclusion_proof(leaves, leaf)), note)


def _row(tx: Connection, feed: str) -> Row:
    row: Row | None = tx.execute("SELECT * FROM feeds WHERE id = ?", (feed,)).fetchone()
    if row is None:
        raise FeedError("feed_unknown")
    return row


def _stale(row: Row, work: Work) -> bool:
    fresh_at = None if row["fresh_at"] is None else when(row["fresh_at"])
    return is_stale(fresh_at, work.now)


def view(work: Work, row: Row) -> FeedView:
    """Return a feed as it stands."""
    descriptor = FeedDescriptor.parse(row["descriptor"])
    status, reason = _status(row, work)
    return FeedView(
        id=row["id"],
        url=row["url"],
        descriptor=descriptor,
        state=status,
        reason=reason,
        read_at=None if row["read_at"] is None else when(row["read_at"]),
        fresh_at=None if row["fresh_at"] is None else when(row["fresh_at"]),
        size=row["size"],
        independent_witness=bool(row["witnessed"]),
    )


def _status(row: Row, work: Work) -> tuple[FeedStatus, str | None]:
    if row["problem"]:
        return ("stopped" if row["stopped"] else "error"), row["problem"]
    if row["read_at"] is not None and _stale(row, work):
        return "stale", "feed_stale"
    return "ok", None


def _leaves(tx: Connection, feed: str, first: int) -> list[bytes]:
    """Return the verified leaf hashes from bundle `first` on."""
    rows = tx.execute(
        "SELECT hashes FROM feed_leaves WHERE feed = ? AND bundle >= ? ORDER BY bundle",
        (feed, first),
    )
    data = b"".join(row["hashes"] for row in rows)
    return [data[place : place + HASH_LENGTH] for place in range(0, len(data), HASH_LENGTH)]


def _store_leaves(tx: Connection, feed: str, size: int, leaves: Sequence[bytes]) -> None:
    first = size // BUNDLE
    whole = [*_leaves(tx, feed, first), *leaves]
    for number, bundle in enumerate(batched(whole, BUNDLE, strict=False), first):
        tx.execute(
            "INSERT OR REPLACE INTO feed_leaves VALUES (?, ?, ?)", (feed, number, b"".join(bundle))
        )
