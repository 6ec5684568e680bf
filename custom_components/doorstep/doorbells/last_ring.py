"""The picture of a doorbell's newest ring, out of the library."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from itertools import count
from typing import Final

from ..footage.clip import Clip
from ..footage.library import Library

_PAGE: Final = 100  # clips


def last_ring(library: Library, doorbell_id: str) -> tuple[datetime, bytes] | None:
    """Read the newest ring's instant and JPEG; None where there is none. Blocks; StorageError."""
    found: tuple[datetime, bytes] | None = None
    for clip in _rings(library, doorbell_id):
        if found and clip.event_at != found[0]:
            break
        # of the clips in which one ring goes on, the first shows it
        with suppress(OSError):  # there is none, or it goes just now
            found = clip.event_at, clip.picture.read_bytes()
    return found


def _rings(library: Library, doorbell_id: str) -> Iterator[Clip]:
    """Go through the clips of rings, newest first."""
    for page in count(0, _PAGE):
        clips = library.clips(doorbell_id, limit=_PAGE, offset=page)
        yield from (clip for clip in clips if clip.event == "ring")
        if len(clips) < _PAGE:
            break
