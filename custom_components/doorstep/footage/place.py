"""Whether the disk of the library folder is there: an empty mount point is not the library."""

from os.path import ismount
from pathlib import Path
from typing import Final

from ..errors import StorageError
from ..ledger.database import Database
from .index import INDEX

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS library_place (
    folder TEXT PRIMARY KEY,
    mount TEXT NOT NULL
) STRICT;
"""


def check_place(database: Database, folder: Path) -> None:
    """Remember on which mount point the library lies; StorageError `library_unmounted` without it.

    Call it before anything is written to the folder: it would land on another disk. Blocks.
    """
    mount, there = _mount(folder), (folder / INDEX).exists()
    with database.read() as tx:
        known = tx.execute(
            "SELECT mount FROM library_place WHERE folder = ?", (str(folder),)
        ).fetchone()
    if known and not there and not ismount(known["mount"]):
        raise StorageError("library_unmounted", folder=folder, mount=known["mount"])
    if known is None or known["mount"] != mount:
        with database.transaction() as tx:
            tx.execute("REPLACE INTO library_place VALUES (?, ?)", (str(folder), mount))


def _mount(folder: Path) -> str:
    resolved = folder.resolve()
    return str(next(one for one in (resolved, *resolved.parents) if ismount(one)))
