"""The public log on disk: C2SP tlog-tiles, static files that any web server can hand out.

Order of writing: entries, details and tiles first, the checkpoint last. What no checkpoint covers
does not exist, so a power cut anywhere leaves the log as it was before.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
import shutil
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from . import merkle, notes
from .errors import AgencyError
from .files import write
from .merkle import TILE

MAX_ENTRY: Final = 0xFFFF
MAX_DETAILS: Final = 4096
_LENGTH: Final = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry and the line of erasable details beside it (empty: none, or blanked)."""

    data: bytes
    details: bytes = b""


class Log:
    """One log below FOLDER. The caller makes sure that only one process appends at a time."""

    def __init__(
        self, folder: Path, name: str, key: Ed25519PrivateKey, now: Callable[[], datetime]
    ) -> None:
        """Take the folder, the origin line, the log's key and a clock."""
        self.name = name
        self._folder = folder
        self._key = key
        self._now = now

    @property
    def vkey(self) -> str:
        """Return the verifier key that the feed descriptor names."""
        return notes.verifier_key(self.name, self.public_key)

    @property
    def fingerprint(self) -> str:
        """Return what a home shows of the log's key: SHA-256 of the public key, in hex."""
        return sha256(self.public_key.public_bytes_raw()).hexdigest()

    @property
    def public_key(self) -> Ed25519PublicKey:
        """Return the public half of the log's key."""
        return self._key.public_key()

    def create(self) -> None:
        """Publish the checkpoint of an empty log. Raises AgencyError if there is one."""
        if (self._folder / "checkpoint").exists():
            raise AgencyError(f"there is a log in {self._folder} already")
        self._publish([])

    def head(self) -> notes.Checkpoint:
        """Return the published tree head. Raises AgencyError if it is not ours."""
        try:
            note = (self._folder / "checkpoint").read_text()
        except OSError as error:
            raise AgencyError(f"there is no log in {self._folder}: {error.strerror}") from error
        return notes.open_checkpoint(note, self.name, self.public_key)

    def entries(self) -> list[Entry]:
        """Read the whole log. Raises AgencyError if its files are not those we signed."""
        head = self.head()
        entries = [
            entry
            for number, width in _bundles(0, head.size)
            for entry in self._read_bundle(number, width)
        ]
        if merkle.root_hash([merkle.leaf_hash(entry.data) for entry in entries]) != head.root:
            raise AgencyError(f"the files in {self._folder} differ from the log's checkpoint")
        return entries

    def append(self, *new: Entry) -> int:
        """Append entries and publish; return the index of the first of them."""
        for entry in new:
            if len(entry.data) > MAX_ENTRY or len(entry.details) > MAX_DETAILS:
                raise AgencyError("too long for the log: shorten the texts or simplify the area")
        old = self.entries()
        entries = [*old, *new]
        for number, width in _bundles(len(old), len(entries)):
            start = number * TILE
            self._write_bundle(number, entries[start : start + width])
        rows = merkle.tile_rows([merkle.leaf_hash(entry.data) for entry in entries])
        for level, row in enumerate(rows):
            for number, width in _bundles(len(old) >> 8 * level, len(row)):
                start = number * TILE
                self._write(f"tile/{level}", number, width, b"".join(row[start : start + width]))
        self._publish(entries)
        self._tidy(len(old), len(entries))
        return len(old)

    def refresh(self) -> None:
        """Cosign the log as it is with the present time; homes call older than 48 h stale."""
        self._publish(self.entries())

    def blank(self, indexes: Sequence[int]) -> None:
        """Erase the details beside these entries, in every file that holds them."""
        for number in sorted({index // TILE for index in indexes}):
            gone = {index % TILE for index in indexes if index // TILE == number}
            for path in self._versions("details", number):
                lines = path.read_bytes().split(b"\n")
                kept = [b"" if place in gone else line for place, line in enumerate(lines)]
                if kept != lines:
                    write(path, b"\n".join(kept))

    def _publish(self, entries: Sequence[Entry]) -> None:
        root = merkle.root_hash([merkle.leaf_hash(entry.data) for entry in entries])
        note = notes.checkpoint(self.name, len(entries), root, self._key, self._now())
        write(self._folder / "checkpoint", note)

    def _tidy(self, old: int, new: int) -> None:
        """Remove the partial files of bundles that are full now: readers take the full one."""
        for number, width in _bundles(old, new):
            for kind in ("tile/entries", "details", "tile/0"):
                if width == TILE:
                    whole = self._folder / _path(kind, number, width)
                    shutil.rmtree(whole.with_name(f"{whole.name}.p"), ignore_errors=True)

    def _write_bundle(self, number: int, entries: Sequence[Entry]) -> None:
        data = b"".join(len(entry.data).to_bytes(_LENGTH) + entry.data for entry in entries)
        details = b"".join(entry.details + b"\n" for entry in entries)
        self._write("tile/entries", number, len(entries), data)
        self._write("details", number, len(entries), details)

    def _write(self, kind: str, number: int, width: int, data: bytes) -> None:
        write(self._folder / _path(kind, number, width), data)

    def _read_bundle(self, number: int, width: int) -> Iterator[Entry]:
        data = self._read("tile/entries", number, width)
        details = self._read("details", number, width).split(b"\n")
        place = 0
        for line in details[:width]:
            start = place + _LENGTH
            place = start + int.from_bytes(data[place:start])
            yield Entry(data=data[start:place], details=line)

    def _read(self, kind: str, number: int, width: int) -> bytes:
        for path in (_path(kind, number, width), _path(kind, number, TILE)):
            if (self._folder / path).exists():
                return (self._folder / path).read_bytes()
        raise AgencyError(f"{_path(kind, number, width)} is missing in {self._folder}")

    def _versions(self, kind: str, number: int) -> list[Path]:
        whole = self._folder / _path(kind, number, TILE)
        parts = sorted(whole.with_name(f"{whole.name}.p").glob("*"))
        return [path for path in (whole, *parts) if path.exists()]


def _bundles(old: int, new: int) -> Iterator[tuple[int, int]]:
    """Yield number and width of the bundles that change when a row grows from OLD to NEW."""
    for number in range(old // TILE, -(-new // TILE)):
        yield number, min(TILE, new - number * TILE)


def _path(kind: str, number: int, width: int) -> str:
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    part = f".p/{width}" if width < TILE else ""
    return f"{kind}/{'/'.join(groups)}{part}"
