"""What the fuzzer damages: one valid input for each thing that comes from outside."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from custom_components.doorstep.disclosure import age, cut, receipt
from custom_components.doorstep.disclosure.receipt import Delivered
from custom_components.doorstep.errors import (
    CameraError,
    DoorstepError,
    FeedError,
    ReceiptError,
    ReleaseError,
    RequestError,
    StorageError,
)
from custom_components.doorstep.footage.clip import Clip, recover
from custom_components.doorstep.footage.files import ClipFiles
from custom_components.doorstep.footage.fragments import FragmentParser, rewritten
from custom_components.doorstep.footage.lines import ClipLines
from custom_components.doorstep.inbox import jws, requests
from custom_components.doorstep.inbox.agencies import Statement
from custom_components.doorstep.inbox.feed import FeedDescriptor, FeedState, TrustedFeed
from custom_components.doorstep.inbox.jws import Token, public_key
from custom_components.doorstep.inbox.requests import Details
from custom_components.doorstep.ledger.notes import VerifierKey, open_checkpoint
from tests.disclosure.clips import CLIP_ID, Sealer, tree
from tests.disclosure.conftest import WINDOW
from tests.footage.synthetic import AUDIO, VIDEO, fragment, init_segment
from tests.inbox.world import AGENCY, HOUR, NOW, PLACE, RECIPIENT, SALT, Feed, read
from tests.simulators import documents
from tests.simulators.signing import Signer, to_json

from .household import recording
from .mutate import damaged, distorted

type Target = Callable[[Random], object]

_OF = Delivered(
    release="ab" * 16, request="urn:uuid:1", package_sha256="1" * 64, release_sha256="2" * 64
)
_FEED = (FeedError, RequestError)
EXPECTED: Mapping[str, tuple[type[DoorstepError], ...]] = {
    "jws": (RequestError,),
    "statement": (RequestError,),
    "request": (RequestError,),
    "details": (RequestError,),
    "details, honest hash": (RequestError,),
    "descriptor": _FEED,
    "checkpoint": (FeedError,),
    "vkey": (FeedError,),
    "feed": _FEED,
    "receipt": (ReceiptError,),
    "receipt, signed": (ReceiptError,),
    "recipient": (ReleaseError,),
    "camera": (CameraError,),
    "lines": (StorageError,),
    "cut": (ReleaseError, StorageError),
    "cut clip": (StorageError,),
}


def targets() -> dict[str, Target]:
    """Make the targets that need no disk."""
    signer = Signer()
    recording()
    return {**_signed(signer), **_feeds(), **_receipts(signer), "recipient": _recipient} | {
        "camera": _camera(),
        "lines": _lines,
    }


def in_folder(folder: Path) -> dict[str, Target]:
    """Make the targets that read files."""
    return {"cut": lambda dice: _cut(dice, folder), "cut clip": lambda dice: _recover(dice, folder)}


# --- the inbox


def _signed(signer: Signer) -> dict[str, Target]:
    keys = {signer.thumbprint: public_key(signer.public)}
    asked = documents.request(
        AGENCY, area=documents.square(*PLACE, 300.0), window=(NOW - HOUR, NOW), now=NOW
    )
    line = to_json(documents.details(SALT))
    digest = sha256(line).hexdigest()
    asked["properties"]["details"] = {"sha256": digest}
    token = signer.sign(asked, requests.TYP)
    said = documents.statement(
        AGENCY,
        jurisdiction=documents.square(*PLACE, 15_000.0),
        base="https://in.example.gov/",
        now=NOW,
    )
    said["keys"] = [{"jwk": signer.public, "state": "active"}]
    said["encryption"] = [{"recipient": RECIPIENT, "holder": "Evidence unit"}]

    def verify(dice: Random) -> None:
        # its last character may be another whose bits are the same: the decoder has to refuse it
        forged = damaged(dice, token)
        found = jws.verify(forged, requests.TYP, keys)
        assert forged == token, "another token passes"
        assert found.payload == asked

    def statement(dice: Random) -> None:
        Statement.parse(Token.parse(signer.sign(distorted(dice, said), "agency-statement+jws")))

    def request(dice: Random) -> None:
        signed = signer.sign(distorted(dice, asked), requests.TYP)
        requests.parse_request(jws.verify(signed, requests.TYP, keys).payload, NOW)

    def details(dice: Random) -> None:
        forged = damaged(dice, line)
        Details.parse(forged, digest)
        assert forged == line

    def honest(dice: Random) -> None:
        other = to_json(distorted(dice, documents.details(SALT)))
        Details.parse(other, sha256(other).hexdigest())

    Statement.parse(Token.parse(signer.sign(said, "agency-statement+jws")))
    return {
        "jws": verify,
        "statement": statement,
        "request": request,
        "details": details,
        "details, honest hash": honest,
    }


def _feeds() -> dict[str, Target]:
    feed = Feed(witnessed=True)
    for number in range(300):
        feed.log.append(f"entry {number}".encode() * 3, b"details")
    descriptor = FeedDescriptor.parse(feed.described())
    files, log = feed.log.files(NOW), f"https://{feed.log.origin}/"
    note = files["checkpoint"]

    def describe(dice: Random) -> None:
        # whoever writes a descriptor may write any; it is trusted by its fingerprint
        FeedDescriptor.parse(damaged(dice, descriptor.raw))

    def checkpoint(dice: Random) -> None:
        known = open_checkpoint(note, descriptor.log_key, descriptor.witnesses)
        found = open_checkpoint(damaged(dice, note), descriptor.log_key, descriptor.witnesses)
        assert (found.origin, found.size, found.root) == (known.origin, known.size, known.root)
        assert found.cosigned.items() <= known.cosigned.items()

    def poll(dice: Random) -> None:
        name = dice.choice(sorted(name for name in files if "details" not in name))
        forged = files | {name: damaged(dice, files[name])}
        state = FeedState(id="feed", descriptor=descriptor)
        update = read(TrustedFeed(state), forged, NOW, log)
        assert [entry.data for entry in update.entries] == feed.log.entries

    def vkey(dice: Random) -> None:
        VerifierKey.parse(damaged(dice, feed.log.vkey.encode()).decode("latin-1"))

    return {"descriptor": describe, "checkpoint": checkpoint, "feed": poll, "vkey": vkey}


# --- the disclosure


def _receipts(signer: Signer) -> dict[str, Target]:
    keys = {signer.thumbprint: public_key(signer.public)}
    told = {
        "v": 1,
        "release": _OF.release,
        "request": _OF.request,
        "package_sha256": _OF.package_sha256,
        "release_sha256": _OF.release_sha256,
        "received_at": "2026-11-23T21:05:00Z",
        "evidence_id": "24-118/7",
        "terms_accepted": True,
    }
    token = signer.sign(told, receipt.TYPE)
    receipt.verify(token, _OF, keys)

    def forged(dice: Random) -> None:
        other = damaged(dice, token)
        receipt.verify(other, _OF, keys)
        assert other.strip() == token, "another receipt passes"

    def signed(dice: Random) -> None:
        other = distorted(dice, told)
        receipt.verify(signer.sign(other, receipt.TYPE), _OF, keys)
        names = ("release", "request", "package_sha256", "release_sha256")
        assert [other[name] for name in names] == [told[name] for name in names]

    return {"receipt": forged, "receipt, signed": signed}


def _recipient(dice: Random) -> None:
    text = damaged(dice, RECIPIENT.encode()).decode("latin-1")
    age.parse_recipient(text)
    assert text == RECIPIENT, "a slip of the pen passes"


def _cut(dice: Random, folder: Path) -> None:
    """A clip whose files say anything, under a seal that holds."""
    sealer = Sealer(recording())
    sealer.lines = [
        distorted(dice, dict(line)) if dice.random() < 0.01 else line for line in sealer.lines
    ]
    clip = sealer.write(folder / "library")
    if dice.random() < 0.7:
        clip = _resealed(clip, damaged(dice, clip.lines.read_bytes()))
    if dice.random() < 0.7:
        clip.video.write_bytes(damaged(dice, clip.video.read_bytes()))
    plan = cut.plan(clip, WINDOW, audio=dice.random() < 0.5)
    assert cut.digest(plan)


def _resealed(clip: Clip, data: bytes) -> Clip:
    clip.lines.write_bytes(data)
    lines = data.split(b"\n")[:-1]
    return replace(clip, root=tree(lines).hex()) if lines else clip


# --- the footage


def _camera() -> Target:
    stream = init_segment(VIDEO, AUDIO) + b"".join(
        fragment(at, track=track, key=at % 2000 == 0)
        for at in range(0, 5000, 500)
        for track in (1, 2)
    )

    def feed(dice: Random) -> None:
        source = stream if dice.random() < 0.7 else recording()[:60_000]
        data, parser = damaged(dice, source), FragmentParser()
        size = dice.choice((1, 100, 5000, 1 << 20)) if len(data) < 20_000 else 5000
        for at in range(0, len(data), size):
            for _, found in parser.feed(data[at : at + size]):
                rewritten(found, dice.choice((0, 1 << 31, 1 << 32)), 1)

    return feed


def _lines(dice: Random) -> None:
    ClipLines.parse(damaged(dice, _LINES))


def _recover(dice: Random, folder: Path) -> None:
    """What a crash left, and then something else spoiled."""
    clip = Sealer(recording()[:60_000]).write(folder / "partial" / "front" / "2026-11-14", CLIP_ID)
    files = ClipFiles.place(folder / "partial", "front", CLIP_ID)
    lines, video = damaged(dice, clip.lines.read_bytes()), damaged(dice, clip.video.read_bytes())
    files.discard()
    files.open_lines.write_bytes(lines)
    (files.open_video if dice.random() < 0.5 else files.video).write_bytes(video)
    try:
        if kept := recover(files):
            data, told = kept.video.read_bytes(), ClipLines.parse(kept.lines.read_bytes())
            for line in told.fragments:
                assert sha256(data[line.offset :][: line.length]).hexdigest() == line.sha256
    finally:
        files.discard()


def _some_lines() -> bytes:
    header: dict[str, Any] = {
        "v": 1,
        "clip": CLIP_ID,
        "doorbell": "front",
        "event": "ring",
        "event_at": documents.timestamp(datetime(2026, 11, 14, 20, tzinfo=UTC)),
        "tracks": [{"id": 1, "kind": "video", "codec": "avc1.64001f", "timescale": 1000}],
        "init": {"sha256": "0" * 64, "length": 100},
    }
    each = {"track": 1, "utc": "2026-11-14T20:00:00Z", "how": "arrival", "duration": 500}
    fragments = [
        {
            **each,
            "i": n,
            "start": 500 * n,
            "key": True,
            "offset": 100 + 50 * n,
            "length": 50,
            "sha256": "0" * 64,
        }
        for n in range(6)
    ]
    last = {"end": "post-roll", "fragments": 6}
    return b"".join(to_json(line) + b"\n" for line in (header, *fragments, last))


_LINES = _some_lines()
