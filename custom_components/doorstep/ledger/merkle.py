"""The Merkle tree of RFC 6962, section 2: roots, compact ranges, inclusion proofs."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Self

HASH_LENGTH = 32
_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """Hash one entry (RFC 6962, section 2.1): 32 bytes."""
    return sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children (RFC 6962, section 2.1): 32 bytes."""
    return sha256(_NODE + left + right).digest()


class CompactRange:
    """The right edge of a tree: one hash per complete subtree, largest first.

    Enough to append and to compute the root, in O(log n) memory.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Continue a tree of `size` leaves from its `peaks`; a mismatch is a ValueError."""
        if size < 0 or len(peaks) != size.bit_count():
            msg = "as many peaks as bits set in the size"
            raise ValueError(msg)
        self._size = size
        self._peaks = list(peaks)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return self._size

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size, carry = self._size, leaf
        while size & 1:
            carry = node_hash(self._peaks.pop(), carry)
            size >>= 1
        self._peaks.append(carry)
        self._size += 1

    def root(self) -> bytes:
        """Root hash; of the empty tree, the hash of nothing."""
        if not self._peaks:
            return sha256(b"").digest()
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(self._size, self._peaks)

    def to_bytes(self) -> bytes:
        """All peaks, 32 bytes each, largest first."""
        return b"".join(self._peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Self:
        """Inverse of `to_bytes`; wrong length is a ValueError."""
        if len(data) % HASH_LENGTH:
            msg = "not a whole number of hashes"
            raise ValueError(msg)
        starts = range(0, len(data), HASH_LENGTH)
        return cls(size, [data[start : start + HASH_LENGTH] for start in starts])


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Root over leaf hashes, in order."""
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of leaf `index`, from the leaf up (RFC 6962, section 2.1.1)."""
    if not 0 <= index < len(leaves):
        msg = "no such leaf"
        raise IndexError(msg)
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        split = low + (1 << (high - low - 1).bit_length() - 1)
        if index < split:
            path.append(root_hash(leaves[split:high]))
            high = split
        else:
            path.append(root_hash(leaves[low:split]))
            low = split
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` leads from `leaf` at `index` to `root` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            reached = node_hash(sibling, reached)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and reached == root
