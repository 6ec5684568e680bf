"""The tree against an independent implementation, and its edges."""

from hashlib import sha256

import aics_tlog
from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.ledger.merkle import (
    CompactRange,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_inclusion,
)

ENTRIES = st.lists(st.binary(max_size=40), max_size=40)


def test_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert root_hash([]) == sha256(b"").digest()


@given(ENTRIES)
def test_root_agrees_with_a_third_party(entries: list[bytes]) -> None:
    theirs = aics_tlog.MerkleTree(entries)
    assert root_hash([leaf_hash(entry) for entry in entries]) == theirs.root()


@given(ENTRIES.filter(bool), st.data())
def test_a_third_party_accepts_our_proofs(entries: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    leaves = [leaf_hash(entry) for entry in entries]
    proof = inclusion_proof(leaves, index)
    theirs = aics_tlog.MerkleTree(entries)
    assert proof == theirs.inclusion_proof(index)
    assert verify_inclusion(leaves[index], index, len(leaves), proof, theirs.root())


@given(ENTRIES.filter(bool), st.data())
def test_a_proof_holds_for_one_leaf_one_place_one_root(
    entries: list[bytes], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(entries) - 1))
    leaves = [leaf_hash(entry) for entry in entries]
    proof, root, size = inclusion_proof(leaves, index), root_hash(leaves), len(leaves)
    other = leaf_hash(b"other" + entries[index])
    assert not verify_inclusion(other, index, size, proof, root)
    assert not verify_inclusion(leaves[index], index, size, proof, other)
    assert not verify_inclusion(leaves[index], index, size, [*proof, other], root)
    assert not verify_inclusion(leaves[index], size, size, proof, root)
    assert not verify_inclusion(leaves[index], -1, size, proof, root)
    if proof:
        assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)


@pytest.mark.parametrize("index", [-1, 1])
def test_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof([leaf_hash(b"")], index)


@given(ENTRIES, ENTRIES)
def test_a_stored_range_goes_on_where_it_stopped(before: list[bytes], after: list[bytes]) -> None:
    tree = CompactRange()
    for entry in before:
        tree.append(leaf_hash(entry))
    again = CompactRange.from_bytes(tree.size, tree.to_bytes())
    copy = again.copy()
    for entry in after:
        again.append(leaf_hash(entry))
    assert again.root() == root_hash([leaf_hash(entry) for entry in before + after])
    assert copy.root() == tree.root()


@pytest.mark.parametrize(("size", "data"), [(1, b""), (0, bytes(32)), (1, bytes(31)), (-1, b"")])
def test_a_range_that_does_not_fit_its_size_is_refused(size: int, data: bytes) -> None:
    with pytest.raises(ValueError, match=r"peaks|whole number"):
        CompactRange.from_bytes(size, data)
