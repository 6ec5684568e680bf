"""Clips in the media browser: doorbell, day, clip."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self, override

from homeassistant.components.media_player import BrowseError, MediaClass, MediaType
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .data import DoorstepConfigEntry, async_entry
from .footage.clip import Clip
from .paths import clip_path, picture_path

_MOST: Final = 1000
"""Clips of one day that are listed: more than that no browser shows."""


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Return the one media source."""
    return DoorstepMediaSource(hass)


@dataclass(frozen=True, slots=True)
class Identifier:
    """`<doorbell>`, `<doorbell>/<day>` or `<doorbell>/<day>/<clip>`; all empty is the root."""

    doorbell: str = ""
    day: date | None = None
    clip: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an identifier; ValueError when it can't be one."""
        doorbell, _, rest = text.partition("/")
        day, _, clip = rest.partition("/")
        parsed = date.fromisoformat(day) if day else None
        if parsed == date.max:
            raise ValueError(day)
        return cls(doorbell, parsed, clip)

    def __str__(self) -> str:
        """Write it again."""
        parts = [self.doorbell, self.day.isoformat() if self.day else "", self.clip]
        return "/".join(part for part in parts if part)


class DoorstepMediaSource(MediaSource):
    """What the library holds."""

    name = "Doorstep"

    def __init__(self, hass: HomeAssistant) -> None:
        """Serve the household's library."""
        super().__init__(DOMAIN)
        self.hass = hass

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """List doorbells, days or clips."""
        entry = async_entry(self.hass)
        if entry is None:
            raise BrowseError(translation_domain=DOMAIN, translation_key="not_loaded")
        try:
            identifier = Identifier.parse(item.identifier or "")
        except ValueError as error:
            raise BrowseError(translation_domain=DOMAIN, translation_key="no_such_clip") from error
        title, children = await self._async_children(entry, identifier)
        return _folder(identifier, title, children)

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Turn a clip into its authenticated address."""
        entry = async_entry(self.hass)
        clip_id = item.identifier.rpartition("/")[2]
        clip = await entry.runtime_data.async_clip(clip_id) if entry else None
        if not clip:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="no_such_clip")
        return PlayMedia(clip_path(clip.id), "video/mp4", path=clip.video)

    async def _async_children(
        self, entry: DoorstepConfigEntry, identifier: Identifier
    ) -> tuple[str, list[BrowseMediaSource]]:
        data = entry.runtime_data
        if not identifier.doorbell:
            return self.name, [
                _folder(Identifier(doorbell.id), doorbell.name) for doorbell in data.rooms.doorbells
            ]
        doorbell = data.rooms.doorbells.get(identifier.doorbell)
        name = doorbell.name if doorbell else identifier.doorbell
        if identifier.day is None:
            days = await self.hass.async_add_executor_job(
                data.rooms.library.days, identifier.doorbell, dt_util.get_default_time_zone()
            )
            return name, [
                _folder(Identifier(identifier.doorbell, day), day.isoformat()) for day in days
            ]
        start = dt_util.start_of_local_day(identifier.day)
        end = dt_util.start_of_local_day(identifier.day + timedelta(days=1))
        clips = await self.hass.async_add_executor_job(
            data.rooms.library.clips, identifier.doorbell, start, end, _MOST
        )
        return f"{name} {identifier.day.isoformat()}", [
            _clip(identifier.day, clip) for clip in clips
        ]


def _folder(
    identifier: Identifier, title: str, children: list[BrowseMediaSource] | None = None
) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=str(identifier),
        media_class=MediaClass.DIRECTORY,
        media_content_type=MediaType.VIDEO,
        title=title,
        can_play=False,
        can_expand=True,
        children=children,
        children_media_class=MediaClass.VIDEO if identifier.day else MediaClass.DIRECTORY,
    )


def _clip(day: date, clip: Clip) -> BrowseMediaSource:
    local = dt_util.as_local(clip.event_at)
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=str(Identifier(clip.doorbell, day, clip.id)),
        media_class=MediaClass.VIDEO,
        media_content_type="video/mp4",
        title=f"{local:%H:%M:%S} {clip.event} ({clip.seconds:.0f} s)",
        can_play=True,
        can_expand=False,
        thumbnail=picture_path(clip.id),
    )
