"""BagIt 1.0 (RFC 8493) out of a tar: unpacked so that nothing can escape, checked file by file."""

from hashlib import sha256
from pathlib import Path, PurePosixPath
import re
import tarfile
from typing import BinaryIO, Final, cast

from .age import Identity, Reader
from .errors import AgencyError

MAX_FILES: Final = 10_000
MANIFEST: Final = "manifest-sha256.txt"
TAG_MANIFEST: Final = "tagmanifest-sha256.txt"
_BLOCK: Final = 1 << 20
_LINE: Final = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_DECLARATION: Final = re.compile(r"BagIt-Version: 1\.0\nTag-File-Character-Encoding: UTF-8\n?")
_FOLDER_MODE: Final = 0o700


def unpack(package: Path, identity: Identity, folder: Path) -> Path:
    """Decrypt PACKAGE into the new FOLDER; return the bag's own folder in it.

    Raises AgencyError for anything but plain files and folders with plain names, and for a
    package that is damaged anywhere up to its last byte.
    """
    try:
        folder.mkdir(parents=True, mode=_FOLDER_MODE)
    except FileExistsError as error:
        raise AgencyError(f"{folder} exists; give a folder that does not") from error
    try:
        with package.open("rb") as source:
            _untar(Reader(source, identity), folder)
    except (OSError, tarfile.TarError) as error:
        raise AgencyError(f"cannot unpack {package.name}: {error}") from error
    return _bag_folder(folder)


def check(bag: Path) -> int:
    """Check that every file of the bag is listed and as listed; return how many there are."""
    if not _DECLARATION.fullmatch(read_text(bag, "bagit.txt").replace("\r\n", "\n")):
        raise AgencyError("bagit.txt is not that of a BagIt 1.0 bag")
    files = {path.relative_to(bag).as_posix() for path in bag.rglob("*") if path.is_file()}
    payload = {name for name in files if name.startswith("data/")}
    listed = _manifest(bag, MANIFEST)
    tags = _manifest(bag, TAG_MANIFEST)
    if listed.keys() != payload:
        odd = ", ".join(sorted(listed.keys() ^ payload))
        raise AgencyError(f"the payload and {MANIFEST} differ: {odd}")
    if MANIFEST not in tags or not tags.keys() <= files:
        raise AgencyError(f"{TAG_MANIFEST} does not cover {MANIFEST}, or lists what is not there")
    for name, digest in (listed | tags).items():
        if sha256_of(bag / name) != digest.lower():
            raise AgencyError(f"{name} is not what the bag lists")
    return len(listed) + len(tags)


def read_bytes(bag: Path, name: str) -> bytes:
    """Return a file of the bag. Raises AgencyError if there is none."""
    try:
        return (bag / name).read_bytes()
    except OSError as error:
        raise AgencyError(f"{name} is missing in the bag") from error


def read_text(bag: Path, name: str) -> str:
    """Return a text of the bag. Raises AgencyError."""
    try:
        return read_bytes(bag, name).decode()
    except UnicodeDecodeError as error:
        raise AgencyError(f"{name} is not UTF-8") from error


def sha256_of(path: Path) -> str:
    """Hash a file of any size, in hex."""
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
        return digest.hexdigest()


def _untar(reader: Reader, folder: Path) -> None:
    seen: set[str] = set()
    with tarfile.open(fileobj=cast("BinaryIO", reader), mode="r|") as tar:
        for member in tar:
            _check_member(member, seen)
            tar.extract(member, folder, filter="data")
    while reader.read(_BLOCK):
        """The end of the tar is not the end of the file: only its last chunk proves it whole."""


def _check_member(member: tarfile.TarInfo, seen: set[str]) -> None:
    path = PurePosixPath(member.name)
    plain = member.type in {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE}
    inside = not path.is_absolute() and ".." not in path.parts and "\\" not in member.name
    if not plain or not inside or member.name in seen or len(seen) >= MAX_FILES:
        raise AgencyError(f"the package holds something it must not: {member.name!r}")
    seen.add(member.name)


def _bag_folder(folder: Path) -> Path:
    """Find the bag: FOLDER itself, or the single folder in it."""
    inside = list(folder.iterdir())
    if len(inside) == 1 and inside[0].is_dir():
        return inside[0]
    return folder


def _manifest(bag: Path, name: str) -> dict[str, str]:
    listed: dict[str, str] = {}
    for line in read_text(bag, name).splitlines():
        match = _LINE.fullmatch(line)
        if match is None or match[2] in listed:
            raise AgencyError(f"{name} holds a malformed or repeated line")
        listed[match[2]] = match[1]
    return listed
