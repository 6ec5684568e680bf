"""A clip: the fragments of one event, sealed. How one is closed, found again and repaired."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
import os
from pathlib import Path
from typing import BinaryIO

from ..errors import StorageError
from .files import FULL, ClipFiles, append, storage
from .lines import ClipLines, Ending, FragmentLine, doorbell_mark, encode, whole_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A closed clip.

    `start` and `end` are UTC, `seconds` its length as a player shows it, `size` the bytes of its
    video, `root` the seal (hex), `folder` where its files lie.
    """

    id: str
    doorbell: str
    event: str
    event_at: datetime
    start: datetime
    end: datetime
    seconds: float
    size: int
    root: str
    folder: Path

    @property
    def files(self) -> ClipFiles:
        """All its files."""
        return ClipFiles(self.folder, self.id)

    @property
    def video(self) -> Path:
        """The MP4 file."""
        return self.files.video

    @property
    def lines(self) -> Path:
        """Its `fragments.jsonl`."""
        return self.files.lines

    @property
    def picture(self) -> Path:
        """The right-moment picture; the file may be missing."""
        return self.files.picture

    @property
    def thumbnail(self) -> Path:
        """The picture made small; the file may be missing."""
        return self.files.thumbnail


def load(files: ClipFiles) -> Clip:
    """Read a closed clip from its files; what isn't one: StorageError `clip_unreadable`."""
    try:
        lines = ClipLines.parse(files.lines.read_bytes())
        size = files.video.stat().st_size
    except OSError as error:
        raise StorageError("clip_unreadable", clip=files.clip) from error
    if not _belongs(files, lines) or lines.size != size:
        raise StorageError("clip_unreadable", clip=files.clip)
    return describe(files, lines)


def _belongs(files: ClipFiles, lines: ClipLines) -> bool:
    """Whether the lines are those of this clip of this doorbell."""
    named = (lines.header.get("clip"), lines.header.get("doorbell"))
    return named == (files.clip, doorbell_mark(files.clip, files.doorbell))


def describe(files: ClipFiles, lines: ClipLines) -> Clip:
    """Work out a clip's facts from its lines; without a video fragment: StorageError."""
    video = lines.footage
    if not video or lines.event_at is None:
        raise StorageError("clip_unreadable", clip=files.clip)
    last, scale = video[-1], lines.timescales[lines.video]
    return Clip(
        id=files.clip,
        doorbell=files.doorbell,
        event=str(lines.header["event"]),
        event_at=lines.event_at,
        # the host's clock may have been set back in between
        start=min(line.utc for line in video),
        end=max(_after(line, scale) for line in video),
        seconds=round((last.start + last.duration) / scale, 3),
        size=lines.size,
        root=lines.root(),
        folder=files.folder,
    )


def _after(line: FragmentLine, scale: int) -> datetime:
    return line.utc + timedelta(milliseconds=round(1000 * line.duration / scale))


def finish(files: ClipFiles, lines: ClipLines, ending: Ending) -> Clip | None:
    """Close a clip whose files hold at least `lines`: cut off the rest, say why, publish.

    Where the disk has no room even for the last line, whole fragments give way. A clip without
    video is removed: None. Other failures of the disk: StorageError; `recover` tries again.
    """
    with storage():
        while lines.footage and lines.ending is None:
            try:
                lines = _end(files, lines, ending)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                lines = lines.shortened()
        if not lines.footage:
            files.discard()
            return None
        files.publish()
    return describe(files, lines)


def _end(files: ClipFiles, lines: ClipLines, ending: Ending) -> ClipLines:
    last = encode({"end": ending, "fragments": len(lines.fragments)})
    video = files.open_video if files.open_video.exists() else files.video
    os.truncate(video, lines.size)
    os.truncate(files.open_lines, sum(len(line) + 1 for line in lines.raw))
    with files.open_lines.open("ab", buffering=0) as file:
        append(file, last + b"\n")
    lines.add(last)
    return lines


def recover(files: ClipFiles) -> Clip | None:
    """Close a clip that was cut short, at its last whole fragment; None if nothing is left of it.

    A disk that fails: StorageError, and the files stay for the next try.
    """
    with storage():
        data = files.open_lines.read_bytes()
        video = files.open_video if files.open_video.exists() else files.video
        if not video.exists():
            files.discard()
            return None
        with video.open("rb") as file:
            lines = _whole(data, file)
    if not _belongs(files, lines):
        lines = ClipLines()
    return finish(files, lines, "recovered")


def _whole(data: bytes, video: BinaryIO) -> ClipLines:
    """Read the lines up to the first that the video doesn't bear out."""
    lines = ClipLines()
    for line in whole_lines(data):
        known = len(lines.fragments)
        try:
            lines.add(line)
        except StorageError:
            break
        if known == len(lines.fragments):
            continue
        added = lines.fragments[-1]
        video.seek(added.offset)
        if sha256(video.read(added.length)).hexdigest() != added.sha256:
            return lines.shortened()
    return lines
