"""What one household consists of while it runs."""

import asyncio
from dataclasses import dataclass, field

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.start import async_at_started

from .approvers import Approvers
from .clip_desk import ClipDesk
from .clip_queries import ClipQueries
from .const import DOMAIN
from .coordinator import Feeds
from .desk import Desk
from .exports import Exports
from .footage.clip import Clip
from .inbox.web import TEST_MODE, session
from .notifications import Notifier
from .problems import async_clear, async_report
from .queries import Queries
from .rooms import Rooms, open_rooms
from .storage import Storage
from .texts import async_load

type DoorstepConfigEntry = ConfigEntry[DoorstepData]


@dataclass(slots=True, kw_only=True)
class DoorstepData:
    """The rooms, furnished."""

    rooms: Rooms
    feeds: Feeds
    desk: Desk
    queries: Queries
    approvers: Approvers
    storage: Storage
    clips: ClipQueries
    clip_desk: ClipDesk
    exports: Exports
    _following: asyncio.Lock = field(default_factory=asyncio.Lock)
    _stopped: bool = False

    async def async_start(self, entry: DoorstepConfigEntry) -> None:
        """Start recording, reading and deciding."""
        notifier = Notifier(self.rooms.hass, self.approvers, self.desk.async_decline)
        entry.async_on_unload(notifier.async_listen())
        entry.async_on_unload(
            self.rooms.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_shut_down)
        )
        await self.desk.async_start(notifier)
        await self.exports.async_start()
        self.rooms.doorbells.on_clip = self._async_clip
        self.storage.found = self.desk.async_settle_soon
        await self.async_follow(entry)
        self.storage.async_start()
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
        # limits may be others now
        self.storage.async_soon()
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
        await self.exports.async_stop()
        await self.storage.async_stop()
        await self.rooms.hass.async_add_executor_job(self.rooms.close)

    async def _async_shut_down(self, _event: Event) -> None:
        """Close open clips and stop deliveries while Home Assistant still runs."""
        await self.async_stop()

    @callback
    def _async_clip(self) -> None:
        """A clip was sealed: requests may wait for it, and the disk is fuller."""
        self.desk.async_settle_soon()
        self.storage.async_soon()


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
    storage = Storage(rooms, entry)
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
        queries=Queries(rooms, desk.sent, storage),
        approvers=Approvers.of(hass, entry.data),
        storage=storage,
        clips=ClipQueries(rooms, storage),
        clip_desk=ClipDesk(rooms, storage),
        exports=Exports(rooms, storage),
    )
