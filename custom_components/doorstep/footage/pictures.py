"""The pictures of a clip that is made of JPEGs, taken out again as they came."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256

from ..errors import CameraError, StorageError
from .clip import Clip
from .codecs import MJPEG
from .fragments import InitSegment, parse_init, sample_sizes
from .lines import ClipLines, FragmentLine


def is_pictures(clip: Clip) -> bool:
    """Whether a clip is made of JPEGs, which no browser plays; an unreadable one isn't."""
    try:
        return codec(clip) == MJPEG
    except StorageError:
        return False


def codec(clip: Clip) -> object:
    """Name the codec of a clip's video (RFC 6381) as its first line does; StorageError."""
    lines = ClipLines()
    try:
        with clip.lines.open("rb") as file:
            lines.add(file.readline())
    except OSError as error:
        raise StorageError("clip_unreadable", clip=clip.id) from error
    return _codec(lines)


def moments(clip: Clip) -> list[datetime]:
    """When the pictures came, UTC; several in one fragment count as one. StorageError."""
    return [fragment.utc for fragment in _lines(clip).footage]


def frames(clip: Clip) -> Iterator[bytes]:
    """Give all JPEGs, byte for byte as the camera gave them.

    Files that can't be read, or aren't what was sealed: StorageError `clip_unreadable`.
    """
    lines = _lines(clip)
    for pictures in _pictures(clip, lines, lines.footage):
        yield from pictures


def frame(clip: Clip, number: int) -> bytes:
    """Give the JPEG of one of the `moments`; IndexError for none, StorageError as `frames`."""
    lines = _lines(clip)
    (pictures,) = _pictures(clip, lines, [lines.footage[number]])
    return pictures[0]


def _pictures(
    clip: Clip, lines: ClipLines, fragments: Iterable[FragmentLine]
) -> Iterator[list[bytes]]:
    try:
        with clip.video.open("rb") as file:
            init = parse_init(file.read(lines.fragments[0].offset))
            for one in fragments:
                file.seek(one.offset)
                data = file.read(one.length)
                if sha256(data).hexdigest() != one.sha256:
                    raise StorageError("clip_unreadable", clip=clip.id)
                yield _split(init, data)
    except (OSError, CameraError) as error:
        raise StorageError("clip_unreadable", clip=clip.id) from error


def _split(init: InitSegment, fragment: bytes) -> list[bytes]:
    sizes = sample_sizes(init, fragment)
    at, found = len(fragment) - sum(sizes), []
    for size in sizes:
        found.append(fragment[at : at + size])
        at += size
    return found


def _lines(clip: Clip) -> ClipLines:
    try:
        lines = ClipLines.parse(clip.lines.read_bytes())
    except OSError as error:
        raise StorageError("clip_unreadable", clip=clip.id) from error
    if _codec(lines) != MJPEG or not lines.footage:
        raise StorageError("clip_unreadable", clip=clip.id)
    return lines


def _codec(lines: ClipLines) -> object:
    tracks = lines.header["tracks"]
    assert isinstance(tracks, list)
    return next((track.get("codec") for track in tracks if track["id"] == lines.video), None)
