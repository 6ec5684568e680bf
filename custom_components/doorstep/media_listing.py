"""What lies in each folder of the media browser: doorbells, days, hours, clips, pictures."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from homeassistant.components.media_source import BrowseMediaSource
from homeassistant.util import dt as dt_util

from .footage.clip import Clip
from .footage.library import Library
from .footage.pictures import moments
from .media_identifier import Identifier
from .media_items import Names, clip_item, folder, local_time, picture_item, pictured
from .paths import thumbnail_path

AT_ONCE: Final = 100
"""Clips of a day that are listed without a folder for each hour."""
PAGE: Final = 200
"""Clips of an hour that are listed before a folder with more."""
_QUARTER: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Listing:
    """Reads the library; everything blocks."""

    library: Library
    names: Names

    def open(self, identifier: Identifier) -> BrowseMediaSource:
        """List a folder. StorageError where its files can't be read."""
        if not identifier.doorbell:
            return folder(identifier, "Doorstep", self._doorbells(), searchable=True)
        name = self.names.doorbell(identifier.doorbell)
        if identifier.day is None:
            return folder(identifier, name, self._days(identifier), searchable=True)
        clip = self.library.get(identifier.clip) if identifier.clip else None
        if clip is not None and pictured(clip):
            title = f"{name} {local_time(clip.event_at)}"
            return folder(identifier, title, _pictures(identifier, clip))
        if identifier.hour is not None:
            title = f"{name} {local_time(identifier.hour, '%H:%M')}"
            return folder(identifier, title, self._page(identifier, identifier.hour))
        title = f"{name} {self.names.day(identifier.day)}"
        return folder(identifier, title, self._day(identifier), searchable=True)

    def _doorbells(self) -> list[BrowseMediaSource]:
        """List those there are, then those that were removed and left clips."""
        found = [*self.names.bells, *self.library.doorbells()]
        return [
            folder(
                Identifier(doorbell=doorbell),
                self.names.doorbell(doorbell),
                thumbnail=_newest(self.library.clips(doorbell, limit=1)),
            )
            for doorbell in dict.fromkeys(found)
        ]

    def _days(self, identifier: Identifier) -> list[BrowseMediaSource]:
        days = self.library.days(identifier.doorbell, dt_util.get_default_time_zone())
        return [folder(replace(identifier, day=day), self.names.day(day)) for day in days]

    def _day(self, identifier: Identifier) -> list[BrowseMediaSource]:
        """List a day's clips, or its hours where there are too many."""
        assert identifier.day is not None
        start = dt_util.start_of_local_day(identifier.day)
        end = dt_util.start_of_local_day(identifier.day + timedelta(days=1))
        clips = self.library.clips(identifier.doorbell, start, end, AT_ONCE + 1)
        if len(clips) <= AT_ONCE:
            return self._clips(clips)
        zone = dt_util.get_default_time_zone()
        return [
            self._hour(identifier, hour, count)
            for hour, count in self.library.hours(identifier.doorbell, identifier.day, zone)
        ]

    def _hour(self, identifier: Identifier, hour: datetime, count: int) -> BrowseMediaSource:
        newest = self.library.clips(identifier.doorbell, hour, hour_end(hour), 1)
        return folder(
            Identifier(doorbell=identifier.doorbell, day=identifier.day, hour=hour),
            f"{local_time(hour, '%H:%M')} ({count})",
            thumbnail=_newest(newest),
        )

    def _page(self, identifier: Identifier, hour: datetime) -> list[BrowseMediaSource]:
        page = identifier.number or 0
        clips = self.library.clips(
            identifier.doorbell, hour, hour_end(hour), PAGE + 1, offset=page * PAGE
        )
        shown = self._clips(clips[:PAGE])
        if len(clips) > PAGE:
            more = replace(identifier, number=page + 1)
            shown.append(folder(more, self.names.texts["media_more"]))
        return shown

    def _clips(self, clips: Iterable[Clip]) -> list[BrowseMediaSource]:
        return [clip_item(clip, self.names.clip(clip)) for clip in clips]


def hour_end(start: datetime) -> datetime:
    """Find when an hour of the home's ends: sooner where clocks are set by half an hour."""
    zone = dt_util.get_default_time_zone()

    def name(time: datetime) -> tuple[int, timedelta | None]:
        local = time.astimezone(zone)
        return local.hour, local.utcoffset()

    end = start + _QUARTER
    while name(end) == name(start):
        end += _QUARTER
    return end


def _pictures(identifier: Identifier, clip: Clip) -> list[BrowseMediaSource]:
    return [
        picture_item(clip, replace(identifier, number=number), time)
        for number, time in enumerate(moments(clip))
    ]


def _newest(clips: list[Clip]) -> str | None:
    return thumbnail_path(clips[0].id) if clips else None
