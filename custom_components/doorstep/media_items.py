"""What the media browser shows of folders, clips and pictures, and how it calls them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from homeassistant.components.media_player import MediaClass, MediaType
from homeassistant.components.media_source import BrowseMediaSource
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .errors import StorageError
from .footage.clip import Clip
from .footage.codecs import MJPEG
from .footage.pictures import codec
from .media_identifier import Identifier
from .paths import still_path, thumbnail_path

SEARCHED: Final = (MediaClass.VIDEO, MediaClass.IMAGE)
"""What a search can be narrowed to: films, and clips of pictures."""

_REMEMBERED: Final = 4096


@dataclass(frozen=True, slots=True)
class Names:
    """How doorbells, days and events are called; `bells` by id, as they are now."""

    bells: Mapping[str, str]
    texts: Mapping[str, str]

    def doorbell(self, doorbell: str) -> str:
        """Name a doorbell, also one that was removed."""
        return self.bells.get(doorbell) or f"{self.texts['removed_doorbell']} ({doorbell[-4:]})"

    def day(self, day: date) -> str:
        """Name a day of the home's."""
        key = {0: "media_today", 1: "media_yesterday"}.get((dt_util.now().date() - day).days)
        return f"{self.texts[key]} ({day.isoformat()})" if key else day.isoformat()

    def event(self, event: str) -> str:
        """Name a kind of event."""
        return self.texts.get(f"media_{event}", event)

    def clip(self, clip: Clip) -> str:
        """Name a clip among others of its day."""
        return f"{local_time(clip.event_at)} {self.event(clip.event)} ({clip.seconds:.0f} s)"

    def found(self, clip: Clip) -> str:
        """Name a clip among those of all days and doorbells."""
        day = dt_util.as_local(clip.event_at).date().isoformat()
        return f"{self.doorbell(clip.doorbell)}, {day} {self.clip(clip)}"


def folder(
    identifier: Identifier,
    title: str,
    children: Sequence[BrowseMediaSource] | None = None,
    *,
    thumbnail: str | None = None,
    searchable: bool = False,
) -> BrowseMediaSource:
    """Show a folder; `children` where it is the one that is open."""
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=str(identifier),
        media_class=MediaClass.DIRECTORY,
        media_content_type=MediaType.VIDEO,
        title=title,
        can_play=False,
        can_expand=True,
        children=children,
        children_media_class=_children_class(children),
        thumbnail=thumbnail,
        can_search=searchable,
        search_media_classes=list(SEARCHED) if searchable else None,
    )


def _children_class(children: Sequence[BrowseMediaSource] | None) -> MediaClass:
    """Say what is in a folder: pictures, else films where there is one, else folders."""
    classes = {child.media_class for child in children or ()}
    for one in (MediaClass.IMAGE, MediaClass.VIDEO):
        if one in classes:
            return one
    return MediaClass.DIRECTORY


def clip_item(clip: Clip, title: str) -> BrowseMediaSource:
    """Show a clip; one that no browser plays is a folder of its pictures. Blocks."""
    pictures = pictured(clip)
    day = dt_util.as_local(clip.start).date()
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=str(Identifier(doorbell=clip.doorbell, day=day, clip=clip.id)),
        media_class=MediaClass.DIRECTORY if pictures else MediaClass.VIDEO,
        media_content_type=MediaType.IMAGE if pictures else "video/mp4",
        title=title,
        can_play=not pictures,
        can_expand=pictures,
        thumbnail=thumbnail_path(clip.id),
        children_media_class=MediaClass.IMAGE if pictures else None,
    )


def picture_item(clip: Clip, identifier: Identifier, time: datetime) -> BrowseMediaSource:
    """Show one picture of a clip of pictures."""
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=str(identifier),
        media_class=MediaClass.IMAGE,
        media_content_type="image/jpeg",
        title=local_time(time),
        can_play=True,
        can_expand=False,
        thumbnail=still_path(clip.id, identifier.number),
    )


def pictured(clip: Clip) -> bool:
    """Whether a clip is made of pictures, which no browser plays; one file is read, once."""
    try:
        return _pictured(clip)
    except StorageError:
        return False


# A seal covers the codec: what was read once holds for a clip of the same seal. A failure isn't
# remembered.
@lru_cache(_REMEMBERED)
def _pictured(clip: Clip) -> bool:
    return codec(clip) == MJPEG


def local_time(time: datetime, form: str = "%H:%M:%S") -> str:
    """Tell the home's time of day; with the zone where clocks show it twice that day."""
    local = dt_util.as_local(time)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{local:{form} %Z}" if twice else f"{local:{form}}"
