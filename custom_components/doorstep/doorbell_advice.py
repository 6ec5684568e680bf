"""What the forms of a doorbell say about it: why stills, and how much room recording takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import CAPTURE_STILLS, CONF_CAPTURE, CONF_LIBRARY, CONF_MAX_GB
from .data import DoorstepConfigEntry
from .doorbells.candidates import Candidates
from .doorbells.model import Settings
from .errors import StorageError
from .footage.library import Library
from .footage.retention import RetentionPolicy, estimate
from .limits import household_policy
from .storage_advice import EVENTS, Bounds, Room, async_concerns, async_look, short, size
from .texts import async_texts

_MONTH: Final = 30  # days
_NEWEST: Final = 20  # clips that tell how much a camera sends
_MB: Final = 10**6
_STILL: Final = 2.0  # seconds from one still to the next


@callback
def async_capture_text(hass: HomeAssistant, found: Candidates) -> str:
    """Say what can be recorded of a camera, and why not more."""
    return async_texts(hass)[f"capture_{found.why or 'stream'}"]


async def async_estimate_text(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    data: Mapping[str, Any],
    *,
    rate: float | None = None,
    doorbell: str | None = None,
) -> str:
    """Say how much room recording takes, from the bytes a second that were measured.

    Without a measurement the newest clips of the doorbell tell.
    """
    texts, settings = async_texts(hass), Settings.of(data)
    if data.get(CONF_CAPTURE) == CAPTURE_STILLS:
        pictures = floor(settings.post_roll / _STILL) + 1
        return texts["estimate_stills"].format(pictures=pictures, seconds=round(settings.post_roll))
    if entry.state is not ConfigEntryState.LOADED:
        return texts["estimate_unknown"]
    library = entry.runtime_data.rooms.library
    try:
        if rate is None and doorbell:
            rate = await hass.async_add_executor_job(_recorded, library, doorbell)
        policy = household_policy(entry.options)
        bounds = await hass.async_add_executor_job(_room, library, policy)
    except StorageError:
        rate = None
    if not rate:
        return texts["estimate_unknown"]
    seconds = settings.pre_roll + settings.post_roll
    bounds = bounds.of_doorbell(data)
    takes = estimate(rate, seconds, EVENTS, bounds.bytes)
    return texts["estimate_limited" if CONF_MAX_GB in data else "estimate_stream"].format(
        rate=short(rate * 8 / _MB),
        seconds=round(seconds),
        clip=size(takes.per_clip),
        events=EVENTS,
        month=size(takes.per_day * _MONTH),
        room=size(bounds.bytes),
        days=short(min(takes.days, bounds.days)),
    )


@dataclass(frozen=True, slots=True)
class Lodging:
    """What a doorbell's clips take, and the household's bounds around its own."""

    room: Room
    household: Bounds

    def text(self, hass: HomeAssistant) -> str:
        """Say what holds where the doorbell has no limit of its own."""
        return async_texts(hass)["limits_doorbell"].format(
            used=size(self.room.used),
            days=round(self.household.days),
            room=size(self.household.bytes),
        )

    def concerns(
        self, hass: HomeAssistant, data: Mapping[str, Any], chosen: Mapping[str, Any]
    ) -> str:
        """Say what CHOSEN limits would delete that those in data keep."""
        old, new = self.household.of_doorbell(data), self.household.of_doorbell(chosen)
        return async_concerns(hass, self.room, new, old, [data])


async def async_lodging(hass: HomeAssistant, entry: ConfigEntry, doorbell: str) -> Lodging | None:
    """See what a doorbell's clips take; None where the folder can't be looked at just now."""
    folder = Path(entry.data[CONF_LIBRARY])
    try:
        everything = await async_look(hass, folder, entry)
        room = await async_look(hass, folder, entry, doorbell)
    except StorageError:
        return None
    return Lodging(room, everything.bounds(household_policy(entry.options)))


def _recorded(library: Library, doorbell: str) -> float | None:
    """Bytes a second of the newest clips; blocks."""
    clips = library.clips(doorbell, limit=_NEWEST)
    seconds = sum(clip.seconds for clip in clips)
    return sum(clip.size for clip in clips) / seconds if seconds else None


def _room(library: Library, policy: RetentionPolicy) -> Bounds:
    """How long clips stay, and the bytes that all of them together may take; blocks."""
    usage = library.usage()
    return Room(usage.space, usage.bytes, None).bounds(policy)
