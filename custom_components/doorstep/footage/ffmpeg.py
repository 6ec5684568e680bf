"""One ffmpeg child that copies a camera's stream, unchanged, into a pipe of fragmented MP4.

The camera's address, with its password, reaches ffmpeg on stdin as a one-line playlist: a command
line can be read by every user of the host.
"""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
import logging
import re
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from ..errors import CameraError
from .fragments import Fragment, FragmentParser, InitSegment
from .pipe import Pipe

_LOGGER: Final = logging.getLogger(__name__)

_CHUNK: Final = 1 << 16
_LINE: Final = 300  # characters logged of a message
_GOODBYE: Final = 1.0  # seconds ffmpeg gets to end its RTSP session
# What ffmpeg may open for an address, and for whatever is named there in turn: never a file.
_PROTOCOLS: Final = {
    "rtsp": "rtsp,tcp",
    "rtsps": "rtsp,tls,tcp",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
    "http": "http,https,tls,tcp",
    "https": "https,tls,tcp",
}
# Silences after which ffmpeg ends by itself, for when nobody is left to end it; ours are shorter.
_SILENCE: Final = 20_000_000  # microseconds, over RTSP
_SILENCE_ELSE: Final = 40_000_000  # microseconds; segments come seldom
_URL: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://\S*", re.IGNORECASE)
_INPUT: Final = (
    *("-hide_banner", "-nostdin", "-loglevel", "level+warning"),
    *("-f", "concat", "-safe", "0", "-protocol_whitelist", "pipe"),
    *("-i", "pipe:0", "-map", "0:v:0"),
)
_OUTPUT: Final = (
    *("-movflags", "+empty_moov+default_base_moof+frag_keyframe+separate_moof"),
    *("-frag_duration", "500000", "-flush_packets", "1", "pipe:1"),
)

# What ffmpeg says, and what that means. The first match of the first line that has one counts.
_CAUSES: Final = (
    (re.compile(r"\b40[13]\b.*(Unauthorized|Forbidden)"), "camera_unauthorized"),
    (re.compile(r"not currently supported in container"), "camera_codec"),
    (re.compile(r"matches no streams"), "camera_no_video"),
    (re.compile(r"does not contain any stream"), "camera_no_video"),
    (re.compile(r"timed out"), "camera_timeout"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """How a stream is asked of ffmpeg; some codecs fit only some containers."""

    container: Literal["mp4", "mov"] = "mp4"
    audio: bool = False
    sparse: bool = False  # fragments of at least 0.4 s, for streams of key frames only
    untimed: bool = False  # pictures over HTTP have no times: those of their arrival count

    def arguments(self) -> Sequence[str]:
        """Build ffmpeg's command line after the program's name."""
        audio = ("-map", "0:a:0?") if self.audio else ()
        sparse = ("-min_frag_duration", "400000") if self.sparse else ()
        return *_INPUT, *audio, "-c", "copy", "-f", self.container, *sparse, *_OUTPUT

    def next(self) -> Self | None:
        """Give the next form to try where a codec doesn't fit: G.711 needs QuickTime's container.

        Then audio is left out; with video alone there is none.
        """
        if not self.audio:
            return None
        if self.container == "mp4":
            return replace(self, container="mov")
        return replace(self, container="mp4", audio=False)


def playlist(source: str, *, untimed: bool = False) -> bytes:
    """Write the concat script (ffmpeg-formats, section 3.5) of one URL; no stream's: CameraError.

    RTP goes over the RTSP connection, since UDP loses what evidence must not.
    """
    try:
        parts = urlsplit(source)
        valid = parts.scheme in _PROTOCOLS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not source.isprintable() or " " in source:
        raise CameraError("camera_url")
    quoted = source.replace("'", r"'\''")
    lines = ["ffconcat version 1.0", f"file '{quoted}'"]
    lines.append(f"option protocol_whitelist {_PROTOCOLS[parts.scheme]}")
    if parts.scheme in {"rtsp", "rtsps"}:
        lines.append("option rtsp_transport tcp")
        lines.append(f"option timeout {_SILENCE}")
    else:
        lines.append(f"option rw_timeout {_SILENCE_ELSE}")
        if untimed:
            lines.append("option use_wallclock_as_timestamps 1")
    return "".join(f"{line}\n" for line in lines).encode()


def segmented(source: str) -> bool:
    """Whether a camera's URL leads to segments, which come at once and seldom (RFC 8216)."""
    parts = urlsplit(source)
    return parts.scheme in {"http", "https"} and parts.path.lower().endswith((".m3u8", ".m3u"))


class Messages:
    """Listens to ffmpeg's stderr for the cause of its end; to the log goes no address."""

    def __init__(self, source: str) -> None:
        """Keep `source` out of the log."""
        self._source = source
        self.cause: str | None = None

    def add(self, line: bytes) -> None:
        """Take one line, of any length and content."""
        text = line.decode(errors="replace").strip().replace(self._source, "(camera)")
        if self.cause is None:
            self.cause = next((key for known, key in _CAUSES if known.search(text)), None)
        _LOGGER.debug("ffmpeg: %s", _URL.sub("(address)", text)[:_LINE])


async def receive(
    ffmpeg: str, source: str, form: Form, *, connect: float, stall: float
) -> AsyncGenerator[tuple[InitSegment, Fragment]]:
    """Give a camera's fragments as they come, for ever; every end of the stream is a CameraError.

    `connect` and `stall` are the longest silence, in seconds, before the first bytes and later.
    Close the generator (`contextlib.aclosing`) to end the child.
    """
    script = playlist(source, untimed=form.untimed)
    messages = Messages(source)
    child, pipe = await _start(ffmpeg, form)
    listener = asyncio.create_task(_listen(child, messages))
    parser = FragmentParser()
    try:
        await _tell(child, script)
        while data := await _read(
            pipe,
            parser.missing,
            *((stall, "camera_stalled") if parser.init else (connect, "camera_timeout")),
        ):
            for found in parser.feed(data):
                yield found
        await listener
        raise CameraError(
            messages.cause or ("camera_lost" if parser.init else "camera_unreachable")
        )
    finally:
        listener.cancel()
        await asyncio.wait([listener])
        await _end(child, pipe)


async def _start(ffmpeg: str, form: Form) -> tuple[Process, Pipe]:
    try:
        pipe = Pipe()
        try:
            child = await asyncio.create_subprocess_exec(
                ffmpeg,
                *form.arguments(),
                stdin=PIPE,
                stdout=pipe.child_end,
                stderr=PIPE,
                limit=_CHUNK,
                start_new_session=True,
            )
        except BaseException:
            pipe.close()
            raise
        finally:
            pipe.hand_over()
    except OSError as error:
        raise CameraError("ffmpeg_missing", error=error.strerror) from error
    return child, pipe


async def _tell(child: Process, script: bytes) -> None:
    """Hand over the playlist; a child that is gone already says why on stderr."""
    assert child.stdin is not None
    with suppress(ConnectionError):
        child.stdin.write(script)
        await child.stdin.drain()
    child.stdin.close()


async def _read(pipe: Pipe, least: int, patience: float, otherwise: str) -> bytes:
    try:
        async with asyncio.timeout(patience):
            return await pipe.read(least)
    except TimeoutError:
        raise CameraError(otherwise) from None


async def _listen(child: Process, messages: Messages) -> None:
    assert child.stderr is not None
    rest = b""
    while data := await child.stderr.read(_CHUNK):
        *lines, rest = (rest + data).split(b"\n")
        rest = rest[:_CHUNK]
        for line in lines:
            messages.add(line)


async def _end(child: Process, pipe: Pipe) -> None:
    """Ask the child to end, so that the camera's session is closed too; then make it."""
    pipe.close()
    with suppress(ProcessLookupError):
        child.terminate()
    try:
        async with asyncio.timeout(_GOODBYE):
            await child.communicate()
    except TimeoutError:
        pass
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()
