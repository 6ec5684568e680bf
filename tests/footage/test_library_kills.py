"""Killed before any write of a change: the next start finishes it, or it never was."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from custom_components.doorstep.footage.deletions import BIN
from custom_components.doorstep.footage.index import Deletion
from custom_components.doorstep.footage.retention import RetentionPolicy

from .fuse import Fuse, Killed, fused
from .house import NOW, House
from .synthetic import EPOCH

type Change = Callable[[House, str], object]

WHOLE = {"mp4", "jsonl", "jpg", "thumb.jpg"}
BINNED = {"mp4", "jsonl.deleted", "jpg", "thumb.jpg"}
ROOMY = RetentionPolicy(max_bytes=10**12, share=1, floor=0)


def purge(house: House, _clip_id: str) -> None:
    house.now += BIN
    house.library.prune(ROOMY, house.now)


def outgrow(house: House, _clip_id: str) -> None:
    house.library.prune(RetentionPolicy(max_bytes=0, share=1, floor=0), house.now)


CHANGES: dict[str, tuple[bool, Change, set[str], Deletion | None]] = {
    "throw away": (
        False,
        lambda house, clip: house.library.throw_away(clip),
        BINNED,
        Deletion(NOW, "person", NOW + BIN),
    ),
    "delete": (
        False,
        lambda house, clip: house.library.delete(clip, "age"),
        set(),
        Deletion(NOW, "age"),
    ),
    "prune": (False, outgrow, set(), Deletion(NOW, "size")),
    "restore": (True, lambda house, clip: house.library.restore(clip), WHOLE, None),
    "empty": (
        True,
        lambda house, clip: house.library.delete(clip, "age"),
        set(),
        Deletion(NOW, "person"),
    ),
    "purge": (True, purge, set(), Deletion(NOW, "person")),
}


def scene(folder: Path, *, binned: bool) -> tuple[House, str]:
    """One clip, in the bin or not."""
    house = House(folder)
    clip = house.add(EPOCH)
    clip.picture.write_bytes(b"picture")
    clip.files.thumbnail.write_bytes(b"small")
    if binned:
        house.library.throw_away(clip.id)
        house.reopen()
    house.deleted.clear()
    return house, clip.id


def told(house: House, clip_id: str) -> tuple[set[str], Deletion | None]:
    """What there is of the clip; the library must say the same."""
    library, files = house.library, house.files()
    claimed = {clip.id for clip in library.clips()}
    binned = {entry.clip.id for entry in library._index.binned()}
    assert claimed == ({clip_id} if files == WHOLE else set())
    assert binned == ({clip_id} if files == BINNED else set()), (files, binned)
    assert bool(library.get(clip_id)) == (files == WHOLE)
    known = library._index.find(clip_id)
    return files, known.deletion if known else None


def kill(house: House, fuse: Fuse, change: Callable[[], object], writes: int) -> bool:
    """Change, and die before a write; False: there weren't so many."""
    fuse.left = writes
    killed = False
    try:
        change()
    except Killed:
        killed = True
    finally:
        fuse.left = None
    house.library._index.close()
    return killed


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("repairs", [0, 2])
def test_a_start_finishes_what_a_kill_cut_short(tmp_path: Path, name: str, repairs: int) -> None:
    """`repairs`: the start after it is killed, too, so many writes later."""
    binned, change, files, deletion = CHANGES[name]
    done = []
    for writes in count():
        with fused() as fuse:
            house, clip_id = scene(tmp_path / f"{writes}", binned=binned)
            before = told(house, clip_id)
            killed = kill(house, fuse, lambda: change(house, clip_id), writes)  # noqa: B023 - at once
            if repairs:
                with suppress(Killed):
                    fuse.left = repairs - 1
                    house.open()
                    house.library._index.close()
                fuse.left = None
            house.open()
            now = told(house, clip_id)
            assert now in (before, (files, deletion))
            done.append(now != before)
            if done[-1] and deletion:
                assert (clip_id, deletion.reason) in house.deleted
            house.deleted.clear()
            house.reopen()
            assert told(house, clip_id) == now, "a second start changes something"
            assert house.deleted == []
            house.library.close()
        if not killed:
            break
    assert len(done) >= 3
    assert done[0] is False
    assert done[-1] is True
    assert done == sorted(done), "what was done is undone by dying later"


@pytest.mark.parametrize("name", CHANGES)
def test_even_with_the_index_lost(tmp_path: Path, name: str) -> None:
    binned, change, files, _ = CHANGES[name]
    before = BINNED if binned else WHOLE
    for writes in count():
        with fused() as fuse:
            house, clip_id = scene(tmp_path / f"{writes}", binned=binned)
            killed = kill(house, fuse, lambda: change(house, clip_id), writes)  # noqa: B023 - at once
            house.lose_index()
            house.open()
            found = house.files()
            parts = found - {"jpg", "thumb.jpg"}
            if parts != {"mp4"}:
                assert found in (before, files)
            (now, _) = told(house, clip_id) if found in (WHOLE, BINNED, set()) else (found, None)
            assert bool(house.library.unreadable) == (now not in (WHOLE, BINNED, set()))
            house.library.close()
        if not killed:
            break


def test_the_bin_says_since_when_without_an_index(tmp_path: Path) -> None:
    house, clip_id = scene(tmp_path, binned=True)
    house.now += timedelta(hours=5)
    house.lose_index()
    assert house.open().deletion(clip_id) == Deletion(NOW, "person", NOW + BIN)
    assert house.deleted == [(clip_id, "person")]
    assert [clip.id for clip, _ in house.library.binned()] == [clip_id]
    assert house.library.restore(clip_id).id == clip_id
    assert house.files() == WHOLE
    house.library.close()


def test_what_is_dated_later_than_now_was_thrown_away_now(tmp_path: Path) -> None:
    house, clip_id = scene(tmp_path, binned=True)
    house.now = NOW - timedelta(days=9)
    house.lose_index()
    assert house.open().deletion(clip_id) == Deletion(house.now, "person", house.now + BIN)
    house.library.close()
