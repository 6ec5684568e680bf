"""Opening a delivered package as an agency would: `age -d`, tar, `bagit.py --validate`."""

from dataclasses import dataclass
import hashlib
import json
from pathlib import Path
import subprocess
import sys
import tarfile
from typing import Any, Self

from scripts.children import tool


class BadPackageError(Exception):
    """A tool refused the package; the text is what the tool said."""


@dataclass(frozen=True, slots=True)
class AgeKey:
    """An age X25519 identity in a file made by `age-keygen`."""

    identity: Path
    recipient: str

    @classmethod
    def generate(cls, identity: Path) -> Self:
        """Make a new identity in the file IDENTITY."""
        identity.parent.mkdir(parents=True, exist_ok=True)
        _run(tool("age-keygen"), "-o", str(identity))
        return cls(identity, _run(tool("age-keygen"), "-y", str(identity)).decode().strip())


@dataclass(frozen=True, slots=True)
class Package:
    """An opened package: BAG is the valid bag's folder, SHA256 the ciphertext's hash."""

    bag: Path
    sha256: str

    @property
    def release(self) -> dict[str, Any]:
        """Return metadata/release.json."""
        release: dict[str, Any] = json.loads(self.read("metadata/release.json"))
        return release

    @property
    def release_sha256(self) -> str:
        """Return the hash of metadata/release.json that a receipt names."""
        return hashlib.sha256(self.read("metadata/release.json")).hexdigest()

    def read(self, path: str) -> bytes:
        """Return the bytes of one file of the bag."""
        return (self.bag / path).read_bytes()

    def files(self) -> list[str]:
        """Return the paths of all files of the bag, sorted."""
        found = (path for path in self.bag.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.bag)) for path in found)


def open_package(encrypted: Path, key: AgeKey, folder: Path) -> Package:
    """Decrypt, unpack into FOLDER and validate. Raises BadPackageError."""
    folder.mkdir(parents=True)
    plain = folder / "package.tar"
    _run(tool("age"), "-d", "-i", str(key.identity), "-o", str(plain), str(encrypted))
    with tarfile.open(plain) as tar:
        tar.extractall(folder / "content", filter="data")
    declarations = list((folder / "content").rglob("bagit.txt"))
    if len(declarations) != 1:
        message = f"not one bag but {len(declarations)}"
        raise BadPackageError(message)
    bag = declarations[0].parent
    _run(sys.executable, "-m", "bagit", "--quiet", "--validate", str(bag))
    return Package(bag, hashlib.sha256(encrypted.read_bytes()).hexdigest())


def _run(*command: str) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise BadPackageError(done.stderr.decode(errors="replace"))
    return done.stdout
