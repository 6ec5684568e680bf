"""Real sealed clips: ffmpeg encodes, this file seals; nothing of the code under test is used."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
import json
import os
from pathlib import Path
import shutil
import struct
import subprocess

import imageio_ffmpeg

from custom_components.doorstep.footage.clip import Clip

TOOLS = Path(__file__).parents[2] / ".tools" / "bin"
START = datetime(2026, 11, 14, 20, 0, 0, tzinfo=UTC)
CLIP_ID = "20261114T200010Z-0a1b2c3d"
DOORBELL = "01JD3ZK7Q2W8V5N4M6P9R0S1T2"


def ffmpeg() -> str:
    """Find the ffmpeg of scripts/setup, else the wheel's."""
    found = shutil.which("ffmpeg", path=f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
    return found or imageio_ffmpeg.get_ffmpeg_exe()


def encode(*, seconds: int, bframes: int = 2, audio: bool = True) -> bytes:
    """Make a fragmented MP4 with the recorder's flags: H.264 of one key frame a second, AAC."""
    sound = ["-f", "lavfi", "-i", f"sine=440:r=16000:d={seconds}"] if audio else []
    command = [
        *(ffmpeg(), "-nostdin", "-v", "error"),
        *("-f", "lavfi", "-i", f"testsrc=s=160x120:r=10:d={seconds}", *sound),
        *("-c:v", "libx264", "-preset", "ultrafast", "-bf", str(bframes), "-g", "10"),
        *("-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "32k"),
        *("-metadata", "title=Smith front door"),
        *("-f", "mp4", "-movflags", "+empty_moov+default_base_moof+frag_keyframe+separate_moof"),
        *("-frag_duration", "500000", "pipe:1"),
    ]
    return subprocess.run(command, check=True, capture_output=True).stdout


def split(data: bytes) -> list[tuple[bytes, bytes]]:
    """Split into top-level boxes: (type, whole box)."""
    found, at = [], 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        found.append((kind, data[at : at + size]))
        at += size
    return found


def inner(data: bytes, *path: bytes) -> bytes:
    """Follow a path of box types inside a box; gives the last one whole."""
    for wanted in path:
        data = next(box for kind, box in split(data[8:]) if kind == wanted)
    return data


@dataclass
class Sealer:
    """Splits a recording into fragments and writes their lines as the recorder does."""

    data: bytes
    lines: list[dict[str, object]] = field(default_factory=list)
    pieces: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        boxes = split(self.data)
        assert [kind for kind, _ in boxes[:2]] == [b"ftyp", b"moov"]
        self.init = init = boxes[0][1] + boxes[1][1]
        self.tracks = _tracks(boxes[1][1])
        self.lines.append(_header(init, self.tracks))
        offset, index = len(init), 0
        for (kind, moof), (_, mdat) in pairwise(boxes[2:]):
            if kind == b"moof":
                line = self._line(index, moof + mdat, offset)
                self.pieces[len(self.lines)] = moof + mdat
                self.lines.append(line)
                offset, index = offset + len(moof + mdat), index + 1
        self.data = self.data[:offset]
        self.lines.append({"end": "post-roll", "fragments": index})

    def _line(self, index: int, piece: bytes, offset: int) -> dict[str, object]:
        moof = piece[: struct.unpack_from(">I", piece)[0]]
        track = struct.unpack_from(">I", inner(moof, b"traf", b"tfhd"), 12)[0]
        start = struct.unpack_from(">Q", inner(moof, b"traf", b"tfdt"), 12)[0]
        duration, key = _run(moof)
        scale = self.tracks[track - 1]["timescale"]
        assert isinstance(scale, int)
        utc = START + timedelta(seconds=start / scale)
        return {
            "i": index,
            "track": track,
            "utc": stamp(utc),
            "how": "arrival",
            "start": start,
            "duration": duration,
            "key": key,
            "offset": offset,
            "length": len(piece),
            "sha256": sha256(piece).hexdigest(),
        }

    def drop(self, numbers: list[int]) -> None:
        """Forget the fragments at these lines, as if they had never come."""
        kept = [piece for number, piece in self.pieces.items() if number not in numbers]
        self.lines = [line for number, line in enumerate(self.lines) if number not in numbers]
        self._lay_out(kept)

    def replace_init(self, change: Callable[[bytes], bytes]) -> None:
        """Seal another init segment in place of the recording's."""
        self.init = change(self.init)
        self.lines[0]["init"] = {"sha256": sha256(self.init).hexdigest(), "length": len(self.init)}
        self._lay_out(list(self.pieces.values()))

    def _lay_out(self, pieces: list[bytes]) -> None:
        fragments = [line for line in self.lines if "i" in line]
        offset = len(self.init)
        for index, (line, piece) in enumerate(zip(fragments, pieces, strict=True)):
            line |= {"i": index, "offset": offset}
            offset += len(piece)
        self.data = self.init + b"".join(pieces)
        self.lines[-1]["fragments"] = len(pieces)

    def write(self, folder: Path, clip: str = CLIP_ID, doorbell: str = DOORBELL) -> Clip:
        """Write both files; the root is computed here, independently (RFC 6962)."""
        folder.mkdir(parents=True, exist_ok=True)
        mark = sha256(f"{clip}:{doorbell}".encode()).hexdigest()
        self.lines[0] |= {"clip": clip, "doorbell": self.lines[0].get("doorbell", mark)}
        lines = [canonical(line) for line in self.lines]
        sealed = Clip(
            id=clip,
            doorbell=doorbell,
            event="ring",
            event_at=START + timedelta(seconds=10),
            start=START,
            end=START + timedelta(seconds=60),
            seconds=60,
            size=len(self.data),
            root=tree(lines).hex(),
            folder=folder,
        )
        sealed.lines.write_bytes(b"".join(line + b"\n" for line in lines))
        sealed.video.write_bytes(self.data)
        return sealed


def canonical(value: object) -> bytes:
    """Write JSON as the recorder does."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def stamp(time: datetime) -> str:
    """Write a time as the recorder does."""
    spec = "milliseconds" if time.microsecond >= 1000 else "seconds"
    return time.replace(tzinfo=None).isoformat(timespec=spec) + "Z"


def tree(lines: list[bytes]) -> bytes:
    """Merkle tree hash, straight from RFC 6962, section 2.1."""
    if len(lines) == 1:
        return sha256(b"\0" + lines[0]).digest()
    half = 1 << (len(lines) - 1).bit_length() - 1
    return sha256(b"\1" + tree(lines[:half]) + tree(lines[half:])).digest()


def _header(init: bytes, tracks: list[dict[str, object]]) -> dict[str, object]:
    return {
        "v": 1,
        "clip": CLIP_ID,
        "event": "ring",
        "event_at": stamp(START + timedelta(seconds=10)),
        "tracks": tracks,
        "init": {"sha256": sha256(init).hexdigest(), "length": len(init)},
        "camera_clock_offset": -0.25,
        "camera_clock_measured": stamp(START),
        "host_ntp": "synchronised",
        "recorder": "0.1.0",
    }


def _tracks(moov: bytes) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for kind, box in split(moov[8:]):
        if kind == b"trak":
            media = inner(box, b"mdia", b"mdhd")
            video = inner(box, b"mdia", b"hdlr")[16:20] == b"vide"
            found.append(
                {
                    "id": struct.unpack_from(">I", inner(box, b"tkhd"), 20)[0],
                    "kind": "video" if video else "audio",
                    "codec": "avc1.42c00a" if video else "mp4a.40.2",
                    "timescale": struct.unpack_from(">I", media, 20)[0],
                }
            )
    return found


def _run(moof: bytes) -> tuple[int, bool]:
    """Duration in ticks, and whether the first sample is a sync sample (ffmpeg's own layout)."""
    header, run = inner(moof, b"traf", b"tfhd"), inner(moof, b"traf", b"trun")
    defaults = struct.unpack_from(">I", header, 8)[0] & 0xFFFFFF
    at, values = 16, {}
    for flag in (0x8, 0x10, 0x20):
        if defaults & flag:
            values[flag] = struct.unpack_from(">I", header, at)[0]
            at += 4
    flags, count = struct.unpack_from(">II", run, 8)
    at, first = 16 + 4 * bool(flags & 1), values.get(0x20, 0)
    if flags & 4:
        first, at = struct.unpack_from(">I", run, at)[0], at + 4
    columns = [flag for flag in (0x100, 0x200, 0x400, 0x800) if flags & flag]
    rows = [
        struct.unpack_from(f">{len(columns)}I", run, at + 4 * len(columns) * row)
        for row in range(count)
    ]
    if 0x400 in columns:
        first = rows[0][columns.index(0x400)]
    if 0x100 in columns:
        return sum(row[columns.index(0x100)] for row in rows), not first & 0x10000
    return values[0x8] * count, not first & 0x10000
