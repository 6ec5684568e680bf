"""What the panel and others ask of the desk: whole answers, nothing decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from homeassistant.util import dt as dt_util

from . import shown
from .errors import LedgerError
from .inbox.views import AgencyView, RequestView
from .rooms import Rooms
from .storage import Storage
from .texts import async_texts

_OTHERS: Final = 20
"""Agencies without a request for this home that a panel shows."""


class Queries:
    """Reads the rooms in the executor; every method runs in the event loop."""

    def __init__(self, rooms: Rooms, sent: Mapping[str, int], storage: Storage) -> None:
        """Read the rooms; `sent` are the bytes of releases under way."""
        self._hass = rooms.hass
        self._rooms = rooms
        self._ledger = rooms.ledger
        self._inbox = rooms.inbox
        self._releases = rooms.releases
        self._sent = sent
        self._storage = storage

    async def async_snapshot(self, *, full: bool, clips: bool) -> shown.Shape:
        """All that a panel shows; for those who don't decide, only that there is something.

        `clips` says whether they may view clips.
        """
        snapshot = await self._run(self._snapshot, self._texts(), full=full)
        if not clips:
            return snapshot | {"clips": False}
        doorbells = [{"id": bell.id, "name": bell.name} for bell in self._rooms.doorbells]
        status = self._storage.status
        storage = status and shown.storage(status, self._storage.indexing, full=full)
        return {"doorbells": doorbells} | snapshot | {"clips": True, "storage": storage}

    def _snapshot(self, texts: shown.Texts, *, full: bool) -> shown.Shape:
        now = dt_util.utcnow()
        views = self._inbox.requests(now)
        counts = {
            "open": sum(view.state == "open" for view in views),
            "waiting": sum(view.state == "quarantined" for view in views),
        }
        if not full:
            return {"approver": False, "counts": counts}
        releases = self._releases.all()
        shapes = [shown.summary(view, releases) for view in views]
        zone = dt_util.get_default_time_zone()
        return {
            "approver": True,
            "counts": counts,
            "requests": shapes,
            "releases": [
                shown.release(one, texts, zone, self._sent.get(one.id, one.sent))
                for one in releases
                if one.state not in {"draft", "dropped"}
            ],
            "agencies": [shown.agency(view) for view in self._agencies(views)],
            "feeds": [shown.feed(view) for view in self._inbox.feeds(now)],
            "doorbells": [shown.doorbell(bell) for bell in self._rooms.doorbells],
        }

    def _agencies(self, views: Sequence[RequestView]) -> list[AgencyView]:
        """Return the agencies of these requests, and the last few others that a feed showed."""
        shown_now = {view.agency.id: view.agency for view in views}
        others = {view.id: view for view in self._inbox.agencies(_OTHERS)}
        return list((others | shown_now).values())

    async def async_request(self, handle: str) -> shown.Shape:
        """Everything about one request."""
        return await self._run(self._request, handle, self._texts())

    def _request(self, handle: str, texts: shown.Texts) -> shown.Shape:
        now = dt_util.utcnow()
        view = self._inbox.request(handle, now)
        releases = self._releases.all(handle)
        return {
            **shown.summary(view, releases),
            **shown.request(
                view,
                self._rooms.home(),
                self._rooms.review.clips(view),
                texts,
                self._inbox.may_approve(handle, now),
            ),
            "history": shown.history(
                [
                    *self._inbox.history(handle),
                    *(entry for one in releases for entry in self._ledger.entries(subject=one.id)),
                ],
                texts,
            ),
        }

    async def async_counts(self) -> dict[str, int]:
        """Count requests by state."""
        views = await self._run(self._inbox.requests, dt_util.utcnow())
        states = [view.state for view in views]
        return {state: states.count(state) for state in sorted(set(states))}

    async def async_ledger(self, before: int | None, limit: int) -> shown.Shape:
        """Return a page of the ledger, newest first."""
        texts = self._texts()
        entries = await self._run(lambda: self._ledger.entries(before=before, limit=limit))
        return {
            "entries": [shown.ledger_entry(entry, texts) for entry in entries],
            "size": await self.async_ledger_size(),
        }

    async def async_ledger_size(self) -> int:
        """Return the number of entries."""
        head = await self._run(self._ledger.head)
        return head.size if head else 0

    async def async_verify_ledger(self) -> shown.Shape:
        """Recompute the whole log; a broken one is an answer, not an error."""
        try:
            head = await self._run(self._ledger.verify)
        except LedgerError as error:
            size = await self.async_ledger_size()
            return {"ok": False, "size": size, "root": None, "problem": error.key}
        size, root = (head.size, head.root.hex()) if head else (0, None)
        return {"ok": True, "size": size, "root": root, "problem": None}

    def _texts(self) -> shown.Texts:
        return async_texts(self._hass)

    async def _run[**P, T](self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._hass.async_add_executor_job(lambda: function(*args, **kwargs))
