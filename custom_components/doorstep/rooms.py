"""The rooms of one household, opened: what desk and queries work with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .clip_log import ClipLog
from .const import CONF_APPROVERS, CONF_LIBRARY, DOMAIN, KEPT, LOGGER, REVIEW_CACHE
from .disclosure import store as releases_store
from .disclosure.store import Releases
from .doorbells import switches
from .doorbells.manager import Doorbells
from .doorbells.switches import Switches
from .errors import StorageError
from .footage import holds as holds_store, place as place_store
from .footage.holds import Holds
from .footage.library import Library
from .footage.place import check_place
from .inbox import store as inbox_store
from .inbox.store import Inbox
from .inbox.values import Doorbell, Home
from .ledger import log, outbox
from .ledger.database import Database
from .ledger.log import Ledger
from .review import Review

SCHEMAS: Final = (
    log.SCHEMA,
    outbox.SCHEMA,
    inbox_store.SCHEMA,
    releases_store.SCHEMA,
    switches.SCHEMA,
    holds_store.SCHEMA,
    place_store.SCHEMA,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Every room; `folder` is where the household's own small files lie."""

    hass: HomeAssistant
    folder: Path
    database: Database
    ledger: Ledger
    library: Library
    holds: Holds
    clip_log: ClipLog
    inbox: Inbox
    releases: Releases
    review: Review
    doorbells: Doorbells

    def home(self) -> Home:
        """Say where the home is and what it has, just now."""
        config = self.hass.config
        return Home(
            latitude=config.latitude,
            longitude=config.longitude,
            doorbells=tuple(
                Doorbell(
                    id=bell.id,
                    name=bell.name,
                    latitude=_or(bell.settings.latitude, config.latitude),
                    longitude=_or(bell.settings.longitude, config.longitude),
                    indoor=bell.settings.indoor,
                )
                for bell in self.doorbells
            ),
            clips=self.library.between,
        )

    def close(self) -> None:
        """Close what is open on the disk; blocks."""
        self.library.close()
        self.database.close()


def open_rooms(hass: HomeAssistant, entry: ConfigEntry) -> Rooms:
    """Open database, log and library; blocks. A DoorstepError says why that can't be."""
    folder = Path(hass.config.path(DOMAIN))
    database = Database(folder / "doorstep.db", SCHEMAS)
    try:
        ledger = Ledger(database, folder / "ledger.key", dt_util.utcnow)
        _welcome(database, ledger, entry)
        clip_log = ClipLog(database, ledger)
        place = Path(entry.data[CONF_LIBRARY])
        check_place(database, place)
        holds = Holds(database, ledger, place, folder / KEPT / "clips", dt_util.utcnow)
        _bring_back(holds)
        library = Library(place, clip_log.sealed, dt_util.utcnow, on_deleted=clip_log.deleted)
    except BaseException:
        database.close()
        raise
    inbox = Inbox(database, ledger)
    releases = Releases(database, ledger, inbox.answered)
    cache = Path(hass.config.cache_path(REVIEW_CACHE))
    return Rooms(
        hass=hass,
        folder=folder,
        database=database,
        ledger=ledger,
        library=library,
        holds=holds,
        clip_log=clip_log,
        inbox=inbox,
        releases=releases,
        review=Review(cache, inbox, releases, library),
        doorbells=Doorbells(
            hass,
            entry.entry_id,
            library,
            get_ffmpeg_manager(hass).binary,
            Switches(database, ledger),
        ),
    )


def _welcome(database: Database, ledger: Ledger, entry: ConfigEntry) -> None:
    """Write down, once, that this household was set up and who decides."""
    if ledger.entries(subject=entry.entry_id, limit=1):
        return
    approvers = list(entry.data[CONF_APPROVERS])
    facts, private = {"approvers": len(approvers)}, {"users": approvers}
    with database.transaction() as tx:
        ledger.append(tx, "household_set_up", entry.entry_id, facts, private)


def _bring_back(holds: Holds) -> None:
    """Give the library again what people hold and it has lost; a backup may have been restored."""
    try:
        if count := holds.bring_back():
            LOGGER.warning("%d held clips were missing from the library, and are back", count)
    except StorageError as error:
        # they stay safe where they are; the next start tries again
        LOGGER.warning("Held clips could not be brought back: %s", error)


def _or(own: float | None, homes: float) -> float:
    return homes if own is None else own
