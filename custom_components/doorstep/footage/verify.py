"""Compare clips with their seals: whatever changed on the disk is found, and said where."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
import os
from typing import BinaryIO, Final, Literal

from ..errors import StorageError
from .clip import Clip
from .files import ClipFiles
from .lines import ClipLines, FragmentLine

type Problem = Literal[
    "verify_missing",
    "verify_lines",
    "verify_seal",
    "verify_unsealed",
    "verify_size",
    "verify_init",
    "verify_fragment",
]

_CHUNK: Final = 1 << 20
_NEWS: Final = 200  # times that progress is told, about


@dataclass(frozen=True, slots=True)
class Finding:
    """The first difference of a clip: its id, what is wrong, and from which fragment (UTC) on.

    `fragment` and `at` are None where it concerns the whole clip, or what follows its end.
    """

    clip: str
    problem: Problem
    fragment: int | None = None
    at: datetime | None = None


class _Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Whoever asked wants to know no more."""


def verify(clip: Clip, seal: str | None) -> Finding | None:
    """Compare a clip with its seal (hex); None: it is what was sealed. Blocks; constant memory.

    Without a seal the clip is compared with itself, and found unsealed if that holds. Files that
    can't be read count as changed.
    """
    return _verify(clip, seal, lambda _: None)


def verify_all(
    clips: Collection[Clip],
    seal: Callable[[str], str | None],
    progress: Callable[[int, int], None],
    stop: Callable[[], bool],
) -> list[Finding]:
    """Compare many clips; `seal` knows a clip's by its id. Blocks.

    `progress` hears (bytes done, bytes in all) some 200 times; once `stop` says so, what was found
    by then is given.
    """
    meter = _Meter(sum(clip.size for clip in clips), progress, stop)
    findings = []
    try:
        for clip in clips:
            if finding := _verify(clip, seal(clip.id), meter.count):
                findings.append(finding)
            meter.settle(clip.size)
    except _Stopped:
        return findings
    return findings


def read_lines(files: ClipFiles, root: str) -> ClipLines | Finding:
    """Read the lines that have this root (hex), or say what is wrong with them."""
    try:
        data = files.lines.read_bytes()
    except FileNotFoundError:
        return Finding(files.clip, "verify_missing")
    except OSError:
        return Finding(files.clip, "verify_lines")
    try:
        lines = ClipLines.parse(data)
    except StorageError:
        return Finding(files.clip, "verify_lines")
    return lines if lines.root() == root else Finding(files.clip, "verify_seal")


def compare(files: ClipFiles, lines: ClipLines, take: Callable[[bytes], object]) -> Finding | None:
    """Compare a video with its lines; `take` gets all of it, right or wrong, unless it ends early.

    What `take` raises passes.
    """
    try:
        file = files.video.open("rb")
    except FileNotFoundError:
        return Finding(files.clip, "verify_missing")
    except OSError:
        return Finding(files.clip, "verify_init")
    with file:
        size = os.fstat(file.fileno()).st_size
        if size != lines.size:
            return _cut(files, lines, size)
        findings = list(_differences(files, lines, file, take))
    return findings[0] if findings else None


def _verify(clip: Clip, seal: str | None, take: Callable[[bytes], object]) -> Finding | None:
    lines = read_lines(clip.files, seal or clip.root)
    if isinstance(lines, Finding):
        return lines
    unsealed = None if seal else Finding(clip.id, "verify_unsealed")
    return compare(clip.files, lines, take) or unsealed


def _cut(files: ClipFiles, lines: ClipLines, size: int) -> Finding:
    """Say from where on a video is missing; nowhere if there is too much of it."""
    for one in lines.fragments:
        if one.offset + one.length > size:
            return _at(files, "verify_size", one)
    return Finding(files.clip, "verify_size")


def _differences(
    files: ClipFiles, lines: ClipLines, file: BinaryIO, take: Callable[[bytes], object]
) -> Iterator[Finding]:
    init = lines.header["init"]
    assert isinstance(init, dict)
    if _digest(file, init["length"], take) != init.get("sha256"):
        yield Finding(files.clip, "verify_init")
    for one in lines.fragments:
        if _digest(file, one.length, take) != one.sha256:
            yield _at(files, "verify_fragment", one)


def _digest(file: BinaryIO, length: int, take: Callable[[bytes], object]) -> str | None:
    """Read so many bytes; None where the disk can't."""
    total = sha256()
    while length:
        try:
            data = file.read(min(length, _CHUNK))
        except OSError:
            return None
        if not data:
            return None
        total.update(data)
        length -= len(data)
        take(data)
    return total.hexdigest()


def _at(files: ClipFiles, problem: Problem, one: FragmentLine) -> Finding:
    return Finding(files.clip, problem, one.index, one.utc)


class _Meter:
    """Counts bytes, and tells how many there are so far, not too often."""

    def __init__(
        self, total: int, progress: Callable[[int, int], None], stop: Callable[[], bool]
    ) -> None:
        self._total = total
        self._progress = progress
        self._stop = stop
        self._settled = 0
        self._told = 0
        self._done = 0

    def count(self, data: bytes) -> None:
        """So much of the present clip was read."""
        self._reach(self._done + len(data))

    def settle(self, size: int) -> None:
        """The present clip is done, however much of it could be read."""
        self._settled += size
        self._reach(self._settled)

    def _reach(self, done: int) -> None:
        if self._stop():
            raise _Stopped
        self._done = done
        if done - self._told >= self._total / _NEWS or self._settled == self._total:
            self._told = done
            self._progress(min(done, self._total), self._total)
