"""The disk's side of the household: keep the library within its limits, and say how full it is."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from time import monotonic
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import (
    CONF_KEEP_DAYS,
    CONF_MAX_GB,
    DOMAIN,
    LOGGER,
    SIGNAL_DESK,
    SIGNAL_STORAGE,
    SUBENTRY_DOORBELL,
)
from .disclosure.store import LIVE
from .errors import StorageError
from .footage.clock import host_ntp
from .footage.folder import Usage
from .footage.hostdate import HostDate
from .footage.retention import Limits, Pressure, RetentionPolicy, pressure, spare
from .limits import GB, household_policy
from .problems import async_clear, async_report
from .rooms import Rooms
from .texts import error_text

PERSON: Final = "person"
"""Who holds a clip, and why one went, where it was somebody at home."""

BACKUP: Final[HassKey[bool]] = HassKey(f"{DOMAIN}_backup")
"""Whether a backup runs: it may begin before a reload and end after it."""

_EVERY: Final = timedelta(hours=1)
_WHILE_REFUSED: Final = timedelta(minutes=1)
_COOLDOWN: Final = 5.0  # seconds between two looks at the disk, however many clips come
_RATE: Final = timedelta(days=7)  # how far back recordings tell how fast the disk fills
_SURE: Final = timedelta(days=1)  # how much of that there must be


@dataclass(frozen=True, slots=True)
class Status:
    """How full the library is: bytes, clips, and days until the oldest clips go."""

    usage: Usage
    limit: int
    floor: int
    held: int
    days_left: float | None
    full: bool


class Storage:
    """Prunes, copies what people hold, and stops recording before a hold would be lost."""

    def __init__(self, rooms: Rooms, entry: ConfigEntry) -> None:
        """Prepare; nothing happens before `async_start`."""
        self._rooms = rooms
        self._hass = rooms.hass
        self._entry = entry
        self._library = rooms.library
        self._lock = asyncio.Lock()
        self._stop = Event()
        self._date: HostDate | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._debouncer = Debouncer(
            self._hass, LOGGER, cooldown=_COOLDOWN, immediate=True, function=self.async_tend
        )
        self.found: Callable[[], object] = lambda: None  # called when more clips are known
        self.status: Status | None = None
        self.indexing: tuple[int, int] | None = None

    @callback
    def async_start(self) -> None:
        """Look at the disk now, each hour, and after clips; read in what the index has lost."""
        self._entry.async_on_unload(
            async_track_time_interval(self._hass, self.async_tend, _EVERY, cancel_on_shutdown=True)
        )
        self._entry.async_on_unload(
            async_track_time_interval(
                self._hass, self._async_look_again, _WHILE_REFUSED, cancel_on_shutdown=True
            )
        )
        # deleting much takes long, and nothing waits for it
        self._async_work(self.async_tend(), "tend")
        self.async_read_in()

    async def async_stop(self) -> None:
        """Stop; the step that is under way ends first."""
        self._stop.set()
        self._debouncer.async_shutdown()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        async with self._lock:
            """Whoever still waits for a turn finds that it is over."""

    @callback
    def async_soon(self) -> None:
        """Look at the disk: something was recorded, deleted or held."""
        if not self._stop.is_set():
            self._debouncer.async_schedule_call()

    async def async_pause(self) -> None:
        """Delete nothing while `BACKUP` is in Home Assistant's data; wait for what is under way."""
        async with self._lock:
            """Whoever comes later finds the pause."""

    @callback
    def async_resume(self) -> None:
        """Go on deleting, and copying what is held."""
        self.async_soon()

    async def async_tend(self, _now: datetime | None = None) -> None:
        """Delete what retention doesn't keep, copy what is held, and tell how it stands."""
        async with self._lock:
            if self._stop.is_set():
                return
            refused = self._library.refuses
            try:
                self.status = await self._hass.async_add_executor_job(self._tend)
            except StorageError as error:
                # the hourly turn tries again; a recorder that can't write says so itself
                LOGGER.warning("The library could not be tended: %s", error)
                return
        if self._library.refuses != refused:
            for doorbell in self._rooms.doorbells:
                doorbell.async_refresh()
        async_dispatcher_send(self._hass, SIGNAL_STORAGE)
        async_dispatcher_send(self._hass, SIGNAL_DESK)

    async def _async_look_again(self, _now: datetime) -> None:
        """See soon that others made way: until then nothing is recorded."""
        if self._library.refuses:
            await self.async_tend()

    @property
    def floor(self) -> int:
        """Bytes of the disk that are to stay free."""
        return retention(self._entry).floor

    def asked_for(self) -> frozenset[str]:
        """Clips that a release or an open request is about; blocks."""
        return frozenset({*self._released(), *(clip for _, clip in self._requested())})

    # --- the work, in the executor

    def _tend(self) -> Status:
        now, policy = dt_util.utcnow(), retention(self._entry)
        if not self._library.there:
            # what is written now may land on another disk; the next start says so
            self._hass.loop.call_soon_threadsafe(
                self._hass.config_entries.async_schedule_reload, self._entry.entry_id
            )
            raise StorageError("library_gone", folder=self._library.folder)
        if BACKUP not in self._hass.data:
            self._library.prune(
                policy,
                self._date_of(now),
                self._spared(policy),
                stays=self._rooms.holds.is_held,
                stop=self._is_over,
            )
            self._keep()
        usage = self._library.usage()
        held = sum(hold.size for hold in self._rooms.holds.held().values())
        weight = pressure(usage, held, policy)
        self._judge(weight)
        limit = policy.budget(usage.space)
        days_left = self._days_left(limit - usage.bytes, now)
        return Status(usage, limit, policy.floor, held, days_left, weight.full)

    def _date_of(self, now: datetime) -> datetime:
        if self._date is None:
            newest = self._library.clips(limit=1)
            self._date = HostDate(newest[0].start if newest else None)
        return self._date.now(now, monotonic(), kept_right=host_ntp() == "synchronised")

    def _is_over(self) -> bool:
        return BACKUP in self._hass.data or self._stop.is_set()

    def _keep(self) -> None:
        self._forget()
        try:
            self._rooms.holds.sync(self._is_over)
        except StorageError as error:
            self._hass.loop.call_soon_threadsafe(self._async_not_kept, error)
        else:
            self._tell("kept_failed", wanted=False)

    def _forget(self) -> None:
        """End holds of what a person deleted for good: a crash may have come in between."""
        for hold in self._rooms.holds.held().values():
            gone = self._library.deletion(hold.clip)
            if gone and gone.until is None and gone.reason == PERSON:
                for holder in hold.holders:
                    self._rooms.holds.let_go(hold.clip, holder, "")

    @callback
    def _async_not_kept(self, error: StorageError) -> None:
        async_report(self._hass, "kept_failed", reason=error_text(self._hass, error).rstrip("."))

    def _judge(self, weight: Pressure) -> None:
        self._library.refuses = "library_full" if weight.full else None
        percent = f"{100 * min(weight.share, 1):.0f}"
        self._tell("library_full", wanted=weight.full, percent=percent)
        self._tell("holds_filling", wanted=weight.high and not weight.full, percent=percent)
        broken = self._library.unreadable
        first = str(broken[0]) if broken else ""
        self._tell("library_unreadable", wanted=bool(broken), count=str(len(broken)), file=first)

    def _tell(self, issue: str, *, wanted: bool, **placeholders: str) -> None:
        if wanted:
            tell = partial(async_report, self._hass, issue, **placeholders)
        else:
            tell = partial(async_clear, self._hass, issue)
        self._hass.loop.call_soon_threadsafe(tell)

    def _spared(self, policy: RetentionPolicy) -> frozenset[str]:
        """What stays: all that people hold or approved; of what is asked for, a share.

        It is one of the room that holds leave: both together must not push out what is new.
        """
        holds = self._rooms.holds.held()
        stays = {*holds, *self._released()}
        held = sum(hold.size for hold in holds.values())
        room = max(0, policy.budget(self._library.usage().space) - held)
        wanted = (
            (agency, clip)
            for agency, clip_id in self._requested()
            if clip_id not in stays and (clip := self._library.get(clip_id)) is not None
        )
        return frozenset(stays | spare(wanted, room))

    def _released(self) -> Iterator[str]:
        for release in self._rooms.releases.all():
            if release.state in LIVE:
                yield from (clip["clip"] for clip in release.statement["clips"])

    def _requested(self) -> Iterator[tuple[str, str]]:
        """Agency and clip of each request that is open, newest first."""
        for view in self._rooms.inbox.requests(dt_util.utcnow()):
            if view.state in {"open", "quarantined"}:
                yield from ((view.agency.id, clip) for clip in view.assessment.clips)

    def _days_left(self, room: int, now: datetime) -> float | None:
        """Days until the room is used up at the pace of the last week; unknown on the first day."""
        recorded, oldest = self._library.recorded_since(now - _RATE)
        if not recorded or oldest is None or now - oldest < _SURE:
            return None
        per_day = recorded / ((now - oldest) / timedelta(days=1))
        return max(room, 0) / per_day

    # --- reading in what the index doesn't know

    @callback
    def async_read_in(self) -> None:
        """Read the clips that the index has lost, or that somebody put into the folder."""
        if self._library.unread and self.indexing is None:
            self.indexing = (0, self._library.unread)
            self._async_work(self._async_read_in(), "read clips")

    async def _async_read_in(self) -> None:
        LOGGER.info("Reading %d clips that the index doesn't know", self._library.unread)
        try:
            await self._hass.async_add_executor_job(
                self._library.catch_up, self._progress, self._stop.is_set
            )
        except StorageError as error:
            LOGGER.warning("Reading the library stopped: %s", error)
        finally:
            self.indexing = None
        self.found()
        self.async_soon()
        async_dispatcher_send(self._hass, SIGNAL_DESK)

    def _progress(self, done: int, total: int) -> None:
        self._hass.loop.call_soon_threadsafe(self._async_progress, done, total)

    @callback
    def _async_progress(self, done: int, total: int) -> None:
        if self.indexing is not None:
            self.indexing = (done, total)
            async_dispatcher_send(self._hass, SIGNAL_DESK)

    @callback
    def _async_work(self, work: Coroutine[None, None, None], name: str) -> None:
        task = self._entry.async_create_background_task(self._hass, work, f"{DOMAIN} {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def retention(entry: ConfigEntry) -> RetentionPolicy:
    """Say what a person wants kept, in total and of each doorbell."""
    doorbells = {
        key: Limits(days=subentry.data.get(CONF_KEEP_DAYS), max_bytes=_bytes(subentry.data))
        for key, subentry in entry.subentries.items()
        if subentry.subentry_type == SUBENTRY_DOORBELL
    }
    return replace(household_policy(entry.options), doorbells=doorbells)


def _bytes(data: Mapping[str, Any]) -> int | None:
    asked = data.get(CONF_MAX_GB)
    return None if asked is None else int(asked * GB)
