"""A C2SP tlog-tiles log (checkpoint, tiles, entry bundles) in memory, made by aics-tlog.

Only the `details/` files are written here, from protocol section 1: no library knows them.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from aics_tlog import (
    Checkpoint,
    IncrementalTileWriter,
    MemoryTileStore,
    Note,
    cosignature_vkey,
    format_vkey,
    sign_checkpoint,
    sign_cosignature,
    tiles,
    vkey_from_ed25519,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ENTRIES: Final = "tile/entries/"
WITNESS: Final = "witness.example.org/w1"


class Log:
    """An append-only list of entries that its operator can also betray."""

    def __init__(self, origin: str, *, witnessed: bool = False) -> None:
        """Start an empty log; WITNESSED adds the cosignature of an independent witness."""
        self.origin = origin
        self.entries: list[bytes] = []
        self.details: list[bytes] = []
        self.key = Ed25519PrivateKey.generate()
        self.witness = Ed25519PrivateKey.generate() if witnessed else None
        self._writer = IncrementalTileWriter(MemoryTileStore())

    @property
    def vkey(self) -> str:
        """Return the log's verifier key in C2SP text form."""
        return format_vkey(vkey_from_ed25519(self.origin, self.key.public_key()))

    @property
    def witnesses(self) -> list[str]:
        """Return the witnesses' verifier keys."""
        if self.witness is None:
            return []
        return [format_vkey(cosignature_vkey(WITNESS, self.witness.public_key()))]

    @property
    def size(self) -> int:
        """Return the number of entries."""
        return len(self.entries)

    @property
    def root(self) -> bytes:
        """Return the RFC 6962 root hash over all entries."""
        return self._writer.root()

    def append(self, entry: bytes, details: bytes = b"") -> int:
        """Add one entry and its details line; return its index."""
        self._writer.append([entry])
        self.entries.append(entry)
        self.details.append(details)
        return self.size - 1

    def rewrite(self, entries: Iterable[bytes], details: Iterable[bytes]) -> None:
        """Replace the whole history: what a log must never do."""
        self._writer = IncrementalTileWriter(MemoryTileStore())
        self.entries, self.details = [], []
        for entry, line in zip(entries, details, strict=True):
            self.append(entry, line)

    def checkpoint(self, at: datetime, *, key: Ed25519PrivateKey | None = None) -> bytes:
        """Return the signed note of the present size, cosigned AT; KEY signs in the log's place."""
        head = Checkpoint(self.origin, self.size, self.root)
        signer = key or self.key
        cosigners = [(self.origin, signer)]
        if self.witness is not None:
            cosigners.append((WITNESS, self.witness))
        note = sign_checkpoint(head, signer, self.origin)
        time = int(at.timestamp())
        lines = tuple(
            sign_cosignature(cosigner, name, time, head.origin, head.size, head.root)[1]
            for name, cosigner in cosigners
        )
        return Note(text=note.text, signatures=(*note.signatures, *lines)).to_bytes()

    def files(self, at: datetime) -> dict[str, bytes]:
        """Return every file below the log's URL, by path; the checkpoint is cosigned AT."""
        store = self._writer.store
        assert isinstance(store, MemoryTileStore)
        details = (self._details_of(path) for path in store.tiles if path.startswith(ENTRIES))
        return {**store.tiles, **dict(details), "checkpoint": self.checkpoint(at)}

    def _details_of(self, bundle: str) -> tuple[str, bytes]:
        index, width = tiles.parse_entry_bundle_path(bundle)
        first = index * 256
        lines = self.details[first : first + (width or 256)]
        return bundle.replace(ENTRIES, "details/"), b"".join(line + b"\n" for line in lines)
