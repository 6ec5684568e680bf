"""What one household consists of while it runs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .approvers import Approvers
from .const import CONF_APPROVERS, CONF_LIBRARY, DOMAIN
from .coordinator import Feeds
from .desk import Desk
from .disclosure import store as releases_store
from .disclosure.courier import Courier, Ports
from .disclosure.store import LIVE, Release, Releases
from .doorbells.manager import Doorbells
from .footage.clip import Clip
from .footage.library import Library
from .footage.retention import RetentionPolicy
from .inbox import store as inbox_store
from .inbox.store import Inbox
from .inbox.values import Doorbell, Home
from .inbox.web import TEST_MODE, session
from .ledger import log, outbox
from .ledger.database import Database
from .ledger.log import Ledger
from .notifications import Notifier
from .problems import async_clear, async_report
from .queries import Queries
from .review import Review
from .shown import doorbell as shown_doorbell
from .texts import async_load

type DoorstepConfigEntry = ConfigEntry[DoorstepData]

PRUNE: Final = timedelta(hours=1)
_SPARED_SHARE: Final = 0.25
SCHEMAS: Final = (log.SCHEMA, outbox.SCHEMA, inbox_store.SCHEMA, releases_store.SCHEMA)


@dataclass(slots=True, kw_only=True)
class DoorstepData:
    """The rooms, furnished."""

    hass: HomeAssistant
    database: Database
    ledger: Ledger
    library: Library
    inbox: Inbox
    releases: Releases
    doorbells: Doorbells
    feeds: Feeds
    desk: Desk
    queries: Queries
    approvers: Approvers
    pruning_paused: bool = False

    async def async_start(self, entry: DoorstepConfigEntry) -> None:
        """Start recording, reading and deciding."""
        notifier = Notifier(self.hass, self.approvers, self.desk.async_decline)
        entry.async_on_unload(notifier.async_listen())
        entry.async_on_unload(
            async_track_time_interval(self.hass, self._async_prune, PRUNE, cancel_on_shutdown=True)
        )
        entry.async_on_unload(
            self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_shut_down)
        )
        await self.async_follow(entry)
        await self.desk.async_start(notifier)
        # phones can be reached only once their own integration is up
        entry.async_on_unload(async_at_started(self.hass, self.desk.async_remind))

    async def async_follow(self, entry: DoorstepConfigEntry) -> None:
        """Make doorbells and feeds what the subentries say."""
        await self.doorbells.async_follow(entry.subentries)
        await self.feeds.async_follow(entry)
        self.desk.async_changed()

    async def async_clip(self, clip: str) -> Clip | None:
        """Find a clip in the library."""
        return await self.hass.async_add_executor_job(self.library.get, clip)

    async def async_stop(self) -> None:
        """Close every room, in the order in which they depend on each other."""
        await self.feeds.async_stop()
        await self.doorbells.async_stop()
        await self.desk.async_stop()
        await self.hass.async_add_executor_job(self._close)

    def _close(self) -> None:
        self.library.close()
        self.database.close()

    async def _async_shut_down(self, _event: Event) -> None:
        """Close open clips and stop deliveries while Home Assistant still runs."""
        await self.async_stop()

    async def _async_prune(self, _now: object) -> None:
        if not self.pruning_paused:
            await self.hass.async_add_executor_job(self._prune)

    def _prune(self) -> None:
        """Delete what retention doesn't keep; each deletion is in the ledger."""
        now, policy = dt_util.utcnow(), RetentionPolicy()
        for clip, reason in self.library.prune(policy, now, self._spared(now, policy)):
            with self.database.transaction() as tx:
                self.ledger.append(tx, "clip_deleted", clip.id, {"reason": reason})

    def _spared(self, now: datetime, policy: RetentionPolicy) -> frozenset[str]:
        """Clips that are asked for just now, newest requests first, within a quarter of the room.

        What is approved stays until it is packed, whatever it weighs.
        """
        spared = {
            clip["clip"]
            for release in self.releases.all()
            if release.state in LIVE
            for clip in release.statement["clips"]
        }
        left = policy.max_bytes * _SPARED_SHARE
        for view in self.inbox.requests(now):
            if view.state not in {"open", "quarantined"}:
                continue
            for clip in map(self.library.get, view.assessment.clips):
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
    builder = _Builder(hass, entry)
    await hass.async_add_executor_job(builder.open)
    if TEST_MODE:
        async_report(hass, "test_mode")
    else:
        async_clear(hass, "test_mode")
    return builder.furnish()


class _Builder:
    """Opens what blocks, then puts it together in the event loop."""

    def __init__(self, hass: HomeAssistant, entry: DoorstepConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._own = Path(hass.config.path(DOMAIN))
        self._database: Database
        self._ledger: Ledger
        self._library: Library

    def open(self) -> None:
        """Open database, log and library; blocks."""
        self._database = Database(self._own / "doorstep.db", SCHEMAS)
        try:
            key = self._own / "ledger.key"
            self._ledger = Ledger(self._database, key, dt_util.utcnow)
            self._welcome()
            self._library = Library(Path(self._entry.data[CONF_LIBRARY]), self._seal)
        except BaseException:
            self._database.close()
            raise

    def _welcome(self) -> None:
        """Write down, once, that this household was set up and who decides."""
        if self._ledger.entries(subject=self._entry.entry_id, limit=1):
            return
        approvers = list(self._entry.data[CONF_APPROVERS])
        with self._database.transaction() as tx:
            self._ledger.append(
                tx,
                "household_set_up",
                self._entry.entry_id,
                {"approvers": len(approvers)},
                {"users": approvers},
            )

    def _seal(self, clip: Clip) -> None:
        """Write a closed clip's seal to the ledger, once."""
        known = self._ledger.entries(subject=clip.id, limit=1)
        if known and known[0].facts.get("root") == clip.root:
            return
        with self._database.transaction() as tx:
            self._ledger.append(
                tx, "clip_sealed", clip.id, {"root": clip.root, "event": clip.event}
            )

    def furnish(self) -> DoorstepData:
        """Put the rooms together."""
        hass, library, database = self._hass, self._library, self._database
        inbox = Inbox(database, self._ledger)
        releases = Releases(database, self._ledger)
        # beside the default library, not in it: these files are no clips
        cache = Path(hass.config.cache_path(f"{DOMAIN}_review"))
        review = Review(cache, inbox, releases, library)
        doorbells = Doorbells(hass, self._entry.entry_id, library, get_ffmpeg_manager(hass).binary)
        client = session()

        def home() -> Home:
            return Home(
                latitude=hass.config.latitude,
                longitude=hass.config.longitude,
                doorbells=tuple(
                    Doorbell(
                        id=bell.id,
                        name=bell.name,
                        latitude=hass.config.latitude,
                        longitude=hass.config.longitude,
                    )
                    for bell in doorbells
                ),
                clips=library.between,
            )

        def allowed(release: Release) -> str | None:
            return inbox.may_deliver(release.handle, dt_util.utcnow())

        def progress(release: str, sent: int, total: int) -> None:
            desk.async_progress(release, sent, total)

        ports = Ports(
            material=review.material,
            still_allowed=allowed,
            keys=lambda release: inbox.active_keys(release.statement["agency"]["id"]),
            progress=progress,
            now=dt_util.utcnow,
        )
        desk = Desk(
            hass,
            database=database,
            inbox=inbox,
            releases=releases,
            courier=Courier(releases, self._own / "kept", ports),
            review=review,
            client=client,
            home=home,
        )
        queries = Queries(
            hass,
            ledger=self._ledger,
            inbox=inbox,
            releases=releases,
            review=review,
            sent=desk.sent,
            home=home,
            bells=lambda: [shown_doorbell(bell) for bell in doorbells],
        )
        doorbells.on_clip = desk.async_settle_soon
        return DoorstepData(
            hass=hass,
            database=database,
            ledger=self._ledger,
            library=library,
            inbox=inbox,
            releases=releases,
            doorbells=doorbells,
            feeds=Feeds(
                hass,
                inbox=inbox,
                client=client,
                home=home,
                read=desk.async_work,
                changed=desk.async_changed,
            ),
            desk=desk,
            queries=queries,
            approvers=Approvers.of(hass, self._entry.data),
        )
