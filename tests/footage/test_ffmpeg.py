"""The child: what it is told, what it may say, and how it ends."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from contextlib import aclosing
import logging
from pathlib import Path
import time

import pytest

from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage import ffmpeg as module, probe as probing
from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.ffmpeg import Form, Messages, playlist, receive
from custom_components.doorstep.footage.fragments import Fragment
from custom_components.doorstep.footage.probe import Probe, probe
from scripts.children import LOOPBACK

from .synthetic import AUDIO, INIT, VIDEO, fragment, init_segment, parsed

SECRET = "rtsp://bell:s3cr%40et@192.0.2.7/live"
OVER_RTSP = ("rtsp_transport tcp", "timeout 20000000")
ELSE = "rw_timeout 40000000"
STREAM = INIT.data + fragment(0) + fragment(500)


@pytest.mark.parametrize(
    ("source", "quoted", "options"),
    [
        (SECRET, SECRET, ("protocol_whitelist rtsp,tcp", *OVER_RTSP)),
        (
            "rtsps://[2001:db8::1]:322/a?b=c&d",
            "rtsps://[2001:db8::1]:322/a?b=c&d",
            ("protocol_whitelist rtsp,tls,tcp", *OVER_RTSP),
        ),
        (
            "rtsp://u:it's@door/",
            r"rtsp://u:it'\''s@door/",
            ("protocol_whitelist rtsp,tcp", *OVER_RTSP),
        ),
        ("rtmp://door/a", "rtmp://door/a", ("protocol_whitelist rtmp,tcp", ELSE)),
        ("rtmps://door/a", "rtmps://door/a", ("protocol_whitelist rtmps,tls,tcp", ELSE)),
        (
            "http://door/a.flv",
            "http://door/a.flv",
            ("protocol_whitelist http,https,tls,tcp", ELSE),
        ),
        ("HTTPS://door/a", "HTTPS://door/a", ("protocol_whitelist https,tls,tcp", ELSE)),
    ],
)
def test_playlist(source: str, quoted: str, options: tuple[str, ...]) -> None:
    lines = ["ffconcat version 1.0", f"file '{quoted}'", *(f"option {one}" for one in options)]
    assert playlist(source).decode().splitlines() == lines
    assert playlist(source).endswith(b"\n")


@pytest.mark.parametrize(
    ("source", "wanted"), [(SECRET, False), ("http://door/a", True), ("https://door/a", True)]
)
def test_the_times_of_pictures_over_http_are_those_of_their_arrival(
    source: str, wanted: bool
) -> None:
    option = b"option use_wallclock_as_timestamps 1\n"
    assert (option in playlist(source, untimed=True)) == wanted
    assert option not in playlist(source)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "door",
        "/etc/passwd",
        "file:///etc/passwd",
        "http:///live",
        "http://door/live'\noption protocol_whitelist file",
        "concat:http://door/live",
        "crypto+http://door/live",
        "tcp://door:554",
        "webrtc://door/",
        "rtsp:///live",
        "rtsp://door:99999/",
        "rtsp://door:0/",
        "rtsp://[door/",
        "rtsp://door/live'\nfile '/etc/passwd",
        "rtsp://door/a b",
        "rtsp://door/\x00",
        "rtsp://door/\r",
    ],
)
def test_no_playlist(source: str) -> None:
    with pytest.raises(CameraError) as caught:
        playlist(source)
    assert (caught.value.key, caught.value.placeholders) == ("camera_url", {})


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("scheme", ["rtsp", "rtmp", "http"])
async def test_without_us_it_ends_when_nothing_comes(
    ffmpeg: str, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """Nobody can end the child of a process that was killed; and the camera may hang, too."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(module, "_SILENCE", 200_000)
    monkeypatch.setattr(module, "_SILENCE_ELSE", 200_000)
    async with await asyncio.start_server(say_nothing, LOOPBACK, 0) as server:
        source = f"{scheme}://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/door"
        child = await asyncio.create_subprocess_exec(
            ffmpeg, *Form().arguments(), stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL
        )
        async with asyncio.timeout(10):
            await child.communicate(playlist(source))
    assert child.returncode


def test_ours_are_shorter() -> None:
    settings = RecorderSettings()
    assert max(settings.connect, settings.stall) <= module._SILENCE / 1e6
    assert settings.segmented < module._SILENCE_ELSE / 1e6


def test_forms() -> None:
    video = Form().arguments()
    assert video[-1] == "pipe:1"
    assert "0:a:0?" not in video
    assert "-min_frag_duration" not in video
    sound = Form("mov", audio=True, sparse=True).arguments()
    assert sound[sound.index("-c") + 1 :][:3] == ("copy", "-f", "mov")
    assert sound[sound.index("0:a:0?") - 1] == "-map"
    assert sound[sound.index("-min_frag_duration") + 1] == "400000"
    assert sound.index("-i") < sound.index("-map") < sound.index("-c")


def test_what_fits_less_is_tried_next() -> None:
    assert Form().next() is None
    second = Form(audio=True, sparse=True).next()
    assert second == Form("mov", audio=True, sparse=True)
    assert second.next() == Form("mp4", audio=False, sparse=True)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (b"[rtsp @ 0x1] [error] method OPTIONS failed: 401 Unauthorized", "camera_unauthorized"),
        (b"[rtsp @ 0x1] [error] method DESCRIBE failed: 401 (Unauthorized)", "camera_unauthorized"),
        (b"[error] pipe:0: Server returned 403 Forbidden (access denied)", "camera_unauthorized"),
        (b"[error] Stream map '0:v:0' matches no streams.", "camera_no_video"),
        (b"[error] Output file #0 does not contain any stream", "camera_no_video"),
        (
            b"[error] Could not find tag for codec pcm_mulaw, not currently supported in container",
            "camera_codec",
        ),
        (
            b"[tcp @ 0x1] [error] Connection to tcp://a failed: Connection timed out",
            "camera_timeout",
        ),
        (b"[rtsp @ 0x1] [error] method DESCRIBE failed: 404 Not Found", None),
        (b"[error] pipe:0: Connection refused", None),
        (b"\xff\xfe\n", None),
    ],
)
def test_causes(line: bytes, cause: str | None) -> None:
    messages = Messages(SECRET)
    messages.add(line)
    assert messages.cause == cause


def test_the_first_cause_counts() -> None:
    messages = Messages(SECRET)
    messages.add(b"matches no streams")
    messages.add(b"401 Unauthorized")
    assert messages.cause == "camera_no_video"


@pytest.mark.parametrize(
    "line",
    [
        f"[concat @ 0x55] Impossible to open '{SECRET}'",
        "Impossible to open 'rtsp://bell:s3cr%40et@192.0.2.7/other'",
        "opening RTSP://bell:s3cr%40et@192.0.2.7:554/live for reading",
        "x" * 290 + SECRET,
    ],
)
def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture, line: str) -> None:
    caplog.set_level(logging.DEBUG)
    Messages(SECRET).add(line.encode())
    assert len(caplog.messages) == 1
    assert len(caplog.messages[0]) <= 308
    assert "s3cr" not in caplog.text
    assert "192.0.2.7" not in caplog.text


class Program:
    """A stand-in for ffmpeg: a shell script that knows where to find a stream."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "stream").write_bytes(STREAM)

    def __call__(self, body: str) -> str:
        path = self.folder / "ffmpeg"
        path.write_text(f'#!/bin/sh\ncd "{self.folder}"\ncat > told\n{body}\n')
        path.chmod(0o755)
        return str(path)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def runs(pid: Path) -> bool:
    """Whether the process whose number is in a file is still there."""
    return Path("/proc", pid.read_text().strip()).exists()


async def end_of(
    ffmpeg: str, *, connect: float = 10, stall: float = 10
) -> tuple[Sequence[Fragment], CameraError]:
    """Receive until the error that ends every stream."""
    found: list[Fragment] = []

    async def take() -> None:
        received = receive(ffmpeg, SECRET, Form(), connect=connect, stall=stall)
        async with aclosing(received):
            async for _, one in received:
                found.append(one)

    with pytest.raises(CameraError) as caught:
        await take()
    return found, caught.value


async def test_credentials_go_to_stdin_only(program: Program, tmp_path: Path) -> None:
    ffmpeg = program("tr '\\0' '\\n' < /proc/$$/cmdline > command; env > env; cat stream")
    found, error = await end_of(ffmpeg)
    assert [one.start for one in found] == [0, 500]
    assert error.key == "camera_lost"
    assert (tmp_path / "told").read_bytes() == playlist(SECRET)
    assert "s3cr" not in (tmp_path / "command").read_text()
    assert "s3cr" not in (tmp_path / "env").read_text()
    assert "\npipe:0\n" in (tmp_path / "command").read_text()


@pytest.mark.parametrize(
    ("body", "key", "count"),
    [
        ("exit 1", "camera_unreachable", 0),
        ("echo 'failed: 401 Unauthorized' >&2; exit 1", "camera_unauthorized", 0),
        ("cat stream; echo 'Connection timed out' >&2", "camera_timeout", 2),
        ("cat stream stream", "camera_bad_stream", 2),
        ("echo nonsense; exec sleep 30", "camera_bad_stream", 0),
        (
            "head -c 200000 /dev/zero | tr '\\0' x >&2; echo '\n403 Forbidden' >&2",
            "camera_unauthorized",
            0,
        ),
    ],
)
async def test_ends(program: Program, body: str, key: str, count: int) -> None:
    found, error = await end_of(program(body))
    assert (error.key, len(found)) == (key, count)


async def test_no_file_can_be_opened_any_more(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("os.pipe", fail)
    _, error = await end_of(program("cat stream"))
    assert (error.key, error.placeholders) == ("ffmpeg_missing", {"error": "Too many open files"})


async def test_silence_from_the_start(program: Program) -> None:
    _, error = await end_of(program("exec sleep 30"), connect=0.05)
    assert error.key == "camera_timeout"


async def test_silence_later(program: Program) -> None:
    found, error = await end_of(program("cat stream; exec sleep 30"), stall=0.05)
    assert (error.key, len(found)) == ("camera_stalled", 2)


async def test_probe_waits_for_a_key_frame(program: Program, tmp_path: Path) -> None:
    init, _ = parsed(init_segment(VIDEO, AUDIO))
    blind = fragment(0, key=False)
    sound = fragment(0, track=2)
    (tmp_path / "stream").write_bytes(init.data + sound + blind + fragment(500))
    found = await probe(program("cat stream"), SECRET)
    assert found == Probe(init.tracks, len(fragment(500)) / 0.5)
    (tmp_path / "stream").write_bytes(init.data + sound + blind)
    with pytest.raises(CameraError, match="camera_lost"):
        await probe(program("cat stream"), SECRET)


async def test_probe_weighs_two_seconds(program: Program, tmp_path: Path) -> None:
    init, _ = parsed(init_segment(VIDEO, AUDIO))
    blind = fragment(0, key=False, size=5000)
    sound = fragment(700, track=2, size=10)
    later = [fragment(start, size=start) for start in (1000, 1500, 2000, 2500)]
    (tmp_path / "stream").write_bytes(
        b"".join((init.data, blind, fragment(500), sound, sound, *later))
    )
    found = await probe(program("cat stream; exec sleep 30"), SECRET)
    counted = [fragment(500), sound, sound, *later[:3]]
    assert found.bytes_per_second == sum(map(len, counted)) / 2


@pytest.mark.parametrize("patience", [10, 0.6])
async def test_probe_weighs_what_it_gets_in_time(
    program: Program, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    monkeypatch.setattr(probing, "_MEASURING", 0.05 if patience > 1 else 60)
    begun = time.monotonic()
    found = await probe(program("cat stream; exec sleep 30"), SECRET, patience)
    assert time.monotonic() - begun < 5
    assert found.bytes_per_second == len(fragment(0) + fragment(500))


async def test_probe_cannot_weigh_a_moment(program: Program, tmp_path: Path) -> None:
    (tmp_path / "stream").write_bytes(INIT.data + fragment(0, 0))
    assert await probe(program("cat stream"), SECRET) == Probe(INIT.tracks, None)


async def test_one_that_hangs_is_killed(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.doorstep.footage.ffmpeg._GOODBYE", 0.05)
    ffmpeg = program("trap '' TERM; echo $$ > pid; exec 3<stream; cat <&3; exec sleep 30")
    begun = time.monotonic()
    await end_of(ffmpeg, stall=0.05)
    assert time.monotonic() - begun < 5
    assert not runs(tmp_path / "pid")


async def test_cancelling_ends_the_child(program: Program, tmp_path: Path) -> None:
    ffmpeg = program("echo $$ > pid; cat stream; exec sleep 30")
    first = asyncio.Event()

    async def take() -> None:
        received = receive(ffmpeg, SECRET, Form(), connect=10, stall=10)
        async with aclosing(received):
            async for _ in received:
                first.set()

    task = asyncio.create_task(take())
    await first.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not runs(tmp_path / "pid")


async def test_no_ffmpeg(tmp_path: Path) -> None:
    _, error = await end_of(str(tmp_path / "none"))
    assert (error.key, error.placeholders) == (
        "ffmpeg_missing",
        {"error": "No such file or directory"},
    )


async def test_a_child_that_never_listens(tmp_path: Path) -> None:
    path = tmp_path / "ffmpeg"
    path.write_text("#!/bin/sh\nexec <&-\nsleep 0.1\n")
    path.chmod(0o755)
    _, error = await end_of(str(path))
    assert error.key == "camera_unreachable"
