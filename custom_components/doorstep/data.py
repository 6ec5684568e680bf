"""What one household consists of while it runs."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .approvers import Approvers
from .const import DOMAIN
from .coordinator import Feeds
from .desk import Desk
from .disclosure.store import LIVE
from .footage.clip import Clip
from .footage.retention import RetentionPolicy
from .inbox.web import TEST_MODE, session
from .notifications import Notifier
from .problems import async_clear, async_report
from .queries import Queries
from .rooms import Rooms, open_rooms
from .texts import async_load

type DoorstepConfigEntry = ConfigEntry[DoorstepData]

PRUNE: Final = timedelta(hours=1)
_SPARED_SHARE: Final = 0.25


@dataclass(slots=True, kw_only=True)
class DoorstepData:
    """The rooms, furnished."""

    rooms: Rooms
    feeds: Feeds
    desk: Desk
    queries: Queries
    approvers: Approvers
    pruning_paused: bool = False
    _following: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopped: bool = False

    async def async_start(self, entry: DoorstepConfigEntry) -> None:
        """Start recording, reading and deciding."""
        notifier = Notifier(self.rooms.hass, self.approvers, self.desk.async_decline)
        entry.async_on_unload(notifier.async_listen())
        entry.async_on_unload(
            async_track_time_interval(
                self.rooms.hass, self._async_prune, PRUNE, cancel_on_shutdown=True
            )
        )
        entry.async_on_unload(
            self.rooms.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_shut_down)
        )
        await self.desk.async_start(notifier)
        await self.async_follow(entry)
        # phones can be reached only once their own integration is up
        entry.async_on_unload(async_at_started(self.rooms.hass, self.desk.async_remind))

    async def async_follow(self, entry: DoorstepConfigEntry) -> None:
        """Make doorbells and feeds what the subentries say; one change after the other."""
        async with self._following:
            if self._stopped:
                return
            # as they are now, not when somebody had to wait for another change
            await self.rooms.doorbells.async_follow(entry.subentries)
        await self.feeds.async_follow(entry)
        self.desk.async_changed()

    async def async_clip(self, clip: str) -> Clip | None:
        """Find a clip in the library."""
        return await self.rooms.hass.async_add_executor_job(self.rooms.library.get, clip)

    async def async_stop(self) -> None:
        """Close every room, in the order in which they depend on each other."""
        await self.feeds.async_stop()
        async with self._following:
            self._stopped = True
            await self.rooms.doorbells.async_stop()
        await self.desk.async_stop()
        await self.rooms.hass.async_add_executor_job(self.rooms.close)

    async def _async_shut_down(self, _event: Event) -> None:
        """Close open clips and stop deliveries while Home Assistant still runs."""
        await self.async_stop()

    async def _async_prune(self, _now: object) -> None:
        if not self.pruning_paused:
            await self.rooms.hass.async_add_executor_job(self._prune)

    def _prune(self) -> None:
        """Delete what retention doesn't keep; each deletion is in the ledger."""
        now, policy = dt_util.utcnow(), RetentionPolicy()
        for clip, reason in self.rooms.library.prune(policy, now, self._spared(now, policy)):
            with self.rooms.database.transaction() as tx:
                self.rooms.ledger.append(tx, "clip_deleted", clip.id, {"reason": reason})

    def _spared(self, now: datetime, policy: RetentionPolicy) -> frozenset[str]:
        """Clips that are asked for just now, newest requests first, within a quarter of the room.

        What is approved stays until it is packed, whatever it weighs.
        """
        spared = {
            clip["clip"]
            for release in self.rooms.releases.all()
            if release.state in LIVE
            for clip in release.statement["clips"]
        }
        left = policy.max_bytes * _SPARED_SHARE
        for view in self.rooms.inbox.requests(now):
            if view.state not in {"open", "quarantined"}:
                continue
            for clip in map(self.rooms.library.get, view.assessment.clips):
                if clip and clip.id not in spared and clip.size <= left:
                    left -= clip.size
                    spared.add(clip.id)
        return frozenset(spared)


@callback
def async_entry(hass: HomeAssistant) -> DoorstepConfigEntry | None:
    """Return the household's entry while it is loaded."""
    return next(iter(hass.config_entries.async_loaded_entries(DOMAIN)), None)


async def async_build(hass: HomeAssistant, entry: DoorstepConfigEntry) -> DoorstepData:
    """Open the rooms; a DoorstepError says why that can't be."""
    await async_load(hass)
    rooms = await hass.async_add_executor_job(open_rooms, hass, entry)
    if TEST_MODE:
        async_report(hass, "test_mode")
    else:
        async_clear(hass, "test_mode")
    client = session()
    desk = Desk(rooms, client)
    rooms.doorbells.on_clip = desk.async_settle_soon
    return DoorstepData(
        rooms=rooms,
        feeds=Feeds(
            hass,
            inbox=rooms.inbox,
            client=client,
            home=rooms.home,
            read=desk.async_work,
            changed=desk.async_changed,
        ),
        desk=desk,
        queries=Queries(rooms, desk.sent),
        approvers=Approvers.of(hass, entry.data),
    )
