"""The rooms of one household, opened: what desk and queries work with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .const import CONF_APPROVERS, CONF_LIBRARY, DOMAIN, REVIEW_CACHE
from .disclosure import store as releases_store
from .disclosure.store import Releases
from .doorbells import switches
from .doorbells.manager import Doorbells
from .doorbells.switches import Switches
from .footage.clip import Clip
from .footage.library import Library
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
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """Every room; `folder` is where the household's own small files lie."""

    hass: HomeAssistant
    folder: Path
    database: Database
    ledger: Ledger
    library: Library
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
        library = Library(
            Path(entry.data[CONF_LIBRARY]), lambda clip: _seal(database, ledger, clip)
        )
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


def _seal(database: Database, ledger: Ledger, clip: Clip) -> None:
    """Write a closed clip's seal to the ledger, once."""
    known = ledger.entries(subject=clip.id, limit=1)
    if known and known[0].facts.get("root") == clip.root:
        return
    with database.transaction() as tx:
        ledger.append(tx, "clip_sealed", clip.id, {"root": clip.root, "event": clip.event})


def _or(own: float | None, homes: float) -> float:
    return homes if own is None else own
