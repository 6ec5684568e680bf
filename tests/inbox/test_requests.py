from datetime import timedelta
import hashlib
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.doorstep.errors import RequestError
from custom_components.doorstep.inbox.requests import (
    Action,
    Attestation,
    Basis,
    Closing,
    Details,
    IncidentType,
    Request,
    Wanted,
    parse_request,
)
from tests.simulators import documents
from tests.simulators.documents import Document, patched
from tests.simulators.signing import to_json

from .world import AGENCY, HOUR, NOW, PLACE, SALT, error_key

MINUTE = timedelta(minutes=1)
URN = "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e"


def payload(patch: dict[str, Any] | None = None, **properties: Any) -> Document:
    honest = documents.request(
        AGENCY, area=documents.square(*PLACE, 300.0), window=(NOW - HOUR, NOW), now=NOW
    )
    said = {"id": URN, "properties": {"details": {"sha256": "0" * 64}, **properties}}
    return patched(patched(honest, said), patch or {})


def test_a_request_is_read() -> None:
    said = payload()
    request = parse_request(said, NOW)
    assert isinstance(request, Request)
    assert (request.id, request.agency, request.action) == (URN, AGENCY, Action.ASK)
    assert (request.replaces, request.case_id) == (None, "24-118")
    assert request.incident_type is IncidentType.BURGLARY
    assert (request.start, request.end) == (NOW - HOUR, NOW)
    assert request.wanted == (Wanted.VIDEO,)
    assert request.legal_basis is Basis.VOLUNTARY
    assert set(request.attestations) == set(Attestation)
    assert request.terms == said["properties"]["terms"]
    assert request.details_sha256 == "0" * 64
    assert (request.issued_at, request.expires_at) == (NOW, NOW + timedelta(days=7))
    assert request.language == "en"
    assert request.area == said["geometry"]
    assert request.geometry.contains(PLACE[1], PLACE[0])


@pytest.mark.parametrize(
    ("patch", "member"),
    [
        ({"v": None}, "v"),
        ({"v": "1"}, "v"),
        ({"v": True}, "v"),
        ({"v": 0}, "v"),
        ({"type": "Point"}, "type"),
        ({"type": None}, "type"),
        ({"id": "urn:uuid:x"}, "id"),
        ({"id": URN.upper()}, "id"),
        ({"id": f"{URN}\t"}, "id"),
        ({"id": None}, "id"),
        ({"properties": None}, "properties"),
        ({"properties": []}, "properties"),
        ({"geometry": None}, "geometry"),
    ],
)
def test_bad_members_are_named(patch: dict[str, Any], member: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(payload(patch), NOW)
    assert (caught.value.key, caught.value.placeholders) == ("member_bad", {"member": member})


@pytest.mark.parametrize(
    ("properties", "member"),
    [
        ({"agency": None}, "agency"),
        ({"agency": 1}, "agency"),
        ({"action": "approve"}, "action"),
        ({"action": None}, "action"),
        ({"action": ["ask"]}, "action"),
        ({"action": "amend"}, "replaces"),
        ({"action": "withdraw"}, "replaces"),
        ({"action": "amend", "replaces": "x"}, "replaces"),
        ({"case_id": ""}, "case_id"),
        ({"case_id": "x" * 201}, "case_id"),
        ({"incident_type": "jaywalking"}, "incident_type"),
        ({"window": None}, "window"),
        ({"window": "today"}, "window"),
        ({"window": {"start": None}}, "window.start"),
        ({"window": {"end": "2026-11-23"}}, "window.end"),
        ({"window": {"end": "2026-11-23T20:00:00+01:00"}}, "window.end"),
        ({"window": {"end": 1}}, "window.end"),
        ({"wanted": []}, "wanted"),
        ({"wanted": "video"}, "wanted"),
        ({"wanted": ["face"]}, "wanted"),
        ({"wanted": ["video", "video"]}, "wanted"),
        ({"wanted": ["video"] * 65}, "wanted"),
        ({"legal_basis": None}, "legal_basis"),
        ({"legal_basis": 1}, "legal_basis"),
        ({"attestations": ["we_are_nice"]}, "attestations"),
        ({"attestations": {}}, "attestations"),
        ({"terms": None}, "terms"),
        ({"terms": {"purpose": None}}, "terms.purpose"),
        ({"terms": {"retain_until": "one day"}}, "terms.retain_until"),
        ({"terms": {"onward_sharing": None}}, "terms.onward_sharing"),
        ({"terms": {"public_release": 1}}, "terms.public_release"),
        ({"terms": {"biometrics": []}}, "terms.biometrics"),
        ({"terms": {"disposal_notice": "x" * 201}}, "terms.disposal_notice"),
        ({"details": None}, "details"),
        ({"details": {"sha256": "F" * 64}}, "details.sha256"),
        ({"details": {"sha256": "0" * 63}}, "details.sha256"),
        ({"issued_at": None}, "issued_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"language": "english please"}, "language"),
    ],
)
def test_bad_properties_are_named(properties: dict[str, Any], member: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse_request(payload({"properties": properties}), NOW)
    assert caught.value.key == "member_bad"
    assert caught.value.placeholders == {"member": f"properties.{member}"}


@pytest.mark.parametrize(
    ("patch", "key"),
    [
        ({"v": 2}, "newer_version"),
        ({"geometry": {"type": "Point"}}, "geometry_malformed"),
        ({"properties": {"legal_basis": "warrant"}}, "claims_legal_force"),
        ({"properties": {"legal_basis": "court_order"}}, "claims_legal_force"),
        ({"properties": {"window": {"start": "2026-11-23T20:00:00Z"}}}, "window_backwards"),
        ({"properties": {"window": {"end": "2026-11-23T20:00:01Z"}}}, "window_future"),
        ({"properties": {"expires_at": "2026-11-23T20:00:00Z"}}, "expires_early"),
    ],
)
def test_what_can_not_be_meant_is_refused(patch: dict[str, Any], key: str) -> None:
    assert error_key(parse_request, payload(patch), NOW) == key


def test_no_window_reaches_beyond_what_the_log_has_shown() -> None:
    late = NOW + HOUR
    said = payload(
        {
            "properties": {
                "window": {"end": documents.timestamp(NOW + MINUTE)},
                "issued_at": documents.timestamp(late),
            }
        }
    )
    assert error_key(parse_request, said, NOW) == "window_future"
    assert isinstance(parse_request(said, late), Request)
    said = payload({"properties": {"issued_at": documents.timestamp(NOW + 10 * MINUTE)}})
    assert isinstance(parse_request(said, NOW), Request)
    assert error_key(parse_request, said, NOW - timedelta(seconds=1)) == "window_future"
    said = payload({"properties": {"issued_at": documents.timestamp(NOW + 11 * MINUTE)}})
    assert error_key(parse_request, said, NOW) == "issued_future"


def test_unknown_members_are_ignored() -> None:
    said = payload({"bbox": [1], "properties": {"colour": "red", "terms": {"more": 1}}})
    request = parse_request(said, NOW)
    assert isinstance(request, Request)
    assert "more" not in request.terms


@pytest.mark.parametrize("action", ["withdraw", "resolve"])
def test_a_closing_needs_little(action: str) -> None:
    said = {
        "v": 1,
        "type": "Feature",
        "id": URN,
        "properties": {"agency": AGENCY, "action": action, "replaces": URN},
    }
    assert parse_request(said, NOW) == Closing(
        id=URN, agency=AGENCY, action=Action(action), replaces=URN
    )


def test_an_amendment_is_a_request_that_replaces() -> None:
    request = parse_request(payload({"properties": {"action": "amend", "replaces": URN}}), NOW)
    assert isinstance(request, Request)
    assert (request.action, request.replaces) == (Action.AMEND, URN)


def line(patch: dict[str, Any] | None = None) -> bytes:
    return to_json(patched(documents.details(SALT), patch or {}))


def details(data: bytes) -> Details:
    return Details.parse(data, hashlib.sha256(data).hexdigest())


def test_details_are_read() -> None:
    read = details(line())
    assert read.case == "24-118"
    assert read.summary == "A parcel and a bicycle were taken from a porch."
    assert read.subject == "A person on a red cargo bike"
    assert read.officer == {
        "name": "Sam Rivera",
        "badge": "4711",
        "email": "s.rivera@police.example.gov",
        "phone": "+1 555 0101",
    }
    assert read.supervisor == "Lt. Ada Moreau"


def test_details_may_be_few() -> None:
    read = details(to_json({"salt": SALT, "officer": {"name": "", "badge": None}}))
    assert (read.case, read.summary, read.subject, read.supervisor) == (None,) * 4
    assert set(read.officer.values()) == {None}
    assert details(to_json({"salt": SALT})).officer["name"] is None


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"", "details_missing"),
        (line({"summary": "x" * 4096}), "details_missing"),
        (line({"salt": None}), "member_bad"),
        (line({"salt": SALT[:-2]}), "member_bad"),
        (line({"salt": SALT + "="}), "member_bad"),
        (line({"officer": "Sam"}), "member_bad"),
        (line({"officer": {"name": ["Sam"]}}), "member_bad"),
        (line({"case": {}}), "member_bad"),
        (line({"summary": "a\u202eb"}), "json_text"),
        (b'{"salt":1,"salt":1}', "json_duplicate"),
        (b"[]", "json_malformed"),
    ],
)
def test_bad_details_are_refused(data: bytes, key: str) -> None:
    assert error_key(details, data) == key


def test_details_that_were_not_signed_are_refused() -> None:
    digest = hashlib.sha256(line()).hexdigest()
    assert error_key(Details.parse, line({"case": "24-119"}), digest) == "details_changed"


VALUES: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just({}) | st.just([])
)
NAMES = st.sampled_from(["v", "type", "id", "geometry", "properties"])
PROPERTIES = st.sampled_from(sorted(payload()["properties"]))


@settings(max_examples=300)
@given(st.dictionaries(NAMES, VALUES), st.dictionaries(PROPERTIES, VALUES))
def test_any_members_give_a_request_or_our_error(
    members: dict[str, Any], properties: dict[str, Any]
) -> None:
    said = payload()
    said["properties"] = {**said["properties"], **properties}
    said.update(members)
    error_key(parse_request, said, NOW)
