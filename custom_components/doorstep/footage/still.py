"""The right-moment picture: what a camera saw at an instant, as a JPEG."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ..errors import CameraError
from .fragments import rewritten
from .ring import Received

_PATIENCE: Final = 10.0  # seconds to decode at most one group of pictures
_COMMAND: Final = (
    *("-hide_banner", "-nostdin", "-loglevel", "error", "-f", "mp4", "-i", "pipe:0"),
    *("-frames:v", "1", "-f", "image2pipe", "-c:v", "mjpeg", "-q:v", "3"),
)


async def still(ffmpeg: str, items: Sequence[Received], at: datetime) -> bytes:
    """Decode the first frame from `at` on out of video fragments that begin decodable; JPEG bytes.

    Beyond the last frame, that one. Nothing to decode, or ffmpeg can't: CameraError.
    """
    if not items:
        raise CameraError("camera_no_picture")
    video = _as_file(items)
    wanted = min((at - items[0].start).total_seconds(), _last_frame(items))
    seek = ("-ss", f"{max(wanted, 0):.3f}", "pipe:1")
    try:
        child = await asyncio.create_subprocess_exec(
            ffmpeg,
            *_COMMAND,
            *seek,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise CameraError("ffmpeg_missing", error=error.strerror) from error
    try:
        async with asyncio.timeout(_PATIENCE):
            jpeg, _ = await child.communicate(video)
    except TimeoutError:
        raise CameraError("camera_no_picture") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if not jpeg:
        raise CameraError("camera_no_picture")
    return jpeg


def _as_file(items: Sequence[Received]) -> bytes:
    """Write a file that begins at zero; earlier fragments' gaps stay gaps."""
    zero = items[0].fragment.start
    fragments = (rewritten(item.fragment, item.fragment.start - zero, 0) for item in items)
    return items[0].stream.init.data + b"".join(fragments)


def _last_frame(items: Sequence[Received]) -> float:
    """Second of the file at which the last frame surely has begun."""
    first, last = items[0].fragment, items[-1].fragment
    ticks = last.start + last.duration - last.last - first.start
    return ticks / first.track.timescale - 0.001
