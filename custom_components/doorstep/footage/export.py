"""Make one ordinary MP4 of the clips of a stretch of time, the camera's frames as they are."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
import re
from typing import Final

from ..encoding import format_time
from ..errors import CameraError, StorageError
from .clip import Clip
from .copies import check_room
from .files import partial, storage
from .film import Film, Gap, plan
from .timeline import Timeline

_INPUT: Final = ("-hide_banner", "-nostdin", "-loglevel", "error", "-f", "mp4", "-i", "pipe:0")
_QUICKTIME: Final = b"qt  "
_FULL: Final = re.compile(rb"No space left on device|[Qq]uota exceeded|File too large")
_UNFINISHED: Final = b"writing trailer"  # ffmpeg says so, but ends as if all were well
_HEARD: Final = 1 << 14  # bytes of what ffmpeg says that matter
_NEWS: Final = 0.01  # share of a film between two reports of progress


@dataclass(frozen=True, slots=True)
class Exported:
    """A film: its size in bytes and seconds of playing; first and last instant in it, UTC.

    `gaps` are the times between them without pictures: left out, or a picture that stands still.
    """

    size: int
    seconds: float
    start: datetime
    end: datetime
    gaps: tuple[Gap, ...]


async def export(  # noqa: PLR0917 - what, from when to when, and where to, as one would say it
    ffmpeg: str,
    clips: Sequence[Clip],
    start: datetime,
    end: datetime,
    target: Path,
    progress: Callable[[float], None],
) -> Exported:
    """Write what one doorbell's clips show of [start, end) to `target`; `progress` hears 0 to 1.

    It begins with the last key frame at or before `start`. Memory use is that of one fragment.
    However it ends otherwise, no file is left. StorageError keys: those of `plan`, `disk_full`,
    `disk_failed`, `export_failed`; without ffmpeg CameraError `ffmpeg_missing`.
    """
    film = await asyncio.to_thread(plan, clips, start, end)
    await asyncio.to_thread(check_room, target.parent, film.size)
    timeline = Timeline(film)
    unfinished = partial(target)
    try:
        await _write(ffmpeg, film, timeline, unfinished, progress)
        size = _publish(unfinished, target)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(unfinished.unlink, missing_ok=True))
        raise
    progress(1.0)
    return Exported(size, timeline.seconds, film.start, film.end, film.gaps)


async def _write(
    ffmpeg: str,
    film: Film,
    timeline: Timeline,
    target: Path,
    progress: Callable[[float], None],
) -> None:
    try:
        child = await asyncio.create_subprocess_exec(
            ffmpeg,
            *_arguments(film, target),
            stdin=PIPE,
            stdout=DEVNULL,
            stderr=PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CameraError("ffmpeg_missing", error=error.strerror) from error
    listener = asyncio.create_task(_listen(child))
    try:
        await _feed(child, film, timeline, progress)
        said = await listener
        _judge(await child.wait(), said)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        listener.cancel()
        await asyncio.wait([listener])


def _arguments(film: Film, target: Path) -> Sequence[str]:
    """Build ffmpeg's command line: no name or note of the camera's goes into the film."""
    sound = ("-map", "0:a:0") if film.audio else ()
    # G.711 fits only QuickTime's flavour, as when it was recorded
    flavour = "mov" if film.audio and film.init.data[8:12] == _QUICKTIME else "mp4"
    tag = ("-tag:v", "hvc1") if film.init.video.codec.startswith("hvc1") else ()
    notes = ("-map_metadata", "-1", "-metadata", f"creation_time={format_time(film.start)}")
    output = ("-movflags", "+faststart", "-f", flavour, "-y", f"file:{target}")
    return *_INPUT, "-map", "0:v:0", *sound, "-c", "copy", *tag, *notes, *output


async def _feed(
    child: Process, film: Film, timeline: Timeline, progress: Callable[[float], None]
) -> None:
    """Hand ffmpeg the film; one that is gone already has said why."""
    assert child.stdin is not None
    pieces = timeline.stream()
    done, told = 0, 0.0
    with suppress(ConnectionError):
        while piece := await asyncio.to_thread(next, pieces, None):
            data, video = piece
            child.stdin.write(data)
            await child.stdin.drain()
            done += video
            # the rest is for ffmpeg, which puts the index in front
            share = (1 - _NEWS) * done / film.size
            if share >= told + _NEWS:
                told = share
                progress(told)
    child.stdin.close()


async def _listen(child: Process) -> bytes:
    assert child.stderr is not None
    said = b""
    while data := await child.stderr.read(_HEARD):
        said = (said + data)[-_HEARD:]
    return said


def _judge(code: int, said: bytes) -> None:
    if _FULL.search(said):
        raise StorageError("disk_full")
    if code or _UNFINISHED in said:
        raise StorageError("export_failed")


def _publish(unfinished: Path, target: Path) -> int:
    # at once, not in a thread: nothing may be cancelled between a film's name and its end
    with storage():
        unfinished.replace(target)
        return target.stat().st_size
