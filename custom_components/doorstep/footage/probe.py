"""Try a camera once, before anything is configured: the same child, the same parser."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from ..errors import CameraError
from .ffmpeg import Form, receive
from .fragments import Track


@dataclass(frozen=True, slots=True)
class Probe:
    """What a camera sends; asked for audio and none in `tracks`: it has none we can record."""

    tracks: tuple[Track, ...]


async def probe(ffmpeg: str, source: str, timeout: float = 10.0, *, audio: bool = False) -> Probe:  # noqa: ASYNC109 - ends the child in order
    """Receive one decodable video fragment within `timeout` seconds, or say why there is none.

    CameraError keys: camera_url, camera_unreachable, camera_unauthorized, camera_no_video,
    camera_timeout, camera_bad_stream, ffmpeg_missing.
    """
    form: Form | None = Form(audio=audio)
    try:
        async with asyncio.timeout(timeout):
            while form is not None:
                try:
                    return await _first(ffmpeg, source, form, timeout)
                except CameraError as error:
                    if error.key != "camera_codec":
                        raise
                form = form.next()
    except TimeoutError:
        raise CameraError("camera_timeout") from None
    raise CameraError("camera_no_video")


async def _first(ffmpeg: str, source: str, form: Form, patience: float) -> Probe:
    received = receive(ffmpeg, source, form, connect=patience, stall=patience)
    async with aclosing(received):
        while True:
            init, fragment = await anext(received)
            if fragment.key and fragment.track.kind == "video":
                return Probe(init.tracks)
