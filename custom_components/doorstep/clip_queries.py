"""What people ask about clips: which days and hours have some, which there are, what is in them."""

from collections.abc import Collection
from datetime import date, datetime
from functools import partial

from homeassistant.util import dt as dt_util

from .encoding import format_time
from .errors import StorageError
from .footage.clip import Clip
from .footage.pictures import moments
from .media_items import local_time, pictured
from .media_listing import hour_end
from .paths import clip_path, picture_path, still_path, thumbnail_path
from .rooms import Rooms
from .shown import Shape
from .storage import Storage
from .texts import async_texts

type Which = tuple[str | None, datetime | None, datetime | None]  # doorbell, start, end


class ClipQueries:
    """Reads the library in the executor; every method runs in the event loop."""

    def __init__(self, rooms: Rooms, storage: Storage) -> None:
        """Read what is in the rooms; `storage` knows what is asked for."""
        self._rooms = rooms
        self._hass = rooms.hass
        self._library = rooms.library
        self._storage = storage

    async def async_days(self, doorbell: str | None) -> list[str]:
        """List the home's days that have clips, newest first."""
        return await self._hass.async_add_executor_job(self._days, doorbell)

    def _days(self, doorbell: str | None) -> list[str]:
        days = self._library.days(doorbell, dt_util.get_default_time_zone())
        return [day.isoformat() for day in days]

    async def async_hours(self, day: date, doorbell: str | None) -> list[Shape]:
        """List the hours of a day that have clips, newest first."""
        return await self._hass.async_add_executor_job(self._hours, day, doorbell)

    def _hours(self, day: date, doorbell: str | None) -> list[Shape]:
        zone = dt_util.get_default_time_zone()
        return [
            {
                "start": format_time(start),
                "end": format_time(hour_end(start)),
                "label": local_time(start, "%H:%M"),
                "clips": count,
            }
            for start, count in self._library.hours(doorbell, day, zone)
        ]

    async def async_clips(
        self, which: Which, event: str | None, page: tuple[int, int], *, full: bool
    ) -> Shape:
        """List clips that begin in [start, end), newest first; `page` is (limit, offset).

        Only those who decide learn in `full` which are kept and which an agency asks for.
        """
        return await self._hass.async_add_executor_job(
            partial(self._clips, self._names(), which, event, page, full=full)
        )

    def _clips(
        self,
        names: dict[str, str],
        which: Which,
        event: str | None,
        page: tuple[int, int],
        *,
        full: bool,
    ) -> Shape:
        limit, offset = page
        found = self._library.clips(*which, limit=limit + 1, offset=offset, event=event)
        shapes = self._shapes(found[:limit], names, full=full)
        return {"clips": shapes, "more": len(found) > limit}

    async def async_binned(self) -> list[Shape]:
        """List the clips in the bin, newest deletion first."""
        names = self._names()
        return await self._hass.async_add_executor_job(self._binned, names)

    def _binned(self, names: dict[str, str]) -> list[Shape]:
        found = self._library.binned()
        shapes = self._shapes([clip for clip, _ in found], names, full=True)
        for shape, (_, deletion) in zip(shapes, found, strict=True):
            shape["deleted"] = {"until": deletion.until and format_time(deletion.until)}
        return shapes

    async def async_stills(self, clip_id: str) -> list[Shape]:
        """List the pictures of a clip of pictures; another clip: StorageError."""
        return await self._hass.async_add_executor_job(self._stills, clip_id)

    def _stills(self, clip_id: str) -> list[Shape]:
        if (clip := self._library.get(clip_id)) is None:
            raise StorageError("clip_unknown", clip=clip_id)
        return [
            {"at": format_time(at), "path": still_path(clip_id, number)}
            for number, at in enumerate(moments(clip))
        ]

    def _shapes(self, clips: Collection[Clip], names: dict[str, str], *, full: bool) -> list[Shape]:
        held = self._rooms.holds.held().keys() if full else set[str]()
        asked_for = self._storage.asked_for() if full else frozenset[str]()
        return [
            {
                "id": clip.id,
                "doorbell": clip.doorbell,
                "doorbell_name": names.get(clip.doorbell, names[""]),
                "event": clip.event,
                "event_at": format_time(clip.event_at),
                "start": format_time(clip.start),
                "end": format_time(clip.end),
                "seconds": clip.seconds,
                "size": clip.size,
                "video": clip_path(clip.id),
                "picture": picture_path(clip.id),
                "thumbnail": thumbnail_path(clip.id),
                "pictures": pictured(clip),
                "held": clip.id in held,
                "asked_for": clip.id in asked_for,
                "deleted": None,
            }
            for clip in clips
        ]

    def _names(self) -> dict[str, str]:
        """Names of the doorbells; under "" that of those which were removed."""
        removed = async_texts(self._hass)["removed_doorbell"]
        return {"": removed} | {bell.id: bell.name for bell in self._rooms.doorbells}
