"""Whatever happens to a library, and whenever it is killed: it claims what is there, no more.

Each step may be cut short before any of its writes, as a kill or a power cut does it.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
import shutil
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
)

from custom_components.doorstep.footage import clip as clips, files
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.deletions import BIN
from custom_components.doorstep.footage.retention import RetentionPolicy

from .fuse import Killed, fused
from .house import NOW, House, ids
from .synthetic import EPOCH

THERE, BINNED, GONE = "there", "binned", "gone"
ROOMY = RetentionPolicy(days=400, max_bytes=10**12, share=1, floor=0)
FUSES = st.none() | st.integers(0, 6)


class LibraryMachine(RuleBasedStateMachine):
    """`known`: by clip, what may have become of it: one thing, or after a kill one of two."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp())
        self.stack = ExitStack()
        self.fuse = self.stack.enter_context(fused())
        self.house = House(self.folder)
        self.known: dict[str, set[str]] = {}
        self.clip_of: dict[str, Clip] = {}
        self.reasons: dict[str, set[str]] = {}
        self.count = 0

    def teardown(self) -> None:
        self.fuse.left = None
        self.house.library.close()
        self.stack.close()
        shutil.rmtree(self.folder)

    @contextmanager
    def killed_at(self, fuse: int | None) -> Iterator[None]:
        """Run what may be killed; then start again, which may be killed, too."""
        self.fuse.left = fuse
        try:
            yield
        except Killed:
            self.die()
            with suppress(Killed):
                self.fuse.left = fuse
                self.house.open()
            self.die()
            self.house.open()
        finally:
            self.fuse.left = None

    def die(self) -> None:
        """Leave all as it is; only SQLite's file has to be let go."""
        self.fuse.left = None
        self.house.library._index.close()

    def may(self, clip_id: str, *states: str, reason: str | None = None) -> None:
        self.known[clip_id] = set(states)
        if reason:
            self.reasons.setdefault(clip_id, set()).add(reason)

    def state(self, clip_id: str) -> str:
        """Say what became of a clip, which has to be one of the things that may be."""
        if self.house.library.get(clip_id):
            now = THERE
        elif clip_id in {clip.id for clip, _ in self.house.library.binned()}:
            now = BINNED
        else:
            now = GONE
        assert now in self.known[clip_id], (clip_id, now, self.known[clip_id])
        self.known[clip_id] = {now}
        return now

    @rule(target=made, fuse=FUSES, door=st.sampled_from(["a", "b"]))
    def add(self, fuse: int | None, door: str) -> str:
        self.count += 1
        clip = self.house.clip(EPOCH + timedelta(hours=7 * self.count), doorbell=door)
        clip.picture.write_bytes(b"picture")
        clip.files.thumbnail.write_bytes(b"small")
        self.clip_of[clip.id] = clip
        self.may(clip.id, THERE)
        with self.killed_at(fuse):
            self.house.library.add(clip)
        return clip.id

    @rule(target=made, door=st.sampled_from(["a", "b"]))
    def appear(self, door: str) -> str:
        """Somebody copies a clip into the folder."""
        self.count += 1
        clip = self.house.clip(EPOCH + timedelta(hours=7 * self.count), doorbell=door)
        self.clip_of[clip.id] = clip
        self.may(clip.id, THERE)
        self.rescan(None)
        return clip.id

    @rule(clip_id=made, fuse=FUSES, reason=st.sampled_from(["age", "person"]))
    def delete(self, clip_id: str, fuse: int | None, reason: str) -> None:
        before = self.state(clip_id)
        if before == GONE:
            return
        self.may(clip_id, before, GONE, reason=reason)
        with self.killed_at(fuse):
            self.house.library.delete(clip_id, reason)
            self.may(clip_id, GONE)

    @rule(clip_id=made, fuse=FUSES)
    def throw_away(self, clip_id: str, fuse: int | None) -> None:
        before = self.state(clip_id)
        if before == GONE:
            return
        self.may(clip_id, before, BINNED, reason="person")
        with self.killed_at(fuse):
            assert self.house.library.throw_away(clip_id) <= self.house.now + BIN
            self.may(clip_id, BINNED)

    @rule(clip_id=made, fuse=FUSES)
    def restore(self, clip_id: str, fuse: int | None) -> None:
        before = self.state(clip_id)
        if before == GONE:
            return
        self.may(clip_id, before, THERE)
        with self.killed_at(fuse):
            assert self.house.library.restore(clip_id).id == clip_id
            self.may(clip_id, THERE)

    @rule(fuse=FUSES, hours=st.sampled_from([1, 30]), full=st.booleans())
    def prune(self, fuse: int | None, hours: int, full: bool) -> None:
        """Time goes by; the bin is emptied of what is due, or of all."""
        states = {clip_id: self.state(clip_id) for clip_id in self.known}
        binned = [clip_id for clip_id, state in states.items() if state == BINNED]
        self.house.now += timedelta(hours=hours)
        held = sum(self.clip_of[clip_id].size for clip_id, s in states.items() if s == THERE)
        policy = RetentionPolicy(400, held, 1, 0) if full else ROOMY
        for clip_id in binned:
            self.may(clip_id, BINNED, GONE)
        with self.killed_at(fuse):
            assert self.house.library.prune(policy, self.house.now) == []
            if full:
                for clip_id in binned:
                    self.may(clip_id, GONE)

    @rule(fuse=FUSES)
    def rescan(self, fuse: int | None) -> None:
        with self.killed_at(fuse):
            self.house.library.rescan()
            self.house.library.catch_up(lambda *_: None, lambda: False)
        assert self.house.library.unread == 0

    @rule(fuse=FUSES)
    def start_again(self, fuse: int | None) -> None:
        with self.killed_at(fuse):
            self.house.reopen()

    @rule()
    def lose_index(self) -> None:
        for clip_id in self.known:
            self.state(clip_id)
        self.house.lose_index()
        self.house.open()
        for reasons in self.reasons.values():
            reasons.add("person")

    @rule(clip_id=consumes(made), start=st.booleans())
    def vanish(self, clip_id: str, start: bool) -> None:
        """Somebody removes a clip's files."""
        if self.state(clip_id) != GONE:
            self.clip_of[clip_id].video.unlink()
            self.may(clip_id, GONE, reason="missing")
            if start:
                self.house.reopen()
            else:
                self.house.library.rescan()

    @invariant()
    def it_claims_what_is_there(self) -> None:
        states = {clip_id: self.state(clip_id) for clip_id in self.known}
        there = {clip_id for clip_id, state in states.items() if state == THERE}
        library = self.house.library
        assert set(ids(library.clips(limit=1000))) == there
        assert library.count() == len(there)
        assert library.unreadable == ()
        held = sum(self.clip_of[clip_id].size for clip_id in there)
        assert sum(size for _, size in library.usage_by_doorbell().values()) == held
        assert library.usage().bytes - library.usage().binned == held
        for clip_id, state in states.items():
            self.check(clip_id, state)

    def check(self, clip_id: str, state: str) -> None:
        clip, deletion = self.clip_of[clip_id], self.house.library.deletion(clip_id)
        parts = {path.name[len(clip_id) + 1 :] for path in clip.folder.glob(f"{clip_id}.*")}
        parts -= {"jpg", "thumb.jpg"}
        if state == THERE:
            assert parts == {"mp4", "jsonl"}
            assert deletion is None
        elif state == BINNED:
            assert parts == {"mp4", "jsonl.deleted"}
            assert deletion
            assert deletion.until == deletion.at + BIN > self.house.now >= deletion.at >= NOW
            assert clips.load(files.BinnedFiles(clip.folder, clip_id)) == clip
        elif deletion is None or deletion.until is None:
            self.check_gone(clip_id, parts)
        if deletion is not None:
            assert deletion.reason in self.reasons[clip_id]
            assert deletion.reason == "missing" or (clip_id, deletion.reason) in self.house.deleted

    def check_gone(self, clip_id: str, parts: set[str]) -> None:
        """What waits in the bin for the next look is there; nothing else."""
        waiting = {entry.clip.id for entry in self.house.library._index.binned()}
        if clip_id in waiting:
            assert parts == {"mp4", "jsonl.deleted"}
        else:
            assert "mp4" not in parts


LibraryMachine.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLibrary = LibraryMachine.TestCase
