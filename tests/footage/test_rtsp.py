"""A real camera (go2rtc), a real password, real trouble."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import json
import logging
from pathlib import Path
import subprocess
import time

import av
import pytest

from custom_components.doorstep.encoding import parse_time
from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import EventKind
from custom_components.doorstep.footage.probe import probe
from custom_components.doorstep.footage.recorder import Recorder, RecorderStatus
from scripts.children import LOOPBACK, free_port
from tests.simulators.doorbell import DoorbellSimulator
from tests.simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")

PASSWORD = "p@ss:w'ord/ %#\\1"


@pytest.fixture
async def doorbell(tmp_path: Path) -> AsyncIterator[DoorbellSimulator]:
    async with DoorbellSimulator(tmp_path / "camera", user="bell", password=PASSWORD) as made:
        yield made


class Desk:
    """A recorder at work, and what it tells."""

    def __init__(self, ffmpeg: str, folder: Path, url: str, settings: RecorderSettings) -> None:
        self.statuses: list[RecorderStatus] = []
        self.pictures: list[tuple[str, EventKind, datetime, bytes]] = []
        self.clips: list[Clip] = []
        self.library = Library(folder, lambda _: None)

        async def source() -> str:
            return url

        self.recorder = Recorder(
            "door",
            ffmpeg=ffmpeg,
            source=source,
            settings=settings,
            library=self.library,
            on_status=self.statuses.append,
            on_picture=lambda *picture: self.pictures.append(picture),
            on_clip=self.clips.append,
            now=lambda: datetime.now(UTC),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.recorder.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.library.close()


def command_lines() -> str:
    """Read the command lines and environments of all processes we may see."""
    found = []
    for path in [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")]:
        with_nul = b""
        try:
            with_nul = path.read_bytes()
        except OSError:
            continue
        found.append(with_nul.replace(b"\0", b" ").decode(errors="replace"))
    return "\n".join(found)


async def test_from_press_to_clip(
    ffmpeg: str, tmp_path: Path, doorbell: DoorbellSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Pre-roll, sound in step, picture of the moment; the password is seen nowhere."""
    caplog.set_level(logging.DEBUG)
    settings = RecorderSettings(pre_roll=2, post_roll=2, audio=True)
    desk = Desk(ffmpeg, tmp_path / "library", doorbell.rtsp_url, settings)
    async with desk.running():
        await until(lambda: desk.recorder.status.state == "ready")
        commands = command_lines()
        assert "frag_duration 500000" in commands
        pressed = datetime.now(UTC)
        clip_id = desk.recorder.trigger("ring", pressed)
        await until(lambda: desk.pictures)
        assert datetime.now(UTC) - pressed < timedelta(seconds=2.5)
        await until(lambda: desk.clips)
        assert datetime.now(UTC) - pressed < timedelta(seconds=4)
    (clip,) = desk.clips
    assert clip.id == clip_id
    assert clip.start <= pressed - timedelta(seconds=1.9)
    assert clip.end >= pressed + timedelta(seconds=1.999)  # times are kept in milliseconds
    assert (clip.end - clip.start).total_seconds() == pytest.approx(clip.seconds, abs=0.5)
    assert clip.picture.read_bytes() == desk.pictures[0][3]
    assert clip.picture.read_bytes()[:2] == b"\xff\xd8"
    for secret in (PASSWORD, doorbell.rtsp_url, doorbell.rtsp_url.split("@")[0][12:]):
        assert secret not in commands
        assert secret not in caplog.text
        assert secret.encode() not in clip.lines.read_bytes()
    assert [status.state for status in desk.statuses] == ["filling", "ready", "off"]
    check_film(ffmpeg, clip)


def check_film(ffmpeg: str, clip: Clip) -> None:
    """Judge a clip with ffmpeg and PyAV: it decodes whole, begins at 0, sound is in step."""
    played = subprocess.run(
        [ffmpeg, "-v", "warning", "-xerror", "-i", clip.video, "-f", "null", "-"],
        capture_output=True,
        check=True,
    )
    assert played.stderr == b""
    with av.open(str(clip.video)) as film:
        assert film.start_time == 0
        assert film.duration == pytest.approx(clip.seconds * 1e6, abs=0.6e6)
        for one in film.streams:
            film.seek(0)
            times = [(frame.pts or 0) * one.time_base for frame in film.decode(one)]
            assert float(times[0]) == pytest.approx(0, abs=0.6)
            assert float(times[-1]) == pytest.approx(clip.seconds, abs=0.6)


async def test_a_camera_that_loses_power(
    ffmpeg: str, tmp_path: Path, doorbell: DoorbellSimulator
) -> None:
    """The clip goes on where the camera comes back, however late, and says what is missing."""
    settings = RecorderSettings(pre_roll=1, post_roll=60, retry=0.1, longest_retry=0.2)
    desk = Desk(ffmpeg, tmp_path / "library", doorbell.rtsp_url, settings)
    async with desk.running():
        await until(lambda: desk.recorder.status.state == "ready")
        desk.recorder.trigger("motion", datetime.now(UTC))
        await doorbell.kill()
        await until(lambda: desk.recorder.status.state == "failed")
        away = datetime.now(UTC)
        await doorbell.start()
        await until(lambda: desk.recorder.status.state == "ready")
    (clip,) = desk.clips
    lines = [json.loads(line) for line in clip.lines.read_bytes().splitlines()]
    restart, *others = [line for line in lines if "gap" in line]
    assert restart["reason"] == "restart"
    assert parse_time(restart["from"]) <= away < parse_time(restart["to"])
    # what the camera sends at once after a start makes its first times late, or frames are lost
    assert {gap["reason"] for gap in others} <= {"clock-jump", "missing"}
    assert clip.end >= away + timedelta(seconds=1)
    assert lines[-1]["end"] == "shutdown"
    check_film(ffmpeg, clip)


async def test_a_camera_that_hangs(
    ffmpeg: str, tmp_path: Path, doorbell: DoorbellSimulator
) -> None:
    settings = RecorderSettings(pre_roll=1, stall=1.0, connect=5, retry=0.1, longest_retry=0.2)
    desk = Desk(ffmpeg, tmp_path / "library", doorbell.rtsp_url, settings)
    async with desk.running():
        await until(lambda: desk.recorder.status.state == "ready")
        doorbell.freeze()
        await until(lambda: desk.recorder.status.reason == "camera_stalled", 4)
        doorbell.thaw()
        await until(lambda: desk.recorder.status.state == "ready")


def test_a_stall_is_noticed_within_ten_seconds() -> None:
    assert RecorderSettings().stall <= 10


async def failure(ffmpeg: str, source: str, patience: float = 10) -> str:
    with pytest.raises(CameraError) as caught:
        await probe(ffmpeg, source, patience)
    return caught.value.key


async def test_probe(ffmpeg: str, doorbell: DoorbellSimulator) -> None:
    begun = time.monotonic()
    silent = await probe(ffmpeg, doorbell.rtsp_url)
    assert time.monotonic() - begun < 4
    assert silent.bytes_per_second is not None
    assert 10_000 < silent.bytes_per_second < 200_000
    assert [track.kind for track in silent.tracks] == ["video"]
    assert silent.tracks[0].codec.startswith("avc1.64")
    sounding = await probe(ffmpeg, doorbell.rtsp_url, audio=True)
    assert [track.kind for track in sounding.tracks] == ["video", "audio"]
    assert sounding.tracks[1].codec == "mp4a.40.2"


async def test_probe_without_the_right_password(ffmpeg: str, doorbell: DoorbellSimulator) -> None:
    assert await failure(ffmpeg, doorbell.url) == "camera_unauthorized"
    wrong = doorbell.url.replace("//", "//bell:wrong@")
    assert await failure(ffmpeg, wrong) == "camera_unauthorized"


async def test_probe_of_a_path_that_is_not_there(ffmpeg: str, doorbell: DoorbellSimulator) -> None:
    assert await failure(ffmpeg, doorbell.rtsp_url + "bell") == "camera_unreachable"


async def test_probe_of_nothing(ffmpeg: str) -> None:
    assert await failure(ffmpeg, f"rtsp://{LOOPBACK}:{free_port()}/door") == "camera_unreachable"


@asynccontextmanager
async def answering(*answers: bytes, hang_up: bool = False) -> AsyncIterator[str]:
    """Serve `answers`, one for each thing that is said; then silence, or the end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(4096)
            writer.write(answer)
        if not hang_up:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    async with server:
        yield f"rtsp://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/door"


async def test_probe_of_a_server_that_says_nothing(ffmpeg: str) -> None:
    begun = time.monotonic()
    async with answering() as source:
        assert await failure(ffmpeg, source, 0.5) == "camera_timeout"
    assert time.monotonic() - begun < 3


async def test_probe_of_a_web_server(ffmpeg: str) -> None:
    page = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with answering(page, hang_up=True) as source:
        assert await failure(ffmpeg, source) == "camera_unreachable"


SOUND_ONLY = (
    b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 0 RTP/AVP 0\r\na=control:track0\r\n"
)


async def test_probe_of_a_microphone(ffmpeg: str) -> None:
    def ok(number: int, more: bytes = b"", body: bytes = b"") -> bytes:
        length = b"Content-Length: %d\r\n" % len(body)
        return b"RTSP/1.0 200 OK\r\nCSeq: %d\r\n" % number + length + more + b"\r\n" + body

    answers = (
        ok(1, b"Public: OPTIONS, DESCRIBE, SETUP, PLAY\r\n"),
        ok(2, b"Content-Type: application/sdp\r\n", SOUND_ONLY),
        ok(3, b"Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
        ok(4, b"Session: 1\r\n") + b"".join(rtp(n) for n in range(400)),
    )
    async with answering(*answers) as source:
        assert await failure(ffmpeg, source) == "camera_no_video"


def rtp(number: int) -> bytes:
    """Build 20 ms of G.711 silence, interleaved (RFC 2326, section 10.12)."""
    header = b"\x80\x00" + number.to_bytes(2) + (number * 160).to_bytes(4) + b"\0\0\0\1"
    return b"$\0" + (172).to_bytes(2) + header + b"\xff" * 160


@pytest.mark.parametrize("audio", [False, True])
async def test_probe_tries_what_fits(tmp_path: Path, audio: bool) -> None:
    """A codec that no container holds is found out step by step; video alone has no more steps."""
    script = tmp_path / "ffmpeg"
    script.write_text(
        f"#!/bin/sh\necho x >> {tmp_path}/tries\necho 'not currently supported in container' >&2\n"
    )
    script.chmod(0o755)
    with pytest.raises(CameraError, match="camera_no_video"):
        await probe(str(script), "rtsp://door/", audio=audio)
    assert len((tmp_path / "tries").read_text().split()) == (3 if audio else 1)
