"""What the forms about room on the disk say: how much there is, and what limits would do."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .const import (
    CAPTURE_STILLS,
    CONF_CAPTURE,
    CONF_KEEP_DAYS,
    CONF_LIBRARY,
    CONF_MAX_GB,
    SUBENTRY_DOORBELL,
)
from .doorbells.model import Settings
from .footage.files import storage
from .footage.folder import Space, Usage, space
from .footage.retention import Estimate, RetentionPolicy, estimate
from .limits import GB
from .texts import async_texts

EVENTS: Final = 20
"""A day: a house at a street that isn't quiet."""

_STREAM: Final = 500_000  # bytes a second: 4 Mbit
_STILLS: Final = 100_000  # a picture of 200 kB every two seconds
_MB: Final = 10**6
_EXACT: Final = 9.95  # numbers below are told with one decimal
_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long clips may stay, in days, and how many bytes they may take together."""

    days: float
    bytes: int

    def of_doorbell(self, data: Mapping[str, Any]) -> Self:
        """Narrow them, or let clips stay longer, as a doorbell's own limits say."""
        own = data.get(CONF_MAX_GB)
        most = self.bytes if own is None else min(self.bytes, int(own * GB))
        return type(self)(float(data.get(CONF_KEEP_DAYS, self.days)), most)


@dataclass(frozen=True, slots=True)
class Room:
    """The disk, the bytes that clips take of it, and the day (UTC) of the oldest."""

    space: Space
    used: int
    oldest: date | None

    @property
    def within_reach(self) -> int:
        """Bytes that clips and free space have between them."""
        return self.used + self.space.free

    def bounds(self, policy: RetentionPolicy) -> Bounds:
        """Work out what a policy comes to here."""
        most = min(policy.budget(self.space), self.within_reach - policy.floor)
        return Bounds(policy.days, max(0, most))


async def async_look(
    hass: HomeAssistant, folder: Path, entry: ConfigEntry | None, doorbell: str | None = None
) -> Room:
    """See how much room there is, and what all clips or a DOORBELL's take; StorageError.

    The library that runs knows its size. What lies in any other folder is added up.
    """
    if entry and entry.state is ConfigEntryState.LOADED and _is_at(entry, folder) and not doorbell:
        usage = await hass.async_add_executor_job(entry.runtime_data.rooms.library.usage)
        return await hass.async_add_executor_job(_look, folder, None, usage)
    return await hass.async_add_executor_job(_look, folder, doorbell, None)


def _is_at(entry: ConfigEntry, folder: Path) -> bool:
    return Path(entry.data[CONF_LIBRARY]) == folder


def _look(folder: Path, doorbell: str | None, usage: Usage | None) -> Room:
    days = dict(_days(folder.glob(f"{doorbell or '*'}/????-??-??/")))
    oldest = min(days.values(), default=None)
    if usage:
        return Room(usage.space, usage.bytes, oldest)
    with storage():
        used = sum(file.stat().st_size for day in days for file in day.iterdir())
    return Room(space(folder), used, oldest)


def _days(folders: Iterable[Path]) -> Iterable[tuple[Path, date]]:
    for folder in folders:
        with suppress(ValueError):  # somebody else's folder
            yield folder, date.fromisoformat(folder.name)


def takes(of: list[Mapping[str, Any]], room: int) -> Estimate:
    """Work out what clips of these doorbells take, and for how long there is ROOM (bytes).

    Without any, it is one that records a stream with lengths as they come.
    """
    each = sum(
        (_STILLS if data.get(CONF_CAPTURE) == CAPTURE_STILLS else _STREAM) * _seconds(data)
        for data in of or [{}]
    )
    return estimate(each, 1, EVENTS, room)


def _seconds(data: Mapping[str, Any]) -> float:
    settings = Settings.of(data)
    is_stills = data.get(CONF_CAPTURE) == CAPTURE_STILLS
    return settings.post_roll + (0 if is_stills else settings.pre_roll)


def doorbells(entry: ConfigEntry | None) -> list[Mapping[str, Any]]:
    """List the data of the household's doorbells."""
    found = entry.get_subentries_of_type(SUBENTRY_DOORBELL) if entry else ()
    return [subentry.data for subentry in found]


@callback
def async_room_text(
    hass: HomeAssistant, room: Room, bounds: Bounds, of: list[Mapping[str, Any]], *, running: bool
) -> str:
    """Say how large the disk is, what clips take, and how long the room will last."""
    texts, day = async_texts(hass), takes(of, bounds.bytes)
    keys = ["storage_disk"]
    if room.oldest:
        keys.append("storage_holds" if running else "storage_found")
    keys.append("storage_takes_all" if len(of) > 1 else "storage_takes")
    values = {
        "total": size(room.space.total),
        "free": size(room.space.free),
        "used": size(room.used),
        "oldest": room.oldest,
        "events": EVENTS,
        "seconds": round(_seconds(of[0] if of else {})),
        "doorbells": len(of),
        "day": size(day.per_day),
        "room": size(bounds.bytes),
        "days": short(day.days),
    }
    return "\n\n".join(texts[key].format(**values) for key in keys)


@callback
def async_concerns(
    hass: HomeAssistant, room: Room, new: Bounds, old: Bounds | None, of: list[Mapping[str, Any]]
) -> str:
    """Say what NEW limits would delete that the OLD ones keep, and whether they keep a day."""
    texts, day = async_texts(hass), takes(of, new.bytes)
    said = []
    if day.days < 1:
        hours = short(day.days * _HOURS)
        said.append(("storage_tight", {"events": EVENTS, "hours": hours}))
    if room.used > new.bytes and (old is None or new.bytes < old.bytes):
        said.append(("storage_shrinks", {"used": size(room.used)}))
    first = dt_util.utcnow() - timedelta(days=new.days)
    is_older = room.oldest is not None and room.oldest < first.date()
    if is_older and (old is None or new.days < old.days):
        said.append(("storage_expires", {"days": round(new.days), "oldest": room.oldest}))
    room_text = {"room": size(new.bytes), "gone": size(max(0, room.used - new.bytes))}
    return "\n\n".join(texts[key].format(**room_text, **values) for key, values in said)


def size(count: float) -> str:
    """Tell bytes as people do."""
    return f"{short(count / _MB)} MB" if count < GB else f"{short(count / GB)} GB"


def short(value: float) -> str:
    """As many digits as such an estimate has."""
    return f"{value:.1f}" if 0 < value < _EXACT else f"{value:.0f}"
