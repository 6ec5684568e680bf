"""Large libraries: an index, and files with nothing in them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from custom_components.doorstep.footage.files import ClipFiles, new_clip_id
from custom_components.doorstep.footage.library import Library

DOORBELLS: Final = 4
_SECONDS: Final = 30


def fill(library: Library, clips: int, apart: timedelta, newest: datetime) -> None:
    """Tell a library of so many CLIPS, one each APART, of four doorbells in turn; no files."""
    times = [newest - n * apart for n in range(clips)]
    with library._index.database.transaction() as tx:
        columns = [row["name"] for row in tx.execute("PRAGMA table_info(clip)")]
        marks = ",".join("?" * len(columns))
        names = ",".join(f'"{column}"' for column in columns)
        tx.executemany(
            f"INSERT INTO clip ({names}) VALUES ({marks})",
            ([_row(n, at).get(column) for column in columns] for n, at in enumerate(times)),
        )


def lay_out(library: Library) -> int:
    """Make the files of all clips; returns how many clips there are."""
    with library._index.database.read() as tx:
        places = [
            ClipFiles.place(library.folder, row["doorbell"], row["id"])
            for row in tx.execute("SELECT id, doorbell FROM clip")
        ]
    for folder in {files.folder for files in places}:
        folder.mkdir(parents=True)
    for files in places:
        files.video.touch()
        files.lines.touch()
    return len(places)


def doorbell(number: int) -> str:
    """Name a doorbell as Home Assistant would."""
    return f"{number:026d}"


def _row(n: int, at: datetime) -> dict[str, object]:
    begin = (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    return {
        "id": new_clip_id(at),
        "doorbell": doorbell(n % DOORBELLS),
        "event": ("ring", "motion")[n % 2],
        "event_at": begin + 10_000,
        "start": begin,
        "end": begin + 1000 * _SECONDS,
        "seconds": float(_SECONDS),
        "size": 1,
        "root": "00" * 32,
        "done": 0,
    }


def folder_of(base: Path) -> Path:
    """Say where a home of the fleet keeps its library."""
    return base / "library"
