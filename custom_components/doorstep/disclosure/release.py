"""What an approval covers: one statement, its digest and the sentence a person reads.

Digest and sentence are made from the same statement, and the package carries it word for word, so
what is shown, what is decided and what is sent can't drift apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from typing import Any, Final

from yarl import URL

from ..encoding import JSON, canonical_json, format_time, parse_time
from ..errors import ReleaseError
from ..inbox.agencies import Recipient
from ..inbox.web import TEST_MODE
from .age import parse_recipient
from .cut import CutPlan, Window, digest as cut_digest

type Statement = Mapping[str, Any]

PROCESSING: Final = (
    "Whole fragments as the camera encoded them, copied without re-encoding; fragments outside the"
    " window and tracks not released were left out, a new index was written before the rest."
)
_SOURCE = ("event", "event_at", "camera_clock_offset", "camera_clock_measured", "host_ntp")
_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The request as far as a release needs it: its URN, the hash of its JWS, window and terms."""

    id: str
    sha256: str
    window: Window
    terms: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """The agency as a person confirmed it; `receipts` holds `{package_sha256}`."""

    id: str
    name: str
    recipients: Sequence[Recipient]
    delivery: str
    receipts: str


def make_statement(
    release: str, ask: Ask, to: Addressee, cuts: Sequence[CutPlan], *, audio: bool
) -> Statement:
    """State what is released to whom; `release` is its random id (32 hex digits).

    Reads every cut once to hash it. ReleaseError: `nothing_to_release` without a cut, a recipient
    that can't be encrypted to, and whatever a cut raises.
    """
    if not cuts:
        raise ReleaseError("nothing_to_release")
    for recipient in to.recipients:
        parse_recipient(recipient.recipient)
    return {
        "v": 1,
        "release": release,
        "request": ask.id,
        "request_sha256": ask.sha256,
        **_addressed(to),
        "terms": dict(ask.terms),
        "identity": "none",
        "audio": audio,
        "window": {"start": format_time(ask.window.start), "end": format_time(ask.window.end)},
        "clips": _clips(cuts),
        "processing": PROCESSING,
        "sealed_when": "home",
        "test": TEST_MODE,
    }


def names(statement: Statement, to: Addressee) -> bool:
    """Whether a statement still goes to whom a person has confirmed, and nobody else."""
    stated = {key: statement[key] for key in ("agency", "recipients", "delivery", "receipts")}
    return stated == _addressed(to)


def describe(plan: CutPlan, camera: str, digest: str) -> dict[str, Any]:
    """State one cut; `digest` is the SHA-256 of its file."""
    header = plan.lines.header
    return {
        "camera": camera,
        "clip": plan.clip.id,
        "start": format_time(plan.start),
        "end": format_time(plan.end),
        "seconds": plan.seconds,
        "bytes": plan.bytes,
        "sha256": digest,
        "root": plan.clip.root,
        "tracks": ["video", "audio"] if plan.audio else ["video"],
        "lines": list(plan.span),
        "source": {name: header.get(name) for name in _SOURCE},
    }


def digest(statement: Statement) -> str:
    """SHA-256 of the statement's canonical JSON, in hex: what an approval names."""
    return sha256(canonical_json(statement)).hexdigest()


def sentence(statement: Statement, templates: Mapping[str, str], zone: tzinfo = UTC) -> str:
    """Say in one sentence what the agency will get; times are shown in `zone`.

    `templates` are `release_sentence`, `release_clip`, `release_clips`, `release_with_sound`,
    `release_without_sound` and `release_test`, for `str.format`.
    """
    clips = statement["clips"]
    last = max(clip["end"] for clip in clips)
    said = templates["release_sentence"].format(
        agency=statement["agency"]["name"],
        clips=templates["release_clip" if len(clips) == 1 else "release_clips"].format(
            count=len(clips)
        ),
        start=_shown(min(clip["start"] for clip in clips), zone),
        # the panel shows a browser's time beside it, which may be another
        end=f"{_shown(last, zone)} {parse_time(last).astimezone(zone):%Z}",
        seconds=f"{sum(clip['seconds'] for clip in clips):.0f}",
        size=f"{sum(clip['bytes'] for clip in clips) / _MEGABYTE:.1f} MB",
        sound=templates["release_with_sound" if statement["audio"] else "release_without_sound"],
        holders=", ".join(recipient["holder"] for recipient in statement["recipients"]),
        host=URL(statement["delivery"]).host,
    )
    return templates["release_test"].format(sentence=said) if statement["test"] else said


def _addressed(to: Addressee) -> dict[str, Any]:
    return {
        "agency": {"id": to.id, "name": to.name},
        "recipients": [{"recipient": r.recipient, "holder": r.holder} for r in to.recipients],
        "delivery": to.delivery,
        "receipts": to.receipts,
    }


def _clips(cuts: Sequence[CutPlan]) -> list[dict[str, Any]]:
    """Doorbells are numbered in the order of their first clip: no local name leaves."""
    cameras: dict[str, str] = {}
    clips = []
    for cut in sorted(cuts, key=lambda cut: (cut.start, cut.clip.id)):
        camera = cameras.setdefault(cut.clip.doorbell, f"camera-{len(cameras) + 1}")
        clips.append(describe(cut, camera, cut_digest(cut)))
    return clips


def _shown(time: str, zone: tzinfo) -> str:
    moment: datetime = parse_time(time).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M:%S}"
