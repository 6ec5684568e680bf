"""Releases: what people decide and what the courier did, each step written before its effect."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
import sqlite3
from typing import Any, Final, TypedDict, Unpack
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ..encoding import JSON, canonical_json, format_time, parse_time
from ..errors import ReleaseError
from ..inbox.states import RELEASE, after
from ..ledger.database import Database
from ..ledger.log import Ledger
from .package import Package
from .receipt import Receipt
from .release import Statement, digest
from .table import SCHEMA, Release, Writing, every, get, save

__all__ = ["GRACE", "LIVE", "SCHEMA", "Release", "Releases"]

GRACE: Final = timedelta(seconds=60)
LIVE: Final = frozenset({"granted", "packaging", "delivering"})


class How(TypedDict, total=False):
    """How long an approval can be taken back (GRACE), and what the ledger keeps about it."""

    grace: timedelta
    facts: Mapping[str, JSON]


class Releases:
    """All releases; every method blocks and belongs in an executor."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        begun: Callable[[sqlite3.Connection, str, datetime], None] | None = None,
    ) -> None:
        """Work in `database`, which has to know SCHEMA.

        `begun` (connection, handle, now) is called inside the transaction that ends a grace period:
        what it does commits with it.
        """
        self._database = database
        self._ledger = ledger
        self._begun = begun

    # --- reading

    def get(self, release_id: str) -> Release:
        """Read one release; ReleaseError `release_unknown`."""
        with self._database.read() as connection:
            return get(connection, release_id)

    def all(self, handle: str | None = None) -> list[Release]:
        """Read all releases, or those of one request, newest first."""
        with self._database.read() as connection:
            return every(connection, handle)

    def due(self, now: datetime) -> list[str]:
        """Ids of the releases with something to be done at `now`, longest waiting first."""
        waiting = [release for release in self.all() if release.is_due(now)]
        waiting.sort(key=lambda release: parse_time(str(release.due_at)))
        return [release.id for release in waiting]

    def next_due(self) -> datetime | None:
        """When something is next to be done, past or future."""
        return min((parse_time(one.due_at) for one in self.all() if one.due_at), default=None)

    # --- what people decide

    def draft(self, handle: str, state: Callable[[str], Statement], now: datetime) -> Release:
        """Return the draft for the request with `handle`: the open one if it still says the same.

        `state` makes the statement for a release id. While a release of the request is under way:
        ReleaseError `release_under_way`.
        """
        known = self.all(handle)
        _check_free(known)
        for release in known:
            if release.state == "draft" and digest(state(release.id)) == release.digest:
                return release
        release_id = uuid4().hex
        statement = state(release_id)
        with self._writing(now) as writing:
            known = every(writing.tx, handle)
            _check_free(known)
            for stale in (release for release in known if release.state == "draft"):
                writing.move(replace(stale, reason="replaced"), "drop", {"reason": "replaced"})
            release = Release(
                id=release_id,
                handle=handle,
                state=RELEASE.start,
                statement_json=canonical_json(statement),
                created_at=format_time(now),
            )
            return writing.record(release, {"request": statement["request"]}, None)

    def approve(
        self,
        release_id: str,
        shown: str,
        actor: str,
        now: datetime,
        **how: Unpack[How],
    ) -> Release:
        """Grant a draft whose digest is the one `shown`; it is sent when the grace is over.

        `actor` is the approver's local id. ReleaseError keys: `release_changed`,
        `release_under_way`, `not_possible` (no draft any more).
        """
        with self._writing(now) as writing:
            release = get(writing.tx, release_id)
            after(RELEASE, release.state, "grant")
            if release.digest != shown:
                raise ReleaseError("release_changed")
            _check_free(every(writing.tx, release.handle))
            granted = replace(
                release,
                key=Ed25519PrivateKey.generate().private_bytes_raw(),
                granted_at=format_time(now),
                due_at=format_time(now + how.get("grace", GRACE)),
            )
            return writing.move(granted, "grant", how.get("facts"), actor)

    def undo(self, release_id: str, actor: str, now: datetime) -> Release:
        """Take an approval back before anything is sent; too late: ReleaseError `not_possible`."""
        return self.drop(release_id, "taken_back", now, actor)

    def drop(
        self, release_id: str, reason: str, now: datetime, actor: str | None = None
    ) -> Release:
        """End what hasn't begun: somebody wants it so, or what was shown no longer holds."""
        with self._writing(now) as writing:
            return _end(writing, get(writing.tx, release_id), "drop", reason, actor)

    def stop(
        self, release_id: str, reason: str, now: datetime, actor: str | None = None
    ) -> Release:
        """End packaging or delivery. Once the last part was begun, the reason is `unconfirmed`."""
        with self._writing(now) as writing:
            return _end(writing, get(writing.tx, release_id), "stop", reason, actor)

    def retry(self, release_id: str, actor: str, now: datetime) -> Release:
        """Pack and deliver a stopped release again, under the same approval."""
        with self._writing(now) as writing:
            release = get(writing.tx, release_id)
            after(RELEASE, release.state, "retry")
            _check_free(every(writing.tx, release.handle))
            fresh = replace(
                _without_upload(release),
                due_at=format_time(now),
                attempts=0,
                uploads=0,
                reason=None,
                package_sha256=None,
                size=0,
            )
            return writing.move(fresh, "retry", actor=actor)

    # --- the courier's steps

    def package(self, release_id: str, now: datetime) -> Release:
        """The grace period is over."""
        with self._writing(now) as writing:
            release = replace(get(writing.tx, release_id), due_at=format_time(now))
            moved = writing.move(release, "package")
            if self._begun:
                self._begun(writing.tx, moved.handle, now)
            return moved

    def deliver(
        self, release_id: str, package: Package, release_sha256: str, now: datetime
    ) -> Release:
        """The package file is on disk; `release_sha256` is the hash of its `release.json`."""
        return self._step(
            release_id,
            "deliver",
            now,
            {"package_sha256": package.sha256, "size": package.size},
            package_sha256=package.sha256,
            release_sha256=release_sha256,
            size=package.size,
            due_at=format_time(now),
            attempts=0,
            reason=None,
        )

    def created(self, release_id: str, upload_url: str) -> Release:
        """Note where the bytes will go, before the first of them."""
        with self._delivering(release_id) as (tx, release):
            uploads = release.uploads + 1
            return save(tx, replace(release, upload_url=upload_url, uploads=uploads))

    def offer(self, release_id: str, end: int) -> Release:
        """Note that the bytes up to `end` may reach the receiver, before they do."""
        with self._delivering(release_id) as (tx, release):
            return save(tx, replace(release, offered=max(end, release.offered)))

    def confirm(self, release_id: str, sent: int) -> Release:
        """Note that the receiver has the bytes up to `sent`."""
        with self._delivering(release_id) as (tx, release):
            return save(tx, replace(release, sent=sent, attempts=0, reason=None))

    def forget_upload(self, release_id: str) -> Release:
        """The receiver lost the upload before it can have been whole: another may begin."""
        with self._delivering(release_id) as (tx, release):
            return save(tx, _without_upload(release))

    def finish(self, release_id: str, receipt_due: datetime, now: datetime) -> Release:
        """The receiver has every byte."""
        return self._step(
            release_id,
            "finish",
            now,
            due_at=format_time(receipt_due),
            delivered_at=format_time(now),
            attempts=0,
            reason=None,
        )

    def acknowledge(
        self, release_id: str, receipt: Receipt, token: bytes, now: datetime
    ) -> Release:
        """The receipt is valid: nothing is left to do, and the release's key is erased."""
        return self._step(
            release_id,
            "acknowledge",
            now,
            {"evidence_id": receipt.evidence_id},
            evidence_id=receipt.evidence_id,
            acknowledged_at=format_time(now),
            receipt=token,
            key=None,
            due_at=None,
            reason=None,
        )

    def miss(self, release_id: str, now: datetime) -> Release:
        """No valid receipt came in time."""
        return self._step(release_id, "miss", now, key=None, due_at=None)

    def postpone(self, release: Release, reason: str, due: datetime, now: datetime) -> None:
        """Note why the next step waits until `due`, unless somebody moved the release on."""
        with self._writing(now) as writing:
            known = get(writing.tx, release.id)
            if known.state == release.state:
                waiting = replace(
                    known, reason=reason, due_at=format_time(due), attempts=known.attempts + 1
                )
                save(writing.tx, waiting)

    def fail(self, release: Release, reason: str, now: datetime) -> None:
        """End what can't go on, dropped or stopped, unless somebody moved the release on."""
        with self._writing(now) as writing:
            known = get(writing.tx, release.id)
            if known.state == release.state:
                event = "drop" if known.state == "granted" else "stop"
                _end(writing, known, event, reason, None)

    # --- inside a transaction

    @contextmanager
    def _writing(self, now: datetime) -> Iterator[Writing]:
        with self._database.transaction() as tx:
            yield Writing(tx, self._ledger, now)

    @contextmanager
    def _delivering(self, release_id: str) -> Iterator[tuple[sqlite3.Connection, Release]]:
        with self._database.transaction() as tx:
            release = get(tx, release_id)
            if release.state != "delivering":
                raise ReleaseError("not_possible", state=release.state, event="send")
            yield tx, release

    def _step(
        self,
        release_id: str,
        event: str,
        now: datetime,
        facts: Mapping[str, JSON] | None = None,
        **changes: Any,
    ) -> Release:
        with self._writing(now) as writing:
            release = replace(get(writing.tx, release_id), **changes)
            return writing.move(release, event, facts)


def _end(writing: Writing, release: Release, event: str, reason: str, actor: str | None) -> Release:
    if release.state == "delivering" and release.offered == release.size:
        reason = "unconfirmed"
    key = release.key if event == "stop" else None
    ended = replace(release, reason=reason, due_at=None, key=key)
    return writing.move(ended, event, {"reason": reason}, actor)


def _check_free(known: list[Release]) -> None:
    if any(release.state in LIVE for release in known):
        raise ReleaseError("release_under_way")


def _without_upload(release: Release) -> Release:
    return replace(release, upload_url=None, offered=0, sent=0)
