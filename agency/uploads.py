"""Uploads on their way: tus 1.0.0, core and creation, with everything on disk.

An upload is two files in the folder of incoming packages: `<id>.json` says what was announced,
`<id>.part` holds the bytes so far; its length is the offset. A restart forgets nothing.
"""

from base64 import b64decode
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedIOBase
import os
from pathlib import Path
import re
import secrets
from typing import Final

from .encoding import canonical_json, parse_object, text_member
from .errors import AgencyError
from .files import PRIVATE, write

_NAME: Final = re.compile(r"[0-9a-f]{32}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_BLOCK: Final = 1 << 16
_MAX_METADATA: Final = 4096
_MAX_OPEN: Final = 1000


@dataclass(frozen=True, slots=True)
class Upload:
    """One announced package."""

    id: str
    length: int
    sha256: str
    request: str
    release: str
    path: Path

    @property
    def offset(self) -> int:
        """Return how many bytes are here. After the last one the file may have moved on."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return self.length

    @property
    def complete(self) -> bool:
        """Say whether all bytes are here and nobody has taken the file yet."""
        return self.path.exists() and self.offset == self.length


class Uploads:
    """The folder of incoming packages."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        """Take the folder and the largest length that is accepted, in bytes."""
        self.max_bytes = max_bytes
        self._folder = folder

    def create(self, length: int, metadata: Mapping[str, str]) -> Upload:
        """Announce an upload. Raises AgencyError if its metadata do not name a package."""
        if len(list(self._folder.glob("*.part"))) >= _MAX_OPEN:
            raise AgencyError("too many unfinished uploads")
        if not _SHA256.fullmatch(metadata.get("sha256", "")):
            raise AgencyError("the metadata name no sha256 of the package")
        name = secrets.token_hex(16)
        facts = {key: metadata.get(key, "") for key in ("sha256", "request", "release")}
        (self._folder / f"{name}.part").touch(mode=PRIVATE)
        write(self._folder / f"{name}.json", canonical_json({**facts, "length": length}), PRIVATE)
        return self._upload(name)

    def find(self, name: str) -> Upload | None:
        """Return the upload of that id, or None."""
        if not _NAME.fullmatch(name) or not (self._folder / f"{name}.json").exists():
            return None
        return self._upload(name)

    def complete(self) -> list[Upload]:
        """Return the uploads that wait to be opened."""
        found = [self._upload(path.stem) for path in sorted(self._folder.glob("*.json"))]
        return [upload for upload in found if upload.complete]

    def _upload(self, name: str) -> Upload:
        facts = parse_object((self._folder / f"{name}.json").read_bytes(), f"{name}.json")
        length = facts.get("length")
        return Upload(
            id=name,
            length=length if isinstance(length, int) else 0,
            sha256=text_member(facts, "sha256", name),
            request=text_member(facts, "request", name),
            release=text_member(facts, "release", name),
            path=self._folder / f"{name}.part",
        )


def receive(upload: Upload, source: BufferedIOBase, count: int) -> None:
    """Append COUNT bytes of SOURCE to the upload; what came before a broken line is kept."""
    with upload.path.open("ab") as file:
        while count and (block := source.read1(min(count, _BLOCK))):
            file.write(block)
            file.flush()
            count -= len(block)
        os.fsync(file.fileno())


def parse_metadata(header: str) -> dict[str, str]:
    """Read `Upload-Metadata`: comma-separated `key base64` pairs. Raises AgencyError."""
    if len(header) > _MAX_METADATA:
        raise AgencyError("Upload-Metadata is too long")
    pairs = [pair.split(" ") for pair in header.split(",")] if header else []
    try:
        return {
            key: b64decode(value[0], validate=True).decode() if value else ""
            for key, *value in pairs
        }
    except (binascii.Error, ValueError) as error:
        raise AgencyError("malformed Upload-Metadata") from error
