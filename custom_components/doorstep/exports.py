"""Films of a stretch of time to take away: made for one approver, and removed after an hour."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex
import shutil
from typing import Final

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.core import CALLBACK_TYPE
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util, slugify

from .encoding import format_time
from .errors import StorageError
from .footage.export import Exported, export
from .footage.files import storage
from .footage.folder import space
from .inbox.values import Actor
from .paths import export_path
from .rooms import Rooms
from .shown import Shape
from .storage import Storage

_KEPT: Final = timedelta(hours=1)
_FOLDER: Final = ".exports"
_LONGEST: Final = 100  # of a doorbell's name; a file's may have 255 bytes in all


@dataclass(frozen=True, slots=True)
class _Film:
    path: Path
    user: str | None


class Exports:
    """One film is made at a time; each lies beside the library for an hour, for one person."""

    def __init__(self, rooms: Rooms, storage: Storage) -> None:
        """Prepare; nothing is there yet."""
        self._rooms = rooms
        self._storage = storage
        self._hass = rooms.hass
        self._folder = rooms.library.folder / _FOLDER
        self._films: dict[str, _Film] = {}
        self._timers: dict[str, CALLBACK_TYPE] = {}
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[object]] = set()

    def file(self, name: str, user_id: str | None) -> Path | None:
        """Return a film's path, for whom it was made only."""
        film = self._films.get(name)
        return film.path if film and film.user == user_id else None

    async def async_make(
        self,
        doorbell: str,
        window: tuple[datetime, datetime],
        actor: Actor,
        tell: Callable[[Shape], None],
    ) -> Shape:
        """Make a film of a doorbell's clips in the window; `tell` hears how far it is."""
        async with self._in_turn():
            name = self._name(doorbell, window[0])
            target = self._folder / name
            clips = await self._hass.async_add_executor_job(
                self._rooms.library.between, doorbell, *window
            )
            size = sum(clip.size for clip in clips)
            await self._hass.async_add_executor_job(
                _make_room, self._folder, size + self._storage.floor
            )
            binary = get_ffmpeg_manager(self._hass).binary
            done = await export(binary, clips, *window, target, lambda share: tell({"done": share}))
            self._films[name] = _Film(target, actor.user)
            self._timers[name] = async_call_later(self._hass, _KEPT, self._forgetter(name))
            await self._hass.async_add_executor_job(
                self._rooms.clip_log.exported,
                [clip.id for clip in clips],
                {"clips": len(clips), "seconds": round(done.seconds)},
                str(actor.user),
            )
        return _shape(name, done)

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """Wait for a turn; whoever does, or works, is ended with the house."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            async with self._turn:
                yield
        finally:
            self._tasks.discard(task)

    async def async_start(self) -> None:
        """Remove what the last run left."""
        await self._hass.async_add_executor_job(_remove, self._folder)

    async def async_stop(self) -> None:
        """End and remove all films: who still wants one asks again."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()
        self._films.clear()
        await self._hass.async_add_executor_job(_remove, self._folder)

    def _name(self, doorbell: str, start: datetime) -> str:
        """Name the file for doorbell and local time, and at random: it is part of its address."""
        bell = self._rooms.doorbells.get(doorbell)
        name = slugify(bell.name)[:_LONGEST] if bell else "doorbell"
        return f"{name}_{dt_util.as_local(start):%Y-%m-%d_%H-%M-%S}_{token_hex(8)}.mp4"

    def _forgetter(self, name: str) -> Callable[[datetime], Coroutine[None, None, None]]:
        async def forget(_now: datetime) -> None:
            del self._timers[name]
            film = self._films.pop(name)
            await self._hass.async_add_executor_job(_remove_file, film.path)

        return forget


def _make_room(folder: Path, needed: int) -> None:
    """Make the folder; below the free space that people asked for, clips would go for a film."""
    with storage():
        folder.mkdir(exist_ok=True)
    if space(folder).free < needed:
        raise StorageError("export_no_room")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _remove_file(path: Path) -> None:
    path.unlink(missing_ok=True)


def _shape(name: str, done: Exported) -> Shape:
    return {
        "path": export_path(name),
        "name": name,
        "seconds": done.seconds,
        "size": done.size,
        "start": format_time(done.start),
        "end": format_time(done.end),
        "gaps": [{"start": format_time(a), "end": format_time(b)} for a, b in done.gaps],
    }
