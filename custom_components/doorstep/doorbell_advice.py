"""What the forms of a doorbell say about it: why stills, and how much room recording takes."""

from collections.abc import Mapping
from math import floor
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback

from .const import CAPTURE_STILLS, CONF_CAPTURE
from .data import DoorstepConfigEntry
from .doorbells.candidates import Candidates
from .doorbells.model import Settings
from .errors import StorageError
from .footage.library import Library
from .footage.retention import RetentionPolicy, estimate
from .texts import async_texts

_EVENTS: Final = 20  # a day: a house at a street that isn't quiet
_MONTH: Final = 30  # days
_NEWEST: Final = 20  # clips that tell how much a camera sends
_MB: Final = 10**6
_GB: Final = 10**9
_EXACT: Final = 9.95  # numbers below are told with one decimal
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
        room = await hass.async_add_executor_job(_room, library)
    except StorageError:
        rate = None
    if not rate:
        return texts["estimate_unknown"]
    seconds = settings.pre_roll + settings.post_roll
    takes = estimate(rate, seconds, _EVENTS, room)
    return texts["estimate_stream"].format(
        rate=_short(rate * 8 / _MB),
        seconds=round(seconds),
        clip=_size(takes.per_clip),
        events=_EVENTS,
        month=_size(takes.per_day * _MONTH),
        room=_size(room),
        days=_short(min(takes.days, RetentionPolicy().days)),
    )


def _recorded(library: Library, doorbell: str) -> float | None:
    """Bytes a second of the newest clips; blocks."""
    clips = library.clips(doorbell, limit=_NEWEST)
    seconds = sum(clip.seconds for clip in clips)
    return sum(clip.size for clip in clips) / seconds if seconds else None


def _room(library: Library) -> int:
    """Bytes that all clips together may take; blocks."""
    usage, policy = library.usage(), RetentionPolicy()
    return min(policy.budget(usage.space), max(0, usage.bytes + usage.space.free - policy.floor))


def _size(count: float) -> str:
    return f"{_short(count / _MB)} MB" if count < _GB else f"{_short(count / _GB)} GB"


def _short(value: float) -> str:
    """As many digits as such an estimate has."""
    return f"{value:.1f}" if value < _EXACT else f"{value:.0f}"
