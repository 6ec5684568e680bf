"""ISO base media boxes (ISO/IEC 14496-12, section 4.2): walking and reading, nothing more.

Whatever is malformed ends as `CameraError("camera_bad_stream")`: the bytes come from a camera.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import struct

from ..errors import CameraError

HEADER = 8


def bad_stream(what: str) -> CameraError:
    """Make the error every malformed box ends in."""
    return CameraError("camera_bad_stream", what=what)


@dataclass(frozen=True, slots=True)
class Box:
    """One box inside `data`: its four-letter name, where its payload starts, where it ends."""

    data: bytes
    name: bytes
    start: int
    end: int

    def children(self, skip: int = 0) -> Iterator[Box]:
        """Walk the boxes inside this one, after `skip` bytes of its own fields."""
        return walk(self.data, self.start + skip, self.end)

    def child(self, name: bytes, skip: int = 0) -> Box:
        """Find the one child of that name; none or several: CameraError."""
        return only(self.children(skip), name)

    def read(self, layout: str, at: int = 0) -> tuple[int, ...]:
        """Unpack big-endian integers `at` bytes into the payload; beyond its end: CameraError."""
        if at < 0 or self.start + at + struct.calcsize(f">{layout}") > self.end:
            raise bad_stream(f"short {self.name.decode('latin-1')} box")
        return struct.unpack_from(f">{layout}", self.data, self.start + at)

    def versioned(self) -> tuple[int, int]:
        """Version and flags of a full box (section 4.2.2)."""
        (word,) = self.read("I")
        return word >> 24, word & 0xFFFFFF


def only(boxes: Iterable[Box], name: bytes) -> Box:
    """Find the one box of that name; none or several: CameraError."""
    found = [box for box in boxes if box.name == name]
    if len(found) != 1:
        raise bad_stream(f"{len(found)} {name.decode('latin-1')} boxes")
    return found[0]


def walk(data: bytes, start: int, end: int) -> Iterator[Box]:
    """Walk the boxes that fill `data[start:end]` exactly; 64-bit and open sizes: CameraError."""
    while start < end:
        if end - start < HEADER:
            raise bad_stream("trailing bytes")
        size = int.from_bytes(data[start : start + 4])
        if not HEADER <= size <= end - start:
            raise bad_stream("box size")
        yield Box(data, data[start + 4 : start + HEADER], start + HEADER, start + size)
        start += size
