"""Read a clip's `fragments.jsonl` and prove its lines: what was sealed, before anything is cut."""

from collections.abc import Sequence
from functools import cache

import orjson

from ..encoding import JSON, canonical_json
from ..errors import ReleaseError, StorageError
from ..footage.clip import Clip
from ..footage.lines import ClipLines
from ..ledger.merkle import leaf_hash, node_hash


def read_seal(clip: Clip) -> ClipLines:
    """Read all lines of `clip` and check them against its root.

    ReleaseError keys: `clip_missing`, `seal_differs` (the lines don't give the clip's root),
    `seal_unreadable` (they do, but aren't understood); StorageError when the disk fails.
    """
    try:
        data = clip.lines.read_bytes()
    except FileNotFoundError as error:
        raise ReleaseError("clip_missing", clip=clip.id) from error
    except OSError as error:
        raise StorageError("clip_unreadable", clip=clip.id) from error
    try:
        lines = ClipLines.parse(data)
    except StorageError as error:
        raise ReleaseError("seal_unreadable", clip=clip.id) from error
    if lines.root() != clip.root:
        raise ReleaseError("seal_differs", clip=clip.id)
    return lines


def gaps(lines: ClipLines, track: int) -> list[int]:
    """Leaf indexes of the lines that say where frames of `track` are missing."""
    between = set(range(1, len(lines.raw) - 1)) - set(lines.marks)
    return [leaf for leaf in sorted(between) if orjson.loads(lines.raw[leaf]).get("track") == track]


def prove(lines: Sequence[bytes], leaves: Sequence[int]) -> bytes:
    """Write the lines at `leaves` as JSON lines, each with its inclusion proof (RFC 6962, 2.1.1).

    A line is `{"index","line","proof","root","size"}`: hashes in hex, the proof from the leaf up,
    `line` exactly as sealed (its UTF-8 text without the newline is the leaf's data).
    """
    hashes = [leaf_hash(line) for line in lines]

    @cache  # neighbours share all but the lowest of their proofs
    def subtree(low: int, high: int) -> bytes:
        if high - low == 1:
            return hashes[low]
        split = _split(low, high)
        return node_hash(subtree(low, split), subtree(split, high))

    def path(leaf: int) -> list[str]:
        low, high, siblings = 0, len(hashes), list[bytes]()
        while high - low > 1:
            split = _split(low, high)
            if leaf < split:
                siblings.append(subtree(split, high))
                high = split
            else:
                siblings.append(subtree(low, split))
                low = split
        return [sibling.hex() for sibling in reversed(siblings)]

    size, root = len(hashes), subtree(0, len(hashes)).hex()
    proved: list[dict[str, JSON]] = [
        {
            "index": leaf,
            "line": lines[leaf].decode(),
            "proof": path(leaf),
            "root": root,
            "size": size,
        }
        for leaf in leaves
    ]
    return b"".join(canonical_json(line) + b"\n" for line in proved)


def _split(low: int, high: int) -> int:
    """Where RFC 6962 divides leaves [low, high): at the largest power of two below their number."""
    return low + (1 << (high - low - 1).bit_length() - 1)
