"""The library folder: which folders will do, and how much room there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import shutil
from tempfile import TemporaryFile

from ..errors import StorageError
from .files import storage


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of the file system a folder is on: `free` to us, and in `total`."""

    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a library holds, and the room around it; bytes.

    `clips` are those that can be seen; `bytes` count the bin's as well, which are `binned`.
    """

    clips: int
    bytes: int
    space: Space
    binned: int = 0


def space(folder: Path) -> Space:
    """Measure the room of a folder; StorageError if it can't be."""
    with storage():
        usage = shutil.disk_usage(folder)
    return Space(usage.free, usage.total)


def check_folder(path: Path, refused: Sequence[Path], allowed: Sequence[Path] = ()) -> Space:
    """Make `path` a library folder, or say why it can't be one.

    StorageError keys: folder_relative, folder_refused (links followed: it is, or lies under, one
    of `refused`, and not under one of `allowed` further down), folder_unusable (it can't be made,
    or written to).
    """
    if not path.is_absolute():
        raise StorageError("folder_relative", folder=path)
    try:
        if _closest(path, refused) > _closest(path, allowed):
            raise StorageError("folder_refused", folder=path)
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path) as file:
            file.write(b"doorstep")
            file.flush()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise StorageError("folder_unusable", folder=path, error=reason) from error
    return space(path)


def _closest(path: Path, folders: Sequence[Path]) -> int:
    """Say how deep the deepest of `folders` lies that `path` is in; 0: in none of them."""
    resolved = path.resolve()
    around = (folder.resolve() for folder in folders)
    return max((len(one.parts) for one in around if resolved.is_relative_to(one)), default=0)
