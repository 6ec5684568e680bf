"""Whatever changes on the disk is found, wherever it is."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
import json
from pathlib import Path
from typing import Self

import pytest

from custom_components.doorstep.footage import verify as module
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.verify import Finding, verify, verify_all
from custom_components.doorstep.ledger.merkle import leaf_hash, root_hash

from .clips import seal
from .synthetic import EPOCH, INIT_AV, received, stream

OTHER = "0" * 64


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """Three half seconds of video, one of sound; the first line of a gap."""
    one = stream(INIT_AV)
    video = received(one, [0, 500, 1600], size=3)
    sound = received(one, [500], track=2, size=2)
    return seal(tmp_path, [*video[:2], *sound, video[2]])


def fragments(clip: Clip) -> list[dict[str, int]]:
    lines = [json.loads(line) for line in clip.lines.read_bytes().splitlines()]
    return [line for line in lines if "i" in line]


def places(clip: Clip) -> Iterator[tuple[int, int, Finding]]:
    """Begin and end of each sealed piece of the video, and what is said of it."""
    found = fragments(clip)
    yield 0, found[0]["offset"], Finding(clip.id, "verify_init")
    for line, second in zip(found, (0, 0.5, 0.5, 1.6), strict=True):
        at = EPOCH + second * (EPOCH.replace(second=1) - EPOCH)
        begin, number = line["offset"], line["i"]
        yield begin, begin + line["length"], Finding(clip.id, "verify_fragment", number, at)


def test_what_was_sealed(clip: Clip) -> None:
    assert verify(clip, clip.root) is None
    # the ledger's word counts, not the index's
    assert verify(replace(clip, root=OTHER), clip.root) is None


def test_every_bit_of_the_video_counts(clip: Clip) -> None:
    whole = clip.video.read_bytes()
    seen = 0
    for begin, end, expected in places(clip):
        for place in range(begin, end):
            bad = bytearray(whole)
            bad[place] ^= 1 << place % 8
            clip.video.write_bytes(bad)
            assert verify(clip, clip.root) == expected
            seen += 1
    assert seen == clip.size


def test_every_place_in_the_lines_counts(clip: Clip) -> None:
    whole = clip.lines.read_bytes()
    kinds = set()
    for place in range(0, len(whole), 2):
        bad = bytearray(whole)
        bad[place] ^= 1 << place % 7
        clip.lines.write_bytes(bad)
        finding = verify(clip, clip.root)
        assert finding is not None
        assert (finding.clip, finding.fragment, finding.at) == (clip.id, None, None)
        kinds.add(finding.problem)
    assert kinds == {"verify_lines", "verify_seal"}


def test_a_missing_line_is_found(clip: Clip) -> None:
    lines = clip.lines.read_bytes().splitlines(keepends=True)
    for number in range(len(lines)):
        clip.lines.write_bytes(b"".join(lines[:number] + lines[number + 1 :]))
        finding = verify(clip, clip.root)
        assert finding is not None
        # only a gap can be left out without a word
        assert finding.problem == ("verify_seal" if b"gap" in lines[number] else "verify_lines")


def test_lines_cut_anywhere(clip: Clip) -> None:
    whole = clip.lines.read_bytes()
    for length in range(0, len(whole), 7):
        clip.lines.write_bytes(whole[:length])
        assert verify(clip, clip.root) == Finding(clip.id, "verify_lines")
    clip.lines.write_bytes(whole + b"x")
    assert verify(clip, clip.root) == Finding(clip.id, "verify_lines")


def test_a_video_cut_anywhere_says_from_where_on(clip: Clip) -> None:
    whole = clip.video.read_bytes()
    pieces = list(places(clip))[1:]
    for length in range(0, len(whole), 3):
        clip.video.write_bytes(whole[:length])
        first = next(said for _, end, said in pieces if end > length)
        assert verify(clip, clip.root) == replace(first, problem="verify_size")


def test_more_video_than_was_sealed(clip: Clip) -> None:
    with clip.video.open("ab") as file:
        file.write(b"\0")
    assert verify(clip, clip.root) == Finding(clip.id, "verify_size")


def test_the_first_difference_is_told(clip: Clip) -> None:
    whole = bytearray(clip.video.read_bytes())
    whole[-1] ^= 1
    whole[fragments(clip)[1]["offset"]] ^= 1
    clip.video.write_bytes(whole)
    finding = verify(clip, clip.root)
    assert finding is not None
    assert finding.fragment == 1


def test_files_that_are_gone(clip: Clip) -> None:
    clip.video.unlink()
    assert verify(clip, clip.root) == Finding(clip.id, "verify_missing")
    clip.lines.unlink()
    assert verify(clip, clip.root) == Finding(clip.id, "verify_missing")


def test_files_that_cannot_be_read(clip: Clip) -> None:
    clip.video.unlink()
    clip.video.mkdir()
    assert verify(clip, clip.root) == Finding(clip.id, "verify_init")
    clip.lines.unlink()
    clip.lines.mkdir()
    assert verify(clip, clip.root) == Finding(clip.id, "verify_lines")


class BadDisk:
    """A file of which nothing can be read from a place on, or of which more was promised."""

    def __init__(self, path: Path, good: int, *, ends: bool) -> None:
        self.file = path.open("rb")
        self.good = good
        self.ends = ends

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def fileno(self) -> int:
        return self.file.fileno()

    def read(self, size: int) -> bytes:
        if self.file.tell() + size > self.good:
            if self.ends:
                return b""
            raise OSError(5, "Input/output error")
        return self.file.read(size)


@pytest.mark.parametrize("ends", [False, True])
def test_a_bad_block_is_a_difference(
    clip: Clip, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    *_, (begin, _, expected) = places(clip)
    lines = module.read_lines(clip.files, clip.root)
    assert not isinstance(lines, Finding)
    bad = BadDisk(clip.video, begin + 5, ends=ends)
    monkeypatch.setattr(Path, "open", lambda *_: bad)
    assert module.compare(clip.files, lines, ignore) == expected


def test_another_seal(clip: Clip) -> None:
    assert verify(clip, OTHER) == Finding(clip.id, "verify_seal")


def test_without_a_seal(clip: Clip) -> None:
    assert verify(clip, None) == Finding(clip.id, "verify_unsealed")
    assert verify(replace(clip, root=OTHER), None) == Finding(clip.id, "verify_seal")
    clip.video.write_bytes(b"\0" * clip.size)
    assert verify(clip, None) == Finding(clip.id, "verify_init")


def test_an_init_segment_without_a_digest(clip: Clip) -> None:
    header, *others = clip.lines.read_bytes().splitlines()
    value = json.loads(header)
    del value["init"]["sha256"]
    lines = [json.dumps(value).encode(), *others]
    clip.lines.write_bytes(b"".join(line + b"\n" for line in lines))
    root = root_hash([leaf_hash(line) for line in lines]).hex()
    assert verify(clip, root) == Finding(clip.id, "verify_init")


def test_swapped_files(tmp_path: Path) -> None:
    first, second = (seal(tmp_path, received(stream(), [0, 500 + n])) for n in range(2))
    for names in (("video",), ("lines",), ("video", "lines")):
        for name in names:
            swap(getattr(first, name), getattr(second, name))
        for clip in (first, second):
            finding = verify(clip, clip.root)
            assert finding is not None
            same_length = "verify_fragment"
            assert finding.problem == ("verify_seal" if "lines" in names else same_length)
        for name in names:
            swap(getattr(first, name), getattr(second, name))
        assert verify_all([first, second], roots(first, second).get, ignore, never) == []


def swap(one: Path, other: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def roots(*clips: Clip) -> dict[str, str]:
    return {clip.id: clip.root for clip in clips}


def ignore(*_: object) -> None:
    """Nobody looks."""


def never() -> bool:
    return False


@pytest.fixture
def four(tmp_path: Path) -> list[Clip]:
    return [seal(tmp_path, received(stream(), [0, 500, 1000])) for _ in range(4)]


def test_many_clips(four: list[Clip]) -> None:
    seals = roots(*four[:3])
    four[0].video.unlink()
    four[1].lines.write_bytes(b"")
    told: list[tuple[int, int]] = []
    total = sum(clip.size for clip in four)
    findings = verify_all(four, seals.get, lambda *news: told.append(news), never)
    assert findings == [
        Finding(four[0].id, "verify_missing"),
        Finding(four[1].id, "verify_lines"),
        Finding(four[3].id, "verify_unsealed"),
    ]
    assert {size for _, size in told} == {total}
    done = [done for done, _ in told]
    assert done == sorted(done)
    assert done[:2] == [total // 4, total // 2]
    assert done[-1] == total


def test_progress_is_told_some_hundred_times(
    four: list[Clip], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHUNK", 1)
    told: list[int] = []
    total = sum(clip.size for clip in four)
    assert verify_all(four, roots(*four).get, lambda done, _: told.append(done), never) == []
    assert 150 <= len(told) <= 201
    assert told[-1] == total
    assert max(b - a for a, b in pairwise(told)) <= total / 100
    told.clear()
    monkeypatch.setattr(module, "_NEWS", total / 7)
    assert verify_all(four, roots(*four).get, lambda done, _: told.append(done), never) == []
    assert told == sorted({*range(7, total, 7), total})


def test_progress_never_exceeds_the_whole(four: list[Clip]) -> None:
    told: list[int] = []
    clips = [replace(four[0], size=10)]
    assert verify_all(clips, roots(*four).get, lambda done, _: told.append(done), never) == []
    assert set(told) == {10}


def test_nothing_to_verify() -> None:
    assert verify_all([], roots().get, ignore, never) == []


def test_stopping_gives_what_was_found(four: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    four[0].video.unlink()
    four[2].video.unlink()
    told: list[int] = []
    seals = roots(*four).get
    third = sum(clip.size for clip in four[:2]) + 1
    findings = verify_all(
        four, seals, lambda done, _: told.append(done), lambda: bool(told) and told[-1] >= third
    )
    assert findings == [
        Finding(four[0].id, "verify_missing"),
        Finding(four[2].id, "verify_missing"),
    ]
    assert told[-1] < sum(clip.size for clip in four)
    assert verify_all(four[1:2], seals, ignore, lambda: True) == []
    # even where nothing is to be read
    assert len(verify_all(four[::2], seals, ignore, lambda: True)) == 1


def test_memory_is_bounded(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 64)
    taken: list[bytes] = []
    lines = module.read_lines(clip.files, clip.root)
    assert not isinstance(lines, Finding)
    assert module.compare(clip.files, lines, taken.append) is None
    assert max(map(len, taken)) == 64
    assert b"".join(taken) == clip.video.read_bytes()
