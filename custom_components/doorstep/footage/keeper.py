"""What a doorbell's events leave behind: clips and pictures, each made by a task of its own."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
import logging

from ..errors import CameraError, StorageError
from .clip import Clip
from .event import OpenClip, RecorderSettings
from .files import ClipFiles, storage, write_atomically
from .library import Library
from .lines import Ending, EventKind
from .ring import Received
from .thumbnail import thumbnail

_LOGGER = logging.getLogger(__name__)


@dataclass(eq=False)
class Keeper:
    """Opens, feeds and closes clips, and freezes pictures beside them; for one event loop.

    `on_picture` and `on_clip` are those of a recorder; `changed` is called when `problem` may be
    another. A task that fails as nobody foresaw is logged, and ends alone.

    An event that outlasts its clip goes on in another, which begins with what `resume` gives for
    the fragment that no longer fits, and has the picture that `sight` gives then.
    """

    doorbell_id: str
    settings: RecorderSettings
    library: Library
    on_picture: Callable[[str | None, EventKind, datetime, bytes], None]
    on_clip: Callable[[Clip], None]
    changed: Callable[[], None]
    now: Callable[[], datetime]
    resume: Callable[[Received], Sequence[Received]] = lambda item: (item,)
    sight: Callable[[], Awaitable[bytes]] | None = None

    def __post_init__(self) -> None:
        """Start without a clip."""
        self._clip: OpenClip | None = None
        self._clips: set[asyncio.Task[None]] = set()
        self._pictures: set[asyncio.Task[None]] = set()
        self._freezing = asyncio.Lock()  # two events may want the same file at once
        self._drawing: defaultdict[EventKind, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._wanted: dict[tuple[str | None, EventKind], datetime] = {}
        self._disk: str | None = None
        self._picture: str | None = None

    @property
    def open(self) -> OpenClip | None:
        """The clip that still takes what comes."""
        return self._clip if self._clip is not None and self._clip.accepting else None

    @property
    def problem(self) -> str | None:
        """Error key of what the newest clip or picture failed for."""
        return self._disk or self._picture

    @property
    def clip_id(self) -> str | None:
        """Id of the clip that takes what comes."""
        return _id(self.open)

    def begin(
        self,
        kind: EventKind,
        at: datetime,
        items: Iterable[Received] = (),
        until: datetime | None = None,
    ) -> OpenClip:
        """Open the clip of an event that happened at `at`, beginning with `items`."""
        folder, bell = self.library.folder, self.doorbell_id
        clip = OpenClip(folder, bell, (kind, at), self.settings, self.now, until=until)
        for item in items:
            clip.feed(item)
        self._clip = clip
        self._spawn(self._clips, partial(self._record, clip))
        return clip

    def feed(self, item: Received) -> None:
        """Give the open clip the next fragment, or the one in which its event goes on."""
        if (clip := self.open) is None:
            return
        ending = clip.outgrown(item)
        if ending and (items := self.resume(item)):
            self._part(clip, ending, items)
        else:
            clip.feed(item)

    def extend(self, at: datetime) -> None:
        """Let the post-roll of an open clip run from `at`; without one nothing happens."""
        if self.open is not None:
            self.open.extend(at)

    def _part(self, clip: OpenClip, ending: Ending, items: Sequence[Received]) -> None:
        clip.stop(ending)
        if self.library.refuses is None:
            follower = self.begin(*clip.event, items)
            follower.follow(clip)
            self._spawn(self._pictures, partial(self._illustrate, follower))

    def show(
        self,
        clip: OpenClip | None,
        kind: EventKind,
        at: datetime,
        draw: Callable[[], Awaitable[bytes]],
    ) -> None:
        """Freeze the picture of an event that `draw` gives (JPEG, or CameraError).

        One is drawn at a time; of those that wait, the newest of a clip stands for all. An event
        without a clip has its picture told, and kept nowhere.
        """
        self._wanted[_id(clip), kind] = at
        self._spawn(self._pictures, partial(self._show, clip, kind, at, draw))

    async def finish(self) -> None:
        """Close the open clip with what it has; pictures on their way are given up."""
        for task in self._pictures:
            task.cancel()
        self._wanted.clear()
        if self._clip is not None:
            self._clip.stop()
        await asyncio.gather(*self._clips, *self._pictures, return_exceptions=True)

    async def _record(self, clip: OpenClip) -> None:
        outcome = await clip.run()
        error = outcome.error
        if outcome.clip is not None:
            try:
                await asyncio.to_thread(self.library.add, outcome.clip)
            except StorageError as failure:
                error = error or failure
            self.on_clip(outcome.clip)
        if error is not None or outcome.clip is not None:
            self._disk = error.key if error else None
        self.changed()

    async def _show(
        self,
        clip: OpenClip | None,
        kind: EventKind,
        at: datetime,
        draw: Callable[[], Awaitable[bytes]],
    ) -> None:
        key = _id(clip), kind
        async with self._drawing[kind]:
            if self._wanted.get(key) == at:
                del self._wanted[key]
                await self._draw(clip, kind, at, draw)

    async def _draw(
        self,
        clip: OpenClip | None,
        kind: EventKind,
        at: datetime,
        draw: Callable[[], Awaitable[bytes]],
    ) -> None:
        """A ring's picture is kept above all others."""
        try:
            jpeg = await draw()
            async with self._freezing:
                if clip and (clip.pictured is None or (kind == "ring" and clip.pictured != "ring")):
                    clip.pictured = kind
                    await asyncio.to_thread(_freeze, clip.files, jpeg)
        except (CameraError, StorageError) as error:
            self._picture = error.key
        else:
            self._picture = None
            self.on_picture(_id(clip), kind, at, jpeg)
        self.changed()

    async def _illustrate(self, clip: OpenClip) -> None:
        """Give a clip in which an event goes on a picture to be found by; nobody is told."""
        if self.sight is None:
            return
        with suppress(CameraError, StorageError):
            jpeg = await self.sight()
            async with self._freezing:
                if clip.pictured is None:
                    await asyncio.to_thread(_freeze, clip.files, jpeg)

    def _spawn(
        self, tasks: set[asyncio.Task[None]], work: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        task = asyncio.get_running_loop().create_task(self._alone(work))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def _alone(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        try:
            await work()
        except Exception:
            # what went wrong with one event must not keep the next from being recorded
            _LOGGER.exception("A clip or picture of doorbell %s failed", self.doorbell_id)


def _id(clip: OpenClip | None) -> str | None:
    return None if clip is None else clip.id


def _freeze(files: ClipFiles, jpeg: bytes) -> None:
    with storage():
        files.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(files.picture, jpeg)
    # who browses can do without a small one
    with suppress(CameraError, OSError):
        write_atomically(files.thumbnail, thumbnail(jpeg))
