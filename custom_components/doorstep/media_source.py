"""Clips in the media browser: doorbell, day, clip; of a clip of pictures, each picture."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
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
from .errors import StorageError
from .footage.clip import Clip
from .footage.library import Library
from .footage.pictures import is_pictures, moments
from .paths import clip_path, picture_path, still_path

_MOST: Final = 1000
"""Clips of one day that are listed: more than that no browser shows."""


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Return the one media source."""
    return DoorstepMediaSource(hass)


@dataclass(frozen=True, slots=True)
class Identifier:
    """`<doorbell>/<day>/<clip>/<picture>`, or the beginning of one; all empty is the root."""

    doorbell: str = ""
    day: date | None = None
    clip: str = ""
    picture: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an identifier; ValueError when it can't be one."""
        doorbell, _, rest = text.partition("/")
        day, _, rest = rest.partition("/")
        clip, _, picture = rest.partition("/")
        parsed = date.fromisoformat(day) if day else None
        if parsed == date.max:
            raise ValueError(day)
        return cls(doorbell, parsed, clip, int(picture) if picture else None)

    def __str__(self) -> str:
        """Write it again."""
        day = self.day.isoformat() if self.day else ""
        picture = "" if self.picture is None else str(self.picture)
        return "/".join(part for part in (self.doorbell, day, self.clip, picture) if part)


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
        try:
            identifier = Identifier.parse(item.identifier)
        except ValueError as error:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="no_such_clip") from error
        clip = await entry.runtime_data.async_clip(identifier.clip) if entry else None
        if not clip:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="no_such_clip")
        if identifier.picture is not None:
            return PlayMedia(still_path(clip.id, identifier.picture), "image/jpeg")
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
        clip = await data.async_clip(identifier.clip) if identifier.clip else None
        if clip is not None:
            stills: bool = await self.hass.async_add_executor_job(is_pictures, clip)
            if stills:
                pictures = await self._async_pictures(identifier, clip)
                return f"{name} {_time(clip.event_at)}", pictures
        clips = await self.hass.async_add_executor_job(_clips, data.rooms.library, identifier)
        return f"{name} {identifier.day.isoformat()}", clips

    async def _async_pictures(self, identifier: Identifier, clip: Clip) -> list[BrowseMediaSource]:
        try:
            times = await self.hass.async_add_executor_job(moments, clip)
        except StorageError as error:
            raise BrowseError(translation_domain=DOMAIN, translation_key="no_such_clip") from error
        return [_picture(identifier, number, time) for number, time in enumerate(times)]


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
        children_media_class=_children_class(identifier, children),
    )


def _children_class(identifier: Identifier, children: list[BrowseMediaSource] | None) -> MediaClass:
    if children and children[0].media_class is MediaClass.IMAGE:
        return MediaClass.IMAGE
    return MediaClass.VIDEO if identifier.day else MediaClass.DIRECTORY


def _clips(library: Library, identifier: Identifier) -> list[BrowseMediaSource]:
    """List a day's clips; those no browser plays are folders of their pictures. Blocks."""
    assert identifier.day is not None
    start = dt_util.start_of_local_day(identifier.day)
    end = dt_util.start_of_local_day(identifier.day + timedelta(days=1))
    found = library.clips(identifier.doorbell, start, end, _MOST)
    return [_clip(identifier.day, clip, stills=is_pictures(clip)) for clip in found]


def _clip(day: date, clip: Clip, *, stills: bool) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=str(Identifier(clip.doorbell, day, clip.id)),
        media_class=MediaClass.DIRECTORY if stills else MediaClass.VIDEO,
        media_content_type=MediaType.IMAGE if stills else "video/mp4",
        title=f"{_time(clip.event_at)} {clip.event} ({clip.seconds:.0f} s)",
        can_play=not stills,
        can_expand=stills,
        thumbnail=picture_path(clip.id),
        children_media_class=MediaClass.IMAGE if stills else None,
    )


def _picture(clip: Identifier, number: int, time: datetime) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=str(replace(clip, picture=number)),
        media_class=MediaClass.IMAGE,
        media_content_type="image/jpeg",
        title=_time(time),
        can_play=True,
        can_expand=False,
        thumbnail=still_path(clip.clip, number),
    )


def _time(time: datetime) -> str:
    return f"{dt_util.as_local(time):%H:%M:%S}"
