"""What the ledger remembers of clips: when each was sealed, deleted, restored, and by whom."""

from collections.abc import Iterator
from contextlib import contextmanager

from .footage.clip import Clip
from .ledger.database import Database
from .ledger.log import Entry, Ledger


class ClipLog:
    """Writes the life of clips to the ledger, each step once; every method blocks."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        """Write to `ledger`."""
        self._database = database
        self._ledger = ledger
        self._deleting: dict[str, str] = {}

    def sealed(self, clip: Clip) -> None:
        """Write a closed clip's seal, the first time only: a changed clip gets no second one."""
        if self.seal(clip.id) is None:
            with self._database.transaction() as tx:
                self._ledger.append(
                    tx, "clip_sealed", clip.id, {"root": clip.root, "event": clip.event}
                )

    def seal(self, clip_id: str) -> str | None:
        """Return the root (hex) that a clip was sealed with, or None."""
        found = self._ledger.entries(subject=clip_id, kind="clip_sealed")
        return str(found[-1].facts["root"]) if found else None

    @contextmanager
    def deleting(self, clip_id: str, user: str) -> Iterator[None]:
        """Have the deletion in this block be that of a person."""
        self._deleting[clip_id] = user
        try:
            yield
        finally:
            # somebody else may delete it at the same time
            self._deleting.pop(clip_id, None)

    def deleted(self, clip_id: str, reason: str) -> None:
        """Write that a clip goes, and why; again, after a crash, is no second entry."""
        known = self._newest(clip_id, "clip_deleted")
        if known and known.facts["reason"] == reason:
            restored = self._newest(clip_id, "clip_restored")
            if restored is None or restored.index < known.index:
                return
        user = self._deleting.get(clip_id)
        private = None if user is None else {"user": user}
        with self._database.transaction() as tx:
            self._ledger.append(tx, "clip_deleted", clip_id, {"reason": reason}, private)

    def was_kept(self, clip_id: str) -> bool:
        """Whether somebody kept a clip up to its deletion, which let go of it."""
        deleted = self._newest(clip_id, "clip_deleted")
        let_go = self._newest(clip_id, "clip_let_go")
        return deleted is not None and let_go is not None and let_go.index > deleted.index

    def _newest(self, clip_id: str, kind: str) -> Entry | None:
        return next(iter(self._ledger.entries(subject=clip_id, kind=kind, limit=1)), None)

    def restored(self, clip_id: str, user: str) -> None:
        """Write that a person took a clip out of the bin."""
        with self._database.transaction() as tx:
            self._ledger.append(tx, "clip_restored", clip_id, {}, {"user": user})

    def exported(self, clips: list[str], facts: dict[str, int], user: str) -> None:
        """Write that a person made a film of clips, to take away."""
        with self._database.transaction() as tx:
            self._ledger.append(tx, "clips_exported", clips[0], facts, {"user": user})
