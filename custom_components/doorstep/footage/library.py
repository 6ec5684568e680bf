"""The library: the clips of a folder, and an index over them. The files are the truth."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from threading import Lock

from ..errors import StorageError
from .browse import Browser, Oldest, Which
from .clip import Clip
from .deletions import BIN, Deletions
from .files import storage
from .folder import Usage, space
from .index import INDEX, Deletion, Index
from .intake import Intake
from .retention import Reason, RetentionPolicy, surplus

__all__ = ["BIN", "INDEX", "Deletion", "Library"]


def _nobody(_clip_id: str, _reason: str) -> None:
    """Tell nobody of a deletion."""


class Library:
    """The clips of all doorbells. Every method blocks; failures of disk or index: StorageError.

    Opening it repairs clips that were cut short, finishes deletions, finds what is new or missing,
    and makes the index anew where it is lost or damaged; where much is new, `unread` says how many
    clips are left for `catch_up`. `on_sealed` is called for each clip before the index knows it:
    after a crash, or with a lost index, again for the same clip. `on_deleted` is called with a
    clip's id and the reason, after the index knows and before files go: perhaps twice. Neither may
    call the library; whoever calls the library may not hold what they wait for.
    """

    def __init__(
        self,
        folder: Path,
        on_sealed: Callable[[Clip], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        on_deleted: Callable[[str, str], None] = _nobody,
    ) -> None:
        """Open the library in `folder`; no recorder may be writing there."""
        self.folder = folder
        self.refuses: str | None = None  # error key while nothing may be recorded
        self._now = now
        with storage():
            folder.mkdir(parents=True, exist_ok=True)
        self._index = Index(folder)
        self._browser = Browser(self._index)
        self._lock = lock = Lock()
        self._deletions = Deletions(self._index, on_deleted, now, lock)
        self._intake = Intake(
            folder, self._index, self._deletions, on_sealed=on_sealed, now=now, lock=lock
        )
        try:
            self._intake.open()
            self._deletions.settle()
        except BaseException:
            self._index.close()
            raise

    def close(self) -> None:
        """Close the index."""
        self._deletions.close()
        self._index.close()

    # --- what there is --------------------------------------------------------------------

    @property
    def there(self) -> bool:
        """Whether the folder still is what was opened: else its disk went, perhaps."""
        return self._index.there

    @property
    def unread(self) -> int:
        """How many clips were found that the index doesn't know yet."""
        return len(self._intake.unread)

    @property
    def unreadable(self) -> tuple[Path, ...]:
        """The lines of clips that make no sense; their files stay as they are."""
        return self._intake.unreadable

    def get(self, clip_id: str) -> Clip | None:
        """Find a clip; one whose file has vanished is noted as missing, and not found."""
        entry = self._index.find(clip_id)
        if entry is None or entry.deletion is not None:
            return None
        if not entry.clip.video.exists():
            self._deletions.miss([clip_id])
            return None
        return entry.clip

    def has(self, clip_id: str) -> bool:
        """Whether a clip is there once whatever is being deleted just now is gone."""
        with self._lock:
            return self.get(clip_id) is not None

    def deletion(self, clip_id: str) -> Deletion | None:
        """When and why a clip went; None if it is there or never was."""
        return self._deletions.find(clip_id)

    def doorbells(self) -> list[str]:
        """List the ids of the doorbells that have clips, also of those that were removed."""
        return self._browser.doorbells()

    def days(self, doorbell: Which = None, zone: tzinfo = UTC) -> list[date]:
        """List the days with clips of one doorbell, some or all, as `zone` counts; newest first."""
        return self._browser.days(doorbell, zone)

    def hours(self, doorbell: Which, day: date, zone: tzinfo = UTC) -> list[tuple[datetime, int]]:
        """List the hours of a day with clips, as `zone` counts: start (UTC), clips; newest first.

        An hour that a change of the clock brings twice is two.
        """
        return self._browser.hours(doorbell, day, zone)

    def clips(
        self,
        doorbell: Which = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
        offset: int = 0,
        *,
        event: str | None = None,
    ) -> list[Clip]:
        """List clips that begin in [start, end), newest first, a page at a time."""
        return self._browser.clips(doorbell, event, (start, end), limit, offset)

    def count(
        self,
        doorbell: Which = None,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        event: str | None = None,
    ) -> int:
        """Count clips that begin in [start, end)."""
        return self._browser.count(doorbell, event, (start, end))

    def between(self, doorbell: str, start: datetime, end: datetime) -> list[Clip]:
        """List clips that overlap [start, end), oldest first."""
        return self._browser.between(doorbell, start, end)

    def binned(self) -> list[tuple[Clip, Deletion]]:
        """List what can be brought back, newest first."""
        return self._deletions.binned()

    def usage(self) -> Usage:
        """Count clips and bytes, and measure the room that is left."""
        weights = self._browser.weigh().values()
        binned = self._browser.binned()
        held = sum(size for _, size in weights) + binned
        return Usage(sum(clips for clips, _ in weights), held, space(self.folder), binned)

    def usage_by_doorbell(self) -> dict[str, tuple[int, int]]:
        """Count clips and bytes of each doorbell that has some."""
        return self._browser.weigh()

    def recorded_since(self, at: datetime) -> tuple[int, datetime | None]:
        """Sum the bytes of clips that began since then, and find when the oldest of them did."""
        return self._browser.since(at)

    # --- what changes ---------------------------------------------------------------------

    def add(self, clip: Clip) -> None:
        """Take in a closed clip, once it is sealed.

        One that can't be now, say for a full disk, is tried again with the next, and by `prune`.
        """
        self._intake.add(clip)

    def delete(
        self, clip_id: str, reason: str, *, stays: Callable[[str], bool] = lambda _: False
    ) -> bool:
        """Delete a clip for good, for a reason one can read later; unknown: `clip_unknown`.

        One from the bin keeps the reason it was thrown away for. One that `stays`, which nobody
        changes while it is asked, is left: False.
        """
        return self._deletions.delete(clip_id, reason, stays=stays)

    def throw_away(self, clip_id: str, reason: str = "person") -> datetime:
        """Put a clip into the bin, and say until when it can be brought back.

        An unknown one: `clip_unknown`. What lies there already stays as it is.
        """
        return self._deletions.throw_away(clip_id, reason)

    def restore(self, clip_id: str) -> Clip:
        """Bring a clip back from the bin; one that is there is simply returned.

        StorageError: `clip_gone` when its day is over or room had to be made, `clip_unknown`.
        """
        return self._deletions.restore(clip_id)

    def prune(
        self,
        policy: RetentionPolicy,
        now: datetime,
        spared: frozenset[str] = frozenset(),
        *,
        stays: Callable[[str], bool] = lambda _: False,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[tuple[Clip, Reason]]:
        """Delete what the policy doesn't keep, until `stop` says so; say what went and why.

        `stays` is asked of each clip right before it goes: it may be spared by then. The bin is
        emptied of what is due; where room is short of all, before any other clip goes.
        StorageError if nothing could be deleted though something had to be.
        """
        with suppress(StorageError):
            self._intake.add()
        self._deletions.settle()
        self._empty_bin(policy, now)
        sizes = {doorbell: size for doorbell, (_, size) in self.usage_by_doorbell().items()}
        clips = {doorbell: Oldest(self._index, doorbell) for doorbell in sizes}
        chosen = surplus(clips, self.usage(), policy, now, spared, sizes=sizes)
        gone: list[tuple[Clip, Reason]] = []
        for clip, reason in chosen:
            if stop():
                break
            try:
                if not self.delete(clip.id, reason, stays=stays):
                    continue
            except StorageError as error:
                if error.key == "clip_unknown":
                    continue  # somebody was quicker
                if not gone:
                    raise
                break
            gone.append((clip, reason))
        with suppress(StorageError):
            self._intake.add()
        return gone

    def _empty_bin(self, policy: RetentionPolicy, now: datetime) -> None:
        usage = self.usage()
        much = usage.bytes - policy.budget(usage.space)
        short = policy.floor - usage.space.free
        for entry in self._index.binned():
            until = entry.deletion and entry.deletion.until
            if (until and until <= now) or much > 0 or short > 0:
                with suppress(StorageError):
                    self._deletions.delete(entry.clip.id, "age")
                    much -= entry.clip.size
                    short -= entry.clip.size

    def rescan(self) -> None:
        """Look at the folder again, also while recorders write to it.

        Clips that are new there wait for `catch_up`; those that vanished are noted as missing.
        """
        self._intake.rescan()
        self._deletions.settle()

    def catch_up(self, progress: Callable[[int, int], None], stop: Callable[[], bool]) -> None:
        """Read in the clips that the index doesn't know, newest first, until `stop` says so.

        `progress` hears how many are done, of how many. Others may call the library meanwhile.
        """
        self._intake.catch_up(progress, stop)
