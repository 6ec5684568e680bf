"""Checked copies of clips: whole or not at all, whatever cuts them short."""

from functools import partial
from pathlib import Path
from typing import Final

from ..errors import StorageError
from . import files as names
from .files import ClipFiles, append, sync, write_atomically
from .folder import space
from .lines import ClipLines
from .verify import compare, read_lines

_SPARE: Final = 10**9  # bytes of a disk that nobody's copies take: Home Assistant lives on it too

type Stamp = tuple[tuple[int, int, int], ...]


def check_room(folder: Path, size: int) -> None:
    """Refuse (StorageError `disk_full`) what would leave a disk with next to no room."""
    if space(folder).free < size + _SPARE:
        raise StorageError("disk_full")


def is_whole(files: ClipFiles, root: str) -> bool:
    """Whether a clip's files are what was sealed with this root (hex)."""
    lines = read_lines(files, root)
    return isinstance(lines, ClipLines) and compare(files, lines, lambda _: None) is None


def stamp(files: ClipFiles) -> Stamp | None:
    """What changes whenever somebody writes a clip's files; None if they aren't both there."""
    try:
        found = [path.stat() for path in (files.video, files.lines)]
    except OSError:
        return None
    return tuple((one.st_ino, one.st_size, one.st_mtime_ns) for one in found)


def copy(source: ClipFiles, target: ClipFiles, lines: ClipLines, *, damaged: bool = False) -> bool:
    """Copy a clip whose lines are proven; False and nothing done if its video isn't theirs.

    One that is only `damaged`, but of the right length, may be wanted all the same. The lines come
    last: a copy that was cut short has none. OSError passes; no room: StorageError `disk_full`.
    """
    target.folder.mkdir(parents=True, exist_ok=True)
    check_room(target.folder, lines.size)
    before = target.video.exists()
    try:
        if not _copy_video(source, target, lines, damaged=damaged):
            return False
        copy_pictures(source, target)
        write_atomically(target.lines, b"".join(line + b"\n" for line in lines.raw))
        sync(target.folder.parent)
    except OSError:
        if not before:
            target.discard()
        raise
    finally:
        clean(target)
    return True


def copy_pictures(source: ClipFiles, target: ClipFiles) -> None:
    """Copy the pictures of a clip that its copy lacks; one that can't be read is left out."""
    for path in sorted(source.folder.glob(f"{source.clip}.*jpg")):
        copied = target.folder / path.name
        if not copied.exists():
            try:
                data = path.read_bytes()
            except OSError:
                continue
            write_atomically(copied, data)


def clean(files: ClipFiles) -> None:
    """Remove what an earlier copying of a clip left unfinished. OSError passes."""
    for path in list(files.folder.glob(f"{files.clip}.*{names.PARTIAL}")):
        path.unlink(missing_ok=True)


def _copy_video(source: ClipFiles, target: ClipFiles, lines: ClipLines, *, damaged: bool) -> bool:
    unfinished = names.partial(target.video)
    with unfinished.open("wb", buffering=0) as file:
        finding = compare(source, lines, partial(append, file))
        complete = file.tell() == lines.size
    if finding and not (damaged and complete):
        return False
    sync(unfinished)
    unfinished.replace(target.video)
    return True
