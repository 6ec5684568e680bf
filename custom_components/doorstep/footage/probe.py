"""Try a camera once, before anything is configured: the same child, the same parser."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from ..errors import CameraError
from .ffmpeg import Form, receive
from .fragments import Fragment, InitSegment, Track

_MEASURED: Final = 2.0  # seconds of video that tell how much a camera sends
_MEASURING: Final = 2.0  # seconds to wait for them


@dataclass(frozen=True, slots=True)
class Probe:
    """What a camera sends; asked for audio and none in `tracks`: it has none we can record.

    `bytes_per_second` as it would be recorded; None where the stream broke off too early to tell.
    """

    tracks: tuple[Track, ...]
    bytes_per_second: float | None = None


async def probe(ffmpeg: str, source: str, timeout: float = 10.0, *, audio: bool = False) -> Probe:  # noqa: ASYNC109 - ends the child in order
    """Receive one decodable video fragment within `timeout` seconds, or say why there is none.

    How much the camera sends is measured afterwards, for as long as two seconds and `timeout` let.
    CameraError keys: camera_url, camera_unreachable, camera_unauthorized, camera_no_video,
    camera_timeout, camera_bad_stream, ffmpeg_missing.
    """
    form: Form | None = Form(audio=audio)
    try:
        async with asyncio.timeout(timeout) as limit:
            while form is not None:
                try:
                    return await _try(ffmpeg, source, form, limit)
                except CameraError as error:
                    if error.key != "camera_codec":
                        raise
                form = form.next()
    except TimeoutError:
        raise CameraError("camera_timeout") from None
    raise CameraError("camera_no_video")


async def _try(ffmpeg: str, source: str, form: Form, limit: asyncio.Timeout) -> Probe:
    deadline = limit.when()
    assert deadline is not None
    patience = deadline - asyncio.get_running_loop().time()
    received = receive(ffmpeg, source, form, connect=patience, stall=patience)
    async with aclosing(received):
        while True:
            init, first = await anext(received)
            if first.key and first.track.kind == "video":
                break
        # what is known now is worth more than an error
        limit.reschedule(None)
        rate = _Rate(first)
        with suppress(TimeoutError, CameraError):
            await _weigh(received, rate, deadline)
    return Probe(init.tracks, rate.bytes_per_second)


async def _weigh(
    received: AsyncGenerator[tuple[InitSegment, Fragment]], rate: _Rate, deadline: float
) -> None:
    soon = asyncio.get_running_loop().time() + _MEASURING
    async with asyncio.timeout_at(min(deadline, soon)):
        while rate.seconds < _MEASURED:
            rate.add((await anext(received))[1])


class _Rate:
    """Weighs a stream from a key frame on, by its own clock: what was held up comes in a burst."""

    def __init__(self, first: Fragment) -> None:
        self._began = self._reached = first.start_seconds
        self._bytes = 0
        self.add(first)

    def add(self, fragment: Fragment) -> None:
        self._bytes += len(fragment.data)
        if fragment.track.kind == "video":
            self._reached = max(self._reached, fragment.end_seconds)

    @property
    def seconds(self) -> float:
        return self._reached - self._began

    @property
    def bytes_per_second(self) -> float | None:
        return self._bytes / self.seconds if self.seconds else None
