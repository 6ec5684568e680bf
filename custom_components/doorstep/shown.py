"""The shapes in which the panel gets what the rooms know: JSON, times as RFC 3339 texts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from yarl import URL

from .disclosure.release import Statement, sentence
from .disclosure.store import Release
from .doorbells.doorbell import Doorbell
from .encoding import format_time
from .footage.clip import Clip
from .inbox.assess import matching_doorbells
from .inbox.values import Home
from .inbox.views import AgencyView, FeedView, RequestView
from .ledger.log import Entry
from .paths import clip_path, picture_path, review_path
from .storage import Status

_NEVER_SENT = {"draft", "dropped"}

type Shape = dict[str, Any]
type Texts = Mapping[str, str]


def agency(view: AgencyView) -> Shape:
    """An agency as a person has to look at it before confirming."""
    statement = view.statement
    domain = {None: None, True: "proven", False: "not_proven"}[view.domain]
    return {
        "id": view.id,
        "name": statement.name,
        "kind": statement.kind,
        "state": "confirmed" if view.is_confirmed else "unconfirmed",
        "conflict": view.conflict,
        "changed": _changed(view),
        "statement_sha256": statement.sha256,
        "fingerprints": list(view.fingerprints),
        "recipients": [
            {"recipient": one.recipient, "holder": one.holder} for one in statement.recipients
        ],
        "delivery": statement.delivery,
        "oversight": dict(statement.oversight),
        "policy_url": statement.policy_url,
        "contact": dict(statement.contact),
        "jurisdiction": {
            "type": "MultiPolygon",
            "coordinates": statement.jurisdiction.polygons,
        },
        "domain": domain,
    }


def _changed(view: AgencyView) -> list[str]:
    """Name what differs from what a person confirmed before, if anybody did."""
    if view.confirmed is None:
        return []
    return [
        name
        for name in ("name", "kind", "jurisdiction", "oversight", "recipients", "delivery")
        if getattr(view.confirmed, name) != getattr(view.statement, name)
    ]


def feed(view: FeedView) -> Shape:
    """A feed and how reading it goes."""
    return {
        "id": view.id,
        "name": view.descriptor.name,
        "operator": view.descriptor.operator,
        "state": view.state,
        "reason": view.reason,
        "read_at": _time(view.read_at),
        "size": view.size,
        "fingerprint": view.fingerprint,
        "independent_witness": view.independent_witness,
    }


def doorbell(bell: Doorbell) -> Shape:
    """A doorbell and how recording goes."""
    return {"id": bell.id, "name": bell.name, "status": bell.status.state}


def summary(view: RequestView, releases: Sequence[Release]) -> Shape:
    """A request in a list."""
    request, verdicts = view.request, view.assessment.verdicts
    kept = sum(verdict.ok for verdict in verdicts)
    return {
        "handle": view.handle,
        "state": view.state,
        "reason": view.reason,
        "agency": {
            "id": view.agency.id,
            "name": view.agency.statement.name,
            "kind": view.agency.statement.kind,
            "confirmed": view.agency.is_confirmed,
        },
        "case_id": request.case_id,
        "incident_type": request.incident_type,
        "window": {"start": format_time(request.start), "end": format_time(request.end)},
        "legal_basis": request.legal_basis,
        "expires_at": format_time(request.expires_at),
        "received_at": format_time(view.received_at),
        "matched": len(view.assessment.clips),
        "stale": view.stale,
        "rules": {"ok": kept, "broken": len(verdicts) - kept},
        "release": _of(releases, view.handle, lambda one: one.state not in _NEVER_SENT),
        "draft": _of(releases, view.handle, lambda one: one.state == "draft"),
    }


def request(
    view: RequestView, home: Home, clips: Sequence[Clip], texts: Texts, why: str | None
) -> Shape:
    """Everything about one request; `why` is the key of what stands against approving it."""
    asked = view.request
    matching = {bell.id for bell in matching_doorbells(asked, home)}
    names = {bell.id: bell.name for bell in home.doorbells}
    return {
        "wanted": list(asked.wanted),
        "attestations": list(asked.attestations),
        "terms": dict(asked.terms),
        "details": _details(view),
        "geometry": asked.area,
        "home": {"latitude": home.latitude, "longitude": home.longitude},
        "doorbells": [
            {
                "id": bell.id,
                "name": bell.name,
                "latitude": bell.latitude,
                "longitude": bell.longitude,
                "matches": bell.id in matching,
            }
            for bell in home.doorbells
        ],
        "verdicts": [
            {
                "rule": verdict.rule,
                "ok": verdict.ok,
                "sentence": texts[f"rule_{verdict.rule}_{'ok' if verdict.ok else 'broken'}"].format(
                    **verdict.values
                ),
            }
            for verdict in view.assessment.verdicts
        ],
        "clips": [
            {
                "clip": clip.id,
                "doorbell": names.get(clip.doorbell, clip.doorbell),
                "start": format_time(clip.start),
                "end": format_time(clip.end),
                "seconds": clip.seconds,
                "bytes": clip.size,
                "thumbnail": picture_path(clip.id),
                "video": clip_path(clip.id),
            }
            for clip in clips
        ],
        "may": {
            "approve": why is None,
            "decline": view.state == "open",
            "why": why and texts[why],
        },
    }


def release(one: Release, texts: Texts, zone: tzinfo, sent: int) -> Shape:
    """A release and how far it has come; `sent` are bytes."""
    return {
        "id": one.id,
        "handle": one.handle,
        "state": one.state,
        "sentence": sentence(one.statement, texts, zone),
        "agency": one.statement["agency"]["name"],
        "granted_at": one.granted_at,
        "send_at": one.send_at,
        "sent": sent,
        "total": one.size,
        "reason": one.reason,
        "evidence_id": one.evidence_id,
        "acknowledged_at": one.acknowledged_at,
        "test": one.statement["test"],
    }


def draft(one: Release, texts: Texts, zone: tzinfo, grace: int) -> Shape:
    """What an approval would cover, word for word; `grace` in seconds."""
    statement: Statement = one.statement
    clips = statement["clips"]
    return {
        "release": one.id,
        "digest": one.digest,
        "sentence": sentence(statement, texts, zone),
        "identity": statement["identity"],
        "audio": statement["audio"],
        "recipients": statement["recipients"],
        "delivery": statement["delivery"],
        "delivery_differs": URL(statement["delivery"]).host != URL(statement["agency"]["id"]).host,
        "clips": [
            {
                "clip": clip["clip"],
                "camera": clip["camera"],
                "video": review_path(one.id, clip["clip"]),
                "start": clip["start"],
                "end": clip["end"],
                "seconds": clip["seconds"],
                "bytes": clip["bytes"],
            }
            for clip in clips
        ],
        "seconds": sum(clip["seconds"] for clip in clips),
        "bytes": sum(clip["bytes"] for clip in clips),
        "grace": grace,
    }


def storage(status: Status, indexing: tuple[int, int] | None, *, full: bool) -> Shape:
    """How full the library is; bytes, clips, days. What is kept or deleted, not to everybody."""
    usage = status.usage
    private = {"held": status.held, "binned": usage.binned} if full else {}
    return private | {
        "used": usage.bytes,
        "limit": status.limit,
        "free": usage.space.free,
        "floor": status.floor,
        "clips": usage.clips,
        "days_left": status.days_left,
        "indexing": indexing and dict(zip(("done", "total"), indexing, strict=True)),
        "full": status.full,
    }


def history(entries: Sequence[Entry], texts: Texts) -> list[Shape]:
    """Return what happened, oldest first."""
    return [
        {"at": entry.at, "kind": entry.kind, "text": kind_text(entry.kind, texts)}
        for entry in reversed(entries)
    ]


def ledger_entry(entry: Entry, texts: Texts) -> Shape:
    """One line of the ledger."""
    return {
        "index": entry.index,
        "at": entry.at,
        "kind": entry.kind,
        "subject": entry.subject,
        "text": kind_text(entry.kind, texts),
        "facts": dict(entry.facts),
    }


def kind_text(kind: str, texts: Texts) -> str:
    """Say what kind of entry this is; one of a newer Doorstep stays a word."""
    return texts.get(f"ledger_{kind.replace('.', '_')}", kind)


def _of(releases: Sequence[Release], handle: str, wanted: Callable[[Release], bool]) -> str | None:
    return next((one.id for one in releases if one.handle == handle and wanted(one)), None)


def _details(view: RequestView) -> Shape | None:
    if view.details is None:
        return None
    return {
        "case": view.details.case,
        "summary": view.details.summary,
        "subject": view.details.subject,
        "officer": dict(view.details.officer),
        "supervisor": view.details.supervisor,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else format_time(time)
