"""A library with clips in it, and what it told others."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.files import ClipFiles
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.writer import ClipWriter

from .synthetic import EPOCH, received, stream

SECOND = timedelta(seconds=1)
NOW = EPOCH + timedelta(days=1)


class House:
    """A library, what it sealed and deleted, and a way to fill it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.sealed: list[str] = []
        self.deleted: list[tuple[str, str]] = []
        self.library = self.open()

    def open(self) -> Library:
        """Open the library (again), as a start of Doorstep does."""
        self.library = Library(self.folder, self.seal, lambda: self.now, on_deleted=self.delete)
        return self.library

    def seal(self, clip: Clip) -> None:
        self.sealed.append(clip.id)

    def delete(self, clip_id: str, reason: str) -> None:
        self.deleted.append((clip_id, reason))

    def reopen(self) -> Library:
        self.library.close()
        return self.open()

    def lose_index(self) -> None:
        """Close the library, and remove its index."""
        self.library.close()
        for path in self.folder.glob("index.db*"):
            path.unlink()

    def clip(self, at: datetime, seconds: int = 1, doorbell: str = "door") -> Clip:
        """Write a clip's files; the library doesn't know."""
        stamp = f"{at:%Y%m%dT%H%M%SZ}-{abs(hash((at, doorbell))) % 16**8:08x}"
        items = received(stream(at=at), range(0, 1000 * seconds, 500))
        writer = ClipWriter(
            ClipFiles.place(self.folder, doorbell, stamp), doorbell, "ring", at, items[0]
        )
        for item in items:
            writer.write(item)
        clip = writer.close("post-roll")
        assert clip is not None
        return clip

    def add(self, at: datetime = EPOCH, seconds: int = 1, doorbell: str = "door") -> Clip:
        clip = self.clip(at, seconds, doorbell)
        self.library.add(clip)
        return clip

    def files(self) -> set[str]:
        """Name what lies in the folder of the days, without the stamps of clips."""
        return {path.name.partition(".")[2] for path in self.folder.glob("*/*/*")}


def ids(clips: Iterable[Clip]) -> list[str]:
    return [clip.id for clip in clips]
