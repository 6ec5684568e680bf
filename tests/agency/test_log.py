"""The public log: growth past full tiles, power cuts, damage. The judge is aics-tlog."""

from base64 import b64encode
from datetime import UTC, datetime
import hashlib
import os
from pathlib import Path
from typing import Any

from aics_tlog import (
    FileSystemTileReader,
    MerkleTree,
    audit_tiles,
    cosignature_vkey,
    parse_note,
    verify_checkpoint,
    vkey_from_ed25519,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings, strategies as st
import pytest

from agency import merkle, notes
from agency.errors import AgencyError
from agency.log import Entry, Log

NAME = "log.example/2026"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()


def make(folder: Path) -> Log:
    return Log(folder, NAME, KEY, lambda: datetime(2026, 11, 23, tzinfo=UTC))


def audit(folder: Path) -> tuple[int, bytes]:
    key = vkey_from_ed25519(NAME, PUBLIC)
    note = parse_note((folder / "checkpoint").read_bytes())
    verdict = verify_checkpoint(note, key, [cosignature_vkey(NAME, PUBLIC)], quorum=1)
    assert verdict.ok, verdict.error
    assert verdict.size is not None
    assert verdict.root is not None
    audit_tiles(FileSystemTileReader(folder), verdict.size, verdict.root)
    return verdict.size, verdict.root


def entries(start: int, count: int) -> list[Entry]:
    return [Entry(b"entry %d" % n, b"details %d" % n) for n in range(start, start + count)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = make(tmp_path)
    log.create()
    return log


def test_empty_log(log: Log, tmp_path: Path) -> None:
    assert audit(tmp_path) == (0, hashlib.sha256(b"").digest())
    assert log.entries() == []
    assert log.head().cosigned == int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())


def test_growth_past_full_bundles(log: Log, tmp_path: Path) -> None:
    size = 0
    for step in (1, 1, 250, 3, 1, 1, 255, 1, 300):
        assert log.append(*entries(size, step)) == size
        size += step
        tree = MerkleTree(entry.data for entry in entries(0, size))
        assert audit(tmp_path) == (size, tree.root())
    assert log.entries() == entries(0, size)
    assert not (tmp_path / "tile" / "entries" / "000.p").exists()
    assert (tmp_path / "tile" / "entries" / "003.p" / "45").exists()
    assert (tmp_path / "tile" / "1" / "000.p" / "3").exists()


def test_tiles_of_the_second_level_and_long_names(tmp_path: Path) -> None:
    size = 256 * 256 + 1
    rows = merkle.tile_rows([merkle.leaf_hash(b"%d" % n) for n in range(size)])
    assert [len(row) for row in rows] == [size, 256, 1]
    log = make(tmp_path)
    log._write("tile/0", 1_234_067, 256, b"")
    log._write("tile/0", 1000, 5, b"")
    assert (tmp_path / "tile" / "0" / "x001" / "x234" / "067").exists()
    assert (tmp_path / "tile" / "0" / "x001" / "000.p" / "5").exists()


def test_a_power_cut_anywhere_leaves_the_log_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut the power at each replacing of a file in turn, then go on as if nothing had been."""
    replace = os.replace
    for survives in range(12):
        folder = tmp_path / str(survives)
        log = make(folder)
        log.create()
        log.append(*entries(0, 254))
        left = [survives]

        def cut(source: Any, target: Any, left: list[int] = left) -> None:
            if not left[0]:
                raise OSError(5, "power cut")
            left[0] -= 1
            replace(source, target)

        monkeypatch.setattr(os, "replace", cut)
        try:
            log.append(*entries(900, 4))
            done = True
        except OSError:
            done = False
        monkeypatch.setattr(os, "replace", replace)
        size = 258 if done else 254
        assert audit(folder)[0] == size
        assert not list(folder.rglob(".new-*"))
        again = make(folder)
        assert again.append(*entries(500, 3)) == size
        assert audit(folder)[0] == size + 3
        tail = entries(900, 4) if done else []
        assert again.entries() == [*entries(0, 254), *tail, *entries(500, 3)]
    assert done


def test_blanking_reaches_every_file_that_holds_the_line(log: Log, tmp_path: Path) -> None:
    for number in range(3):
        log.append(*entries(number, 1))
    log.append(*entries(3, 260))
    log.blank([1, 257])
    lines = log.entries()
    assert [n for n, entry in enumerate(lines) if not entry.details] == [1, 257]
    assert audit(tmp_path)[0] == 263
    for path in (tmp_path / "details").rglob("*"):
        assert path.is_dir() or b"details 1\n" not in path.read_bytes()


def test_damage_is_noticed(log: Log, tmp_path: Path) -> None:
    log.append(*entries(0, 3))
    bundle = tmp_path / "tile" / "entries" / "000.p" / "3"
    data = bundle.read_bytes()
    bundle.write_bytes(data[:-1] + b"x")
    with pytest.raises(AgencyError, match="differ from the log's checkpoint"):
        log.append(*entries(3, 1))
    bundle.unlink()
    with pytest.raises(AgencyError, match="missing"):
        log.entries()
    (tmp_path / "checkpoint").unlink()
    with pytest.raises(AgencyError, match="there is no log"):
        log.refresh()


def test_entries_that_no_log_takes(log: Log) -> None:
    log.append(Entry(b"x" * 65535, b"y" * 4096))
    with pytest.raises(AgencyError, match="too long"):
        log.append(Entry(b"x" * 65536))
    with pytest.raises(AgencyError, match="too long"):
        log.append(Entry(b"", b"y" * 4097))
    assert log.head().size == 1


@given(st.integers(1, 70), st.data())
def test_roots_and_proofs_agree_with_aics_tlog(size: int, data: st.DataObject) -> None:
    tree = MerkleTree(b"%d" % n for n in range(size))
    leaves = [merkle.leaf_hash(b"%d" % n) for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion_proof(index, size)
    root = tree.root()
    assert merkle.root_hash(leaves) == root
    assert merkle.holds(leaves[index], index, size, proof, root)
    assert not merkle.holds(leaves[index], index, size, [*proof, bytes(32)], root)
    assert not merkle.holds(leaves[index], size, size, proof, root)
    assert not merkle.holds(leaves[index], -1, size, proof, root)
    other = data.draw(st.integers(0, size - 1))
    assert merkle.holds(leaves[other], index, size, proof, root) == (other == index)
    if proof:
        assert not merkle.holds(leaves[index], index, size, proof[:-1], root)


def proof_of(index: int, size: int) -> bytes:
    tree = MerkleTree(b"%d" % n for n in range(size))
    lines = [b64encode(node).decode() for node in tree.inclusion_proof(index, size)]
    note = notes.checkpoint(NAME, size, tree.root(), KEY, datetime(2026, 11, 23, tzinfo=UTC))
    head = ["c2sp.org/tlog-proof@v1", "extra AAAA", f"index {index}", *lines, ""]
    return "\n".join([*head, note.decode()]).encode()


def test_proofs_that_stand_alone() -> None:
    tree = notes.check_proof(proof_of(5, 9), b"5", NAME, PUBLIC)
    assert (tree.size, tree.cosigned) == (9, 1_795_392_000)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"tlog-proof@v1", b"tlog-proof@v2", "no proof of logging"),
        (b"\n\n", b"\n", "no proof of logging|no checkpoint"),
        (b"index 5", b"index 4", "does not hold"),
        (b"index 5", "index \u0665".encode(), "no index"),
        (b"index 5\n", b"", "no index"),
        (b"index 5", b"index 5\nAAAA", "hash of the log is malformed"),
        (b"index 5", b"index 5\n#", "malformed base64"),
        (b"\n9\n", b"\n8\n", "signature of the log .* is wrong"),
        (b"log.example", b"log.examples", "no checkpoint of the log"),
        ("— log.example/2026 ".encode(), b"- ", "lacks the signature"),
        (b"tlog-proof", b"\xff", "not text"),
    ],
)
def test_proofs_that_do_not_hold(old: bytes, new: bytes, complaint: str) -> None:
    with pytest.raises(AgencyError, match=complaint):
        notes.check_proof(proof_of(5, 9).replace(old, new), b"5", NAME, PUBLIC)


@settings(max_examples=200)
@given(st.integers(0), st.integers(0, 255))
def test_no_changed_byte_of_a_checkpoint_passes(place: int, byte: int) -> None:
    note = notes.checkpoint(NAME, 7, bytes(32), KEY, datetime(2026, 11, 23, tzinfo=UTC))
    place %= len(note)
    changed = note[:place] + bytes([byte]) + note[place + 1 :]
    try:
        head = notes.open_checkpoint(changed.decode("latin-1"), NAME, PUBLIC)
    except AgencyError:
        return
    assert (head.size, head.root) == (7, bytes(32))
