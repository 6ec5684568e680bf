"""The consent desk: the one place through which people and the clock decide.

The rooms keep the states; this keeps them moving: it gives their errands to the notifier and the
courier, wakes when something is due, and tells panels that there is something new to see.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from aiohttp import ClientSession
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.util import dt as dt_util

from . import shown
from .const import DOMAIN, KEPT, LOGGER, SIGNAL_DESK
from .disclosure.courier import Courier, Ports
from .disclosure.store import GRACE, LIVE, Release
from .errors import DoorstepError, FeedError, ReleaseError
from .inbox import reader
from .inbox.values import Actor
from .inbox.web import TEST_MODE
from .ledger import outbox
from .notifications import Notifier
from .rooms import Rooms
from .texts import async_texts

_GRACE: Final = timedelta(seconds=2) if TEST_MODE else GRACE
_AGAIN: Final = timedelta(minutes=5)
"""How long work waits that failed for a reason of our own: a full disk, a locked database."""


class Desk:
    """Requests and releases as people meet them; every method runs in the event loop."""

    def __init__(self, rooms: Rooms, client: ClientSession) -> None:
        """Work with the rooms; `client` asks agencies' web sites."""
        self._hass = rooms.hass
        self._rooms = rooms
        self._database = rooms.database
        self._inbox = rooms.inbox
        self._releases = rooms.releases
        self._review = rooms.review
        self._client = client
        ports = Ports(
            material=rooms.review.material,
            still_allowed=self._still_allowed,
            keys=lambda release: rooms.inbox.active_keys(release.statement["agency"]["id"]),
            progress=self.async_progress,
            now=dt_util.utcnow,
        )
        self._courier = Courier(rooms.releases, rooms.folder / KEPT, ports)
        self._notifier: Notifier | None = None
        self._timer: CALLBACK_TYPE | None = None
        self._working = asyncio.Lock()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.sent: dict[str, int] = {}
        self._stopped = False

    async def async_start(self, notifier: Notifier) -> None:
        """Go on where the last run stopped."""
        self._notifier = notifier
        await self._run(self._courier.tidy)
        await self._run(self._review.clear)
        await self.async_work()

    async def async_remind(self, _hass: HomeAssistant) -> None:
        """Tell phones again of what is still open: the buttons they show died with the last run."""
        assert self._notifier is not None  # reminded after the start
        for view in await self._run(self._inbox.requests, dt_util.utcnow()):
            if view.state == "open":
                await self._notifier.async_ask(view.handle, view.request.expires_at)

    async def async_stop(self) -> None:
        """Stop; whatever was under way goes on at the next start."""
        self._stopped = True
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        # work that was under way may still have set a timer
        async with self._working:
            if self._timer:
                self._timer()
                self._timer = None
        if self._notifier:
            self._notifier.async_show_waiting(0)

    # --- what people decide

    async def async_draft(self, handle: str) -> shown.Shape:
        """Cut what would be given and say it in one sentence; nothing is decided yet."""
        release = await self._run(self._draft, handle)
        self.async_changed()
        zone = dt_util.get_default_time_zone()
        return shown.draft(release, self._texts(), zone, int(_GRACE.total_seconds()))

    def _draft(self, handle: str) -> Release:
        now = dt_util.utcnow()
        if why := self._inbox.may_approve(handle, now):
            raise ReleaseError(why)
        view = self._inbox.request(handle, now)
        return self._review.prepare(view, now)

    async def async_approve(
        self, handle: str, release: str, digest: str, actor: Actor, *, watched: bool
    ) -> None:
        """Say yes to exactly what `digest` names; it goes when the grace period is over."""
        await self._run(self._approve, handle, release, digest, actor, watched=watched)
        self.async_soon()

    def _approve(
        self, handle: str, release: str, digest: str, actor: Actor, *, watched: bool
    ) -> None:
        now = dt_util.utcnow()
        drafted = self._releases.get(release)
        if drafted.handle != handle:
            raise ReleaseError("release_unknown")
        if why := self._inbox.may_approve(handle, now) or self._review.why_not(drafted):
            raise ReleaseError(why)
        self._releases.approve(
            release,
            digest,
            str(actor.user),
            now,
            grace=_GRACE,
            facts={"channel": actor.channel, "watched": watched},
        )

    async def async_undo(self, release: str, actor: Actor) -> None:
        """Take an approval back while nothing has left."""
        await self._run(self._releases.undo, release, str(actor.user), dt_util.utcnow())
        self.async_soon()

    async def async_stop_release(self, release: str, actor: Actor) -> None:
        """Stop packing or sending, up to the last byte."""
        await self._courier.stop(release, "stopped", str(actor.user))
        self.async_soon()

    async def async_retry(self, release: str, actor: Actor) -> None:
        """Send a stopped release after all, under the approval that it has."""
        await self._run(self._retry, release, actor)
        self.async_soon()

    def _retry(self, release: str, actor: Actor) -> None:
        now = dt_util.utcnow()
        if why := self._still_allowed(self._releases.get(release)):
            raise ReleaseError(why)
        self._releases.retry(release, str(actor.user), now)

    async def async_decline(self, handle: str, actor: Actor) -> None:
        """Say no: nothing happens on the wire."""
        await self._run(self._inbox.decline, handle, actor, dt_util.utcnow())
        self.async_soon()

    async def async_undo_decline(self, handle: str, actor: Actor) -> None:
        """Open a declined request again."""
        await self._run(self._inbox.undo_decline, handle, actor, dt_util.utcnow())
        self.async_soon()

    async def async_confirm_agency(self, agency: str, statement: str, actor: Actor) -> None:
        """Believe that this statement is the agency's; its waiting requests open."""
        now = dt_util.utcnow()
        home = self._rooms.home()
        await self._run(self._inbox.confirm_agency, agency, statement, actor, home, now)
        self.async_soon()

    async def async_check_agency(self, agency: str, actor: Actor) -> dict[str, str]:
        """Ask the agency's web site for its keys: the one look-up a person starts."""
        view = await self._run(self._inbox.agency, agency)
        proven = await reader.proves_domain(self._client, agency, view.fingerprints)
        now = dt_util.utcnow()
        await self._run(lambda: self._inbox.set_domain(agency, actor, now, proven=proven))
        self.async_changed()
        return {"domain": "proven" if proven else "not_proven"}

    def review_file(self, release: str, clip: str) -> Path | None:
        """Return the path of a file under review, or None."""
        return self._review.file(release, clip)

    # --- what has to be done

    @callback
    def async_changed(self) -> None:
        """Tell panels that there is something new to see."""
        async_dispatcher_send(self._hass, SIGNAL_DESK)

    @callback
    def async_progress(self, release: str, sent: int, total: int) -> None:
        """Show how far an upload has come, at most a hundred times."""
        before = self.sent.get(release, 0)
        if sent == total or sent < before or sent - before >= total // 100:
            self.sent[release] = sent
            self.async_changed()

    @callback
    def async_settle_soon(self) -> None:
        """Look again at requests that wait for footage: a clip was sealed."""
        self._hass.async_create_task(self._async_settle(), f"{DOMAIN} settle")

    async def _async_settle(self) -> None:
        try:
            await self._run(self._inbox.settle, self._rooms.home(), dt_util.utcnow())
        except DoorstepError as error:
            # the next clip, or the next poll, settles what this one left
            LOGGER.warning("Matching requests with a new clip failed: %s", error)
        await self.async_work()

    @callback
    def async_soon(self) -> None:
        """Do what is due, without making a person wait for phones to answer."""
        self.async_changed()
        self._hass.async_create_task(self.async_work(), f"{DOMAIN} work")

    async def async_work(self) -> None:
        """Do what is due and sleep until the next; safe to call at any time."""
        async with self._working:
            if self._stopped:
                return
            if self._timer:
                self._timer()
                self._timer = None
            try:
                due = await self._async_do()
            except DoorstepError as error:
                LOGGER.warning("The desk's work failed and is tried again: %s", error)
                due = dt_util.utcnow() + _AGAIN
            if due:
                self._timer = async_track_point_in_utc_time(self._hass, self._async_wake, due)
        self.async_changed()

    async def _async_wake(self, _now: datetime) -> None:
        self._timer = None
        await self.async_work()

    async def _async_do(self) -> datetime | None:
        now = dt_util.utcnow()
        await self._run(self._inbox.expire, now)
        for release in await self._run(self._releases.due, now):
            self._async_carry(release)
        # one errand may make another
        while errands := await self._run(self._pending, now):
            for errand in errands:
                await self._async_run_errand(errand)
                await self._run(self._finish, errand.id)
        views = await self._run(self._inbox.requests, now)
        if self._notifier:
            self._notifier.async_show_waiting(sum(view.state == "open" for view in views))
        ends = [view.request.expires_at for view in views if view.state in {"open", "quarantined"}]
        return await self._run(self._next_due, now, ends)

    def _pending(self, now: datetime) -> list[outbox.Errand]:
        with self._database.read() as connection:
            return outbox.pending(connection, now)

    def _finish(self, errand: int) -> None:
        with self._database.transaction() as tx:
            outbox.finish(tx, errand)

    def _next_due(self, now: datetime, ends: list[datetime]) -> datetime | None:
        with self._database.read() as connection:
            errand = outbox.next_due(connection)
        release = self._releases.next_due()
        return min((due for due in (*ends, errand, release) if due and due > now), default=None)

    async def _async_run_errand(self, errand: outbox.Errand) -> None:
        """Do one side effect; doing it twice does no harm."""
        try:
            await self._async_do_errand(errand)
        except (FeedError, ReleaseError) as error:
            # what it was about is gone: there is nothing left to do
            LOGGER.debug("An errand had nothing to do any more: %s", error)

    async def _async_do_errand(self, errand: outbox.Errand) -> None:
        assert self._notifier is not None  # work begins with the start
        match errand.kind:
            case "notify":
                view = await self._run(self._inbox.request, errand.subject, dt_util.utcnow())
                if view.state == "open":
                    await self._notifier.async_ask(view.handle, view.request.expires_at)
            case "closed":
                await self._notifier.async_clear(errand.subject)
                await self._run(self._drop_drafts, errand.subject)
            case "release.granted":
                release = await self._run(self._releases.get, errand.subject)
                await self._notifier.async_clear(release.handle)
            case "agency_changed":
                await self._async_void(errand.subject)
            case "release.packaging":
                await self._run(self._review.forget, errand.subject)
            case "release.dropped":
                await self._run(self._review.forget, errand.subject)

    def _still_allowed(self, release: Release) -> str | None:
        now = dt_util.utcnow()
        return self._inbox.may_deliver(release.handle, now) or self._review.why_not(release)

    def _drop_drafts(self, handle: str) -> None:
        """A request that has ended leaves no draft behind, nor its files."""
        for release in self._releases.all(handle):
            if release.state == "draft":
                self._releases.drop(release.id, "replaced", dt_util.utcnow())

    async def _async_void(self, agency: str) -> None:
        """An agency has changed what matters: what was said yes to, or shown, no longer holds."""
        for release in await self._run(self._releases.all):
            if release.statement["agency"]["id"] != agency:
                continue
            now = dt_util.utcnow()
            if release.state in {"draft", "granted"}:
                await self._run(self._releases.drop, release.id, "why_agency_changed", now)
            elif release.state in LIVE:
                await self._courier.stop(release.id, "why_agency_changed")

    @callback
    def _async_carry(self, release: str) -> None:
        """Let the courier work on a release, one task each."""
        if release in self._tasks:
            return
        task = self._hass.async_create_background_task(
            self._async_courier(release), f"{DOMAIN} release {release}"
        )
        self._tasks[release] = task

    async def _async_courier(self, release: str) -> None:
        try:
            await self._courier.run_once(release)
        except DoorstepError as error:
            LOGGER.warning("A release could not go on and is tried again: %s", error)
            await asyncio.sleep(_AGAIN.total_seconds())
        finally:
            self._tasks.pop(release, None)
            self.sent.pop(release, None)
        self.async_soon()

    def _texts(self) -> shown.Texts:
        return async_texts(self._hass)

    async def _run[**P, T](self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._hass.async_add_executor_job(lambda: function(*args, **kwargs))
