"""Where the files of a clip are, and disk work that says what failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import errno
import os
from pathlib import Path
import re
from secrets import token_hex
from typing import BinaryIO, Final

from ..errors import StorageError

PARTIAL: Final = ".partial"
BINNED: Final = ".deleted"
CLIP_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_DOORBELL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def new_clip_id(at: datetime) -> str:
    """Name a clip for the second of its event, and at random."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{token_hex(4)}"


@dataclass(frozen=True, slots=True)
class ClipFiles:
    """The files of one clip, in the folder of its day (UTC)."""

    folder: Path
    clip: str

    @classmethod
    def place(cls, library: Path, doorbell: str, clip: str) -> ClipFiles:
        """Find a clip's place in the library; names that could lead elsewhere: StorageError."""
        if not _DOORBELL.fullmatch(doorbell) or not CLIP_ID.fullmatch(clip):
            raise StorageError("clip_name", clip=clip)
        day = f"{clip[:4]}-{clip[4:6]}-{clip[6:8]}"
        return cls(library / doorbell / day, clip)

    @property
    def doorbell(self) -> str:
        """Id of the doorbell whose folder it is."""
        return self.folder.parent.name

    @property
    def video(self) -> Path:
        """The MP4 file."""
        return self.folder / f"{self.clip}.mp4"

    @property
    def lines(self) -> Path:
        """The clip's `fragments.jsonl`."""
        return self.folder / f"{self.clip}.jsonl"

    @property
    def picture(self) -> Path:
        """The right-moment picture, if one could be made."""
        return self.folder / f"{self.clip}.jpg"

    @property
    def thumbnail(self) -> Path:
        """The picture made small, if there is one."""
        return self.folder / f"{self.clip}.thumb.jpg"

    @property
    def binned_lines(self) -> Path:
        """The lines while the clip lies in the bin."""
        return self.lines.with_name(self.lines.name + BINNED)

    @property
    def open_video(self) -> Path:
        """The MP4 file while the clip grows."""
        return partial(self.video)

    @property
    def open_lines(self) -> Path:
        """The lines while the clip grows."""
        return partial(self.lines)

    def publish(self) -> None:
        """Give a closed clip its names, lines last: who finds them finds all. OSError passes."""
        for path in (self.video, self.lines):
            if partial(path).exists():
                sync(partial(path))
                partial(path).rename(path)
        sync(self.folder)
        sync(self.folder.parent)

    def throw_away(self, at: datetime) -> None:
        """Put the clip into the bin, and say since when; again is no error. OSError passes."""
        lines = self.lines if self.lines.exists() else self.binned_lines
        stamp = (at - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1) * 1000
        os.utime(lines, ns=(stamp, stamp))
        lines.replace(self.binned_lines)
        sync(self.folder)

    def restore(self) -> None:
        """Take the clip out of the bin; again is no error. OSError passes."""
        if not self.lines.exists():
            self.binned_lines.rename(self.lines)
        sync(self.folder)

    def discard(self) -> None:
        """Remove whatever there is of the clip, lines first. OSError passes."""
        self.binned_lines.unlink(missing_ok=True)
        for path in (self.lines, self.video, self.picture, self.thumbnail):
            path.unlink(missing_ok=True)
            partial(path).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class BinnedFiles(ClipFiles):
    """The files of a clip in the bin, to be read as any other's."""

    @property
    def lines(self) -> Path:
        """The lines, by the name they have there."""
        return self.folder / f"{self.clip}.jsonl{BINNED}"

    def binned_at(self) -> datetime:
        """Tell since when the clip lies in the bin. OSError passes."""
        return datetime.fromtimestamp(self.lines.stat().st_mtime, UTC)


def partial(path: Path) -> Path:
    """Name a file that isn't finished."""
    return path.with_name(path.name + PARTIAL)


def scan(library: Path) -> Iterator[tuple[ClipFiles, set[str]]]:
    """Find all clips, by day: their place, and which files there are ("mp4", "jpg.partial"...).

    OSError passes: a folder that can't be read is not an empty one.
    """
    for doorbell in _folders(library, _DOORBELL):
        for day in _folders(doorbell, _DAY):
            parts: dict[str, set[str]] = {}
            with os.scandir(day) as entries:
                for entry in entries:
                    clip, _, part = entry.name.partition(".")
                    parts.setdefault(clip, set()).add(part)
            for clip in sorted(filter(CLIP_ID.fullmatch, parts)):
                yield ClipFiles(day, clip), parts[clip]


def _folders(inside: Path, name: re.Pattern[str]) -> list[Path]:
    with os.scandir(inside) as entries:
        found = [one.name for one in entries if name.fullmatch(one.name) and one.is_dir()]
    return [inside / one for one in sorted(found)]


@contextmanager
def storage() -> Iterator[None]:
    """Turn OSErrors of the block into StorageError `disk_full` or `disk_failed`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageError("disk_full") from error
        raise StorageError("disk_failed", error=error.strerror or error) from error


def append(file: BinaryIO, data: bytes) -> None:
    """Write all of `data` to an unbuffered file."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def sync(path: Path) -> None:
    """Make a file's content, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all. OSError passes."""
    unfinished = partial(path)
    try:
        unfinished.write_bytes(data)
        sync(unfinished)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)
