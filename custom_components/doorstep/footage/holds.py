"""What people and requests keep from deletion, and the copies of it that go into backups.

Holds stand in `doorstep.db`, not in the library's index: they outlive it. Each held clip has a
checked copy in the kept folder, laid out as in the library.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Final

from ..encoding import JSON, format_time, parse_time
from ..ledger.database import Database
from ..ledger.log import Ledger
from .clip import Clip
from .copies import Stamp, clean, copy, copy_pictures, is_whole, stamp
from .files import ClipFiles, scan, storage
from .lines import ClipLines
from .verify import read_lines

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS clip_hold (
    clip TEXT NOT NULL,
    holder TEXT NOT NULL,
    doorbell TEXT NOT NULL,
    size INTEGER NOT NULL,
    root TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (clip, holder)
) STRICT;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A held clip: `size` of its video in bytes, its seal, held `since` (UTC) and by whom."""

    clip: str
    doorbell: str
    size: int
    root: str
    since: datetime
    holders: frozenset[str]


class Holds:
    """Who holds which clip. Every method blocks, any thread may call; failures: StorageError."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        library: Path,
        kept: Path,
        now: Callable[[], datetime],
    ) -> None:
        """Hold clips of the folder `library`, with copies in the folder `kept`."""
        self._database = database
        self._ledger = ledger
        self._library = library
        self._kept = kept
        self._now = now
        self._lock = Lock()  # one at a time works on files
        self._checked: dict[str, Stamp] = {}

    def hold(self, clip: Clip, holder: str, user: str) -> None:
        """Keep a clip from deletion, for "person" or "request:<handle>"; again is no news.

        `user` is who wanted it, or "": the ledger keeps that erasable.
        """
        row = (clip.id, holder, clip.doorbell, clip.size, clip.root, format_time(self._now()))
        with self._database.transaction() as tx:
            new = tx.execute("INSERT OR IGNORE INTO clip_hold VALUES (?, ?, ?, ?, ?, ?)", row)
            if new.rowcount:
                facts = {"holder": holder, "root": clip.root}
                self._ledger.append(tx, "clip_held", clip.id, facts, _private(user))

    def let_go(self, clip_id: str, holder: str, user: str) -> None:
        """End a hold; one that there isn't is no news."""
        with self._database.transaction() as tx:
            gone = tx.execute(
                "DELETE FROM clip_hold WHERE clip = ? AND holder = ?", (clip_id, holder)
            )
            if gone.rowcount:
                facts = {"holder": holder}
                self._ledger.append(tx, "clip_let_go", clip_id, facts, _private(user))

    def held(self) -> dict[str, Hold]:
        """All held clips by id, those held longest first."""
        found: dict[str, Hold] = {}
        with self._database.read() as tx:
            for row in tx.execute("SELECT * FROM clip_hold ORDER BY since, clip, holder"):
                earlier = found.get(row["clip"])
                found[row["clip"]] = Hold(
                    clip=row["clip"],
                    doorbell=row["doorbell"],
                    size=row["size"],
                    root=row["root"],
                    since=earlier.since if earlier else parse_time(row["since"]),
                    holders=(earlier.holders if earlier else frozenset()) | {row["holder"]},
                )
        return found

    def is_held(self, clip_id: str) -> bool:
        """Whether anybody holds a clip."""
        with self._database.read() as tx:
            row = tx.execute("SELECT 1 FROM clip_hold WHERE clip = ?", (clip_id,)).fetchone()
        return row is not None

    def sync(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Copy what is held and not yet kept, or damaged there; remove what nobody holds any more.

        `stop` is asked before each clip: all of them may take long to read.

        A clip that isn't whole in the library is not copied, and its copy stays as it is. What
        doesn't fit on the disk is StorageError `disk_full`; what was copied before stays.
        """
        with self._lock, storage():
            self._tidy()
            for hold in self.held().values():
                if stop():
                    return
                self._keep(hold)

    def bring_back(self) -> int:
        """Copy kept clips that the library has lost back into it; gives how many.

        Call it before the library opens. A damaged copy is better than none, as long as it has its
        seal. What doesn't fit is StorageError `disk_full`; what was brought before stays.
        """
        with self._lock, storage():
            lost = [hold for hold in self.held().values() if self._is_lost(hold)]
            for hold in lost:
                # unfinished copies: the library would take them for clips cut short
                clean(self._in_library(hold))
            return sum(self._bring(hold) for hold in lost)

    def _tidy(self) -> None:
        self._kept.mkdir(parents=True, exist_ok=True)
        for files, _ in list(scan(self._kept)):
            clean(files)
            if not self._is_held(files):
                files.discard()
                self._checked.pop(files.clip, None)
                with suppress(OSError):  # others are still in it
                    files.folder.rmdir()
                    files.folder.parent.rmdir()

    def _is_held(self, files: ClipFiles) -> bool:
        with self._database.read() as tx:
            row = tx.execute(
                "SELECT 1 FROM clip_hold WHERE clip = ? AND doorbell = ?",
                (files.clip, files.doorbell),
            ).fetchone()
        return row is not None

    def _keep(self, hold: Hold) -> None:
        source, target = self._in_library(hold), self._in_kept(hold)
        if self._is_kept(hold, target):
            copy_pictures(source, target)
            return
        lines = read_lines(source, hold.root)
        if isinstance(lines, ClipLines):
            copy(source, target, lines)

    def _is_kept(self, hold: Hold, files: ClipFiles) -> bool:
        """Whether a copy is whole; read again only if its files are others since."""
        found = stamp(files)
        if found is None:
            return False
        if self._checked.get(hold.clip) == found:
            return True
        if not is_whole(files, hold.root):
            return False
        self._checked[hold.clip] = found
        return True

    def _is_lost(self, hold: Hold) -> bool:
        files = self._in_library(hold)
        there = files.lines.exists() or files.binned_lines.exists()
        return not (there and files.video.exists())

    def _bring(self, hold: Hold) -> bool:
        source = self._in_kept(hold)
        lines = read_lines(source, hold.root)
        if not isinstance(lines, ClipLines):
            return False
        return copy(source, self._in_library(hold), lines, damaged=True)

    def _in_library(self, hold: Hold) -> ClipFiles:
        return ClipFiles.place(self._library, hold.doorbell, hold.clip)

    def _in_kept(self, hold: Hold) -> ClipFiles:
        return ClipFiles.place(self._kept, hold.doorbell, hold.clip)


def _private(user: str) -> dict[str, JSON] | None:
    return {"user": user} if user else None
