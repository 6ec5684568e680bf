"""Merkle trees as in RFC 6962 and RFC 9162, and their hash tiles as in C2SP tlog-tiles."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

TILE: Final = 256


def leaf_hash(data: bytes) -> bytes:
    """Hash one leaf."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children."""
    return sha256(b"\1" + left + right).digest()


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes; that of no leaves is the hash of nothing."""
    if not leaves:
        return sha256(b"").digest()
    row = list(leaves)
    while len(row) > 1:
        # An odd last node moves up as it is, which gives the tree of the RFC.
        row = [*_pairs(row), *row[len(row) & ~1 :]]
    return row[0]


def tile_rows(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return for each tile level the hashes of its complete subtrees, lowest level first."""
    rows = [list(leaves)]
    while len(rows[-1]) >= TILE:
        row = rows[-1]
        for _ in range(TILE.bit_length() - 1):
            row = _pairs(row)
        rows.append(row)
    return rows


def holds(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether PROOF puts LEAF (a hash) at INDEX of the tree SIZE/ROOT (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    first, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if first & 1 or first == last:
            node = node_hash(sibling, node)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and node == root


def _pairs(row: Sequence[bytes]) -> list[bytes]:
    evens, odds = row[::2], row[1::2]
    return [node_hash(left, right) for left, right in zip(evens, odds, strict=False)]
