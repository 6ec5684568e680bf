"""The right-moment picture: what a camera saw at an instant, as a JPEG."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import Sequence
from datetime import datetime, timedelta
import re
from typing import Final

from ..errors import CameraError
from .fragments import rewritten
from .moment import stamped
from .ring import Received

_PATIENCE: Final = 10.0  # seconds to decode at most one group of pictures
_COMMAND: Final = (
    *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "info", "-f", "mp4", "-i", "pipe:0"),
    *("-frames:v", "1", "-fps_mode", "passthrough"),
    *("-f", "image2pipe", "-c:v", "mjpeg", "-q:v", "3"),
)
_SHOWN: Final = re.compile(rb"\bpts_time:\s*(\d+(?:\.\d+)?)")


async def still(ffmpeg: str, items: Sequence[Received], at: datetime) -> bytes:
    """Decode the first frame from `at` on out of video fragments that begin decodable; JPEG bytes.

    Beyond the last frame, that one. The JPEG says which instant it shows, see `moment.shown_at`.
    Nothing to decode, or ffmpeg can't: CameraError.
    """
    if not items:
        raise CameraError("camera_no_picture")
    video, start = _as_file(items), items[0].start
    wanted = max(min((at - start).total_seconds(), _last_frame(items)), 0)
    chosen = ("-vf", f"select=gte(t\\,{wanted:.3f}),showinfo=checksum=0", "pipe:1")
    try:
        child = await asyncio.create_subprocess_exec(
            ffmpeg,
            *_COMMAND,
            *chosen,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise CameraError("ffmpeg_missing", error=error.strerror) from error
    try:
        async with asyncio.timeout(_PATIENCE):
            jpeg, messages = await child.communicate(video)
    except TimeoutError:
        raise CameraError("camera_no_picture") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if not jpeg:
        raise CameraError("camera_no_picture")
    shown = _SHOWN.search(messages)
    return stamped(jpeg, start + timedelta(seconds=float(shown[1]))) if shown else jpeg


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
