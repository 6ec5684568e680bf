"""What the back end would say: documents for the panel, each new and whole."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

type Document = dict[str, Any]

HANDLE: Final = "k3v9q2"
RELEASE: Final = "5f0c2d9e8b7a4c6d9e0f1a2b3c4d5e6f"
AGENCY: Final = "https://police.example.gov/"
HOME: Final = {"latitude": 48.2102, "longitude": 16.3738}
HEX: Final = "9f2c4be1d0a7356881c0e2f4a6b8d0c2e4f60718293a4b5c6d7e8f9011223344"
RECIPIENTS: Final = [
    {
        "recipient": "age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z",
        "holder": "Evidence unit, Exampleville Police",
    }
]
SENTENCE: Final = (
    "Exampleville Police gets 2 clips of 1 doorbell, 40 s of video without sound, recorded on "
    "22 November between 20:00 and 21:00, with nothing about you, at tus.police.example.gov."
)
CLIPS: Final = ("20261122T191203Z-0a1b2c3d", "20261122T194410Z-4e5f6a7b")
SECONDS: Final = 2.0


START: Final = datetime.now(UTC)


def time(*, since: datetime = START, **ago: float) -> str:
    """Return a time before the tests began, or before SINCE; negative values lie ahead."""
    return f"{since - timedelta(**ago):%Y-%m-%dT%H:%M:%SZ}"


def window() -> Document:
    return {"start": "2026-11-22T19:00:00Z", "end": "2026-11-22T20:00:00Z"}


def square(latitude: float, longitude: float, size: float) -> list[list[float]]:
    west, south, east, north = (
        longitude - size * 1.4,
        latitude - size,
        longitude + size * 1.3,
        latitude + size * 0.9,
    )
    return [
        [west, south],
        [east, south + size / 3],
        [east - size / 2, north],
        [west, north - size / 4],
        [west, south],
    ]


def agency(**changes: Any) -> Document:
    return {
        "id": AGENCY,
        "name": "Exampleville Police",
        "kind": "municipal_police",
        "state": "confirmed",
        "statement_sha256": HEX,
        "fingerprints": [HEX],
        "recipients": RECIPIENTS,
        "delivery": "https://tus.police.example.gov/uploads/",
        "oversight": {
            "name": "Exampleville Police Oversight Board",
            "url": "https://oversight.example.gov/",
        },
        "policy_url": "https://police.example.gov/footage-policy",
        "contact": {
            "phone": "+1 555 0100",
            "email": "desk@police.example.gov",
            "url": "https://police.example.gov/contact",
        },
        "domain": None,
        "jurisdiction": {"type": "Polygon", "coordinates": [square(48.21, 16.37, 0.05)]},
    } | changes


def summary(**changes: Any) -> Document:
    return {
        "handle": HANDLE,
        "state": "open",
        "agency": {
            "id": AGENCY,
            "name": "Exampleville Police",
            "kind": "municipal_police",
            "confirmed": True,
        },
        "case_id": "24-118",
        "incident_type": "burglary",
        "window": window(),
        "legal_basis": "voluntary",
        "expires_at": time(days=-6, hours=-1),
        "received_at": time(minutes=20),
        "matched": 2,
        "stale": False,
        "reason": None,
        "rules": {"ok": 5, "broken": 0},
        "release": None,
        "draft": RELEASE,
    } | changes


def request(**changes: Any) -> Document:
    return (
        summary()
        | {
            "wanted": ["video", "stills"],
            "attestations": [
                "active_investigation",
                "own_case",
                "not_lawful_protest",
                "no_face_recognition",
            ],
            "terms": {
                "purpose": "Investigation of the burglary in case 24-118",
                "retain_until": time(days=-180),
                "onward_sharing": "prosecutor",
                "public_release": False,
                "biometrics": False,
                "disposal_notice": True,
            },
            "details": {
                "case": "24-118",
                "summary": "A parcel and a bicycle were taken from a porch in Baker Street.",
                "subject": "A person on a red cargo bike",
                "officer": {
                    "name": "Sam Rivera",
                    "badge": "4711",
                    "email": "s.rivera@police.example.gov",
                    "phone": "+1 555 0101",
                },
                "supervisor": "Lt. Ada Moreau",
            },
            "geometry": {"type": "Polygon", "coordinates": [square(48.2106, 16.3744, 0.0022)]},
            "home": HOME,
            "doorbells": [
                {"id": "front", "name": "Front door", "matches": True, **HOME},
                {"id": "garden", "name": "Garden gate", "matches": False, **HOME},
            ],
            "verdicts": [
                {"rule": "basis", "ok": True, "sentence": "The basis is voluntary."},
                {"rule": "window", "ok": True, "sentence": "The window is 1 hour long."},
                {"rule": "area", "ok": True, "sentence": "The area is 0.2 km² large."},
                {"rule": "age", "ok": False, "sentence": "It asks for footage older than 45 days."},
            ],
            "clips": [
                {
                    "clip": clip,
                    "doorbell": "front",
                    "start": f"2026-11-22T19:{12 + 32 * i}:03Z",
                    "end": f"2026-11-22T19:{12 + 32 * i}:23Z",
                    "seconds": SECONDS,
                    "bytes": 1_482_330,
                    "thumbnail": "/media/clip.jpg",
                    "video": f"/media/clip-{i}.mp4",
                }
                for i, clip in enumerate(CLIPS)
            ],
            "history": [
                {"at": time(minutes=20), "kind": "received", "text": "The request was received."},
                {"at": time(minutes=19), "kind": "notified", "text": "Approvers were told."},
            ],
            "may": {"approve": True, "decline": True, "why": None},
        }
        | changes
    )


def draft(**changes: Any) -> Document:
    return {
        "release": RELEASE,
        "digest": HEX,
        "sentence": SENTENCE,
        "identity": "none",
        "audio": False,
        "recipients": RECIPIENTS,
        "delivery": "https://tus.police.example.gov/uploads/",
        "delivery_differs": True,
        "clips": [
            {
                "clip": clip,
                "camera": "camera-1",
                "video": f"/media/clip-{i}.mp4",
                "start": f"2026-11-22T19:{12 + 32 * i}:03Z",
                "end": f"2026-11-22T19:{12 + 32 * i}:23Z",
                "seconds": SECONDS,
                "bytes": 1_482_330,
            }
            for i, clip in enumerate(CLIPS)
        ],
        "seconds": SECONDS * 2,
        "bytes": 2_964_660,
        "grace": 60,
    } | changes


def release(**changes: Any) -> Document:
    now = datetime.now(UTC)
    return {
        "id": RELEASE,
        "handle": HANDLE,
        "state": "granted",
        "sentence": SENTENCE,
        "agency": "Exampleville Police",
        "granted_at": time(since=now, seconds=4),
        "send_at": time(since=now, seconds=-56),
        "sent": 0,
        "total": 2_964_660,
        "reason": None,
        "evidence_id": None,
        "acknowledged_at": None,
    } | changes


def feed(**changes: Any) -> Document:
    return {
        "id": "exampleville",
        "name": "Exampleville footage requests",
        "operator": "City of Exampleville",
        "state": "ok",
        "reason": None,
        "read_at": time(minutes=2),
        "size": 214,
        "fingerprint": HEX,
        "independent_witness": False,
    } | changes


def snapshot(**changes: Any) -> Document:
    return {
        "approver": True,
        "counts": {"open": 1, "waiting": 1},
        "requests": [summary()],
        "releases": [],
        "agencies": [agency()],
        "feeds": [feed()],
        "doorbells": [{"id": "front", "name": "Front door", "status": "ready"}],
    } | changes


def busy() -> Document:
    """Return a snapshot with something in every group."""
    return snapshot(
        requests=[
            summary(),
            summary(
                handle="s2",
                incident_type="missing_person",
                case_id="24-121",
                matched=0,
                stale=True,
                rules={"ok": 3, "broken": 2},
            ),
            summary(
                handle="q1",
                state="quarantined",
                case_id="77-2026",
                agency={
                    "id": "https://sheriff.example.org/",
                    "name": "Example County Sheriff",
                    "kind": "sheriff",
                    "confirmed": False,
                },
            ),
            summary(
                handle="a1", state="answered", incident_type="theft", case_id="24-090", release="r9"
            ),
            summary(handle="d1", state="declined", incident_type="vandalism", case_id="24-055"),
            summary(
                handle="e1",
                state="refused",
                reason="claims_legal_force",
                incident_type="other",
                case_id="24-031",
            ),
        ],
        releases=[
            release(
                id="r9",
                handle="a1",
                state="acknowledged",
                evidence_id="EV-2026-00417",
                acknowledged_at=time(hours=2),
                granted_at=time(hours=3),
            ),
            release(
                id="r8", handle="a1", state="delivering", sent=1_400_000, granted_at=time(minutes=1)
            ),
        ],
        feeds=[
            feed(),
            feed(
                id="state",
                name="State relay",
                state="stopped",
                reason="feed_rolled_back",
                independent_witness=True,
            ),
        ],
        agencies=[
            agency(),
            agency(
                id="https://sheriff.example.org/",
                name="Example County Sheriff",
                kind="sheriff",
                state="unconfirmed",
            ),
        ],
    )


def entries() -> Document:
    texts = [
        "The agency acknowledged the package.",
        "The package was delivered.",
        "An approver approved the release.",
        "A request was received.",
        "A clip was sealed.",
    ]
    return {
        "size": len(texts),
        "entries": [
            {
                "index": len(texts) - 1 - i,
                "at": time(hours=i),
                "kind": "release",
                "subject": RELEASE,
                "text": text,
                "facts": {"release": RELEASE, "bytes": 2_964_660},
            }
            for i, text in enumerate(texts)
        ],
    }


def answers(**changes: Any) -> Document:
    """Return what each command answers."""
    return {
        "request": request(),
        "release/draft": draft(),
        "release/approve": {},
        "release/undo": {},
        "request/decline": {},
        "request/undo_decline": {},
        "agency/confirm": {},
        "agency/check": {"domain": "proven"},
        "ledger/list": entries(),
        "ledger/verify": {"ok": True, "size": 5, "root": HEX, "problem": None},
    } | changes
