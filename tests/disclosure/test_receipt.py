"""Receipts: only the agency's own answer to exactly this package counts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.disclosure.receipt import Delivered, Receipt, verify
from custom_components.doorstep.errors import ReceiptError
from custom_components.doorstep.inbox.jws import public_key
from tests.simulators.signing import Signer

from .conftest import RELEASE, REQUEST

OF = Delivered(release=RELEASE, request=REQUEST, package_sha256="aa" * 32, release_sha256="bb" * 32)
GOOD: dict[str, Any] = {
    "v": 1,
    "release": RELEASE,
    "request": REQUEST,
    "package_sha256": "aa" * 32,
    "release_sha256": "bb" * 32,
    "received_at": "2026-11-23T21:05:00Z",
    "evidence_id": "24-118/7",
    "terms_accepted": True,
}
AGENCY = Signer()
KEYS = {AGENCY.thumbprint: public_key(AGENCY.public)}


def read(payload: object, typ: str = "receipt+jws", by: Signer = AGENCY) -> Receipt:
    return verify(by.sign(payload, typ), OF, KEYS)


def test_a_good_receipt_says_when_and_how_it_is_filed() -> None:
    expected = Receipt(datetime(2026, 11, 23, 21, 5, tzinfo=UTC), "24-118/7")
    assert read(GOOD) == expected
    assert verify(AGENCY.sign(GOOD, "receipt+jws") + b"\n", OF, KEYS) == expected


@pytest.mark.parametrize("member", ["release", "request", "package_sha256", "release_sha256"])
@pytest.mark.parametrize("value", ["cc" * 32, None, 7, ""])
def test_a_receipt_for_something_else_is_refused(member: str, value: object) -> None:
    with pytest.raises(ReceiptError) as caught:
        read(GOOD | {member: value})
    assert caught.value.key == "receipt_foreign"
    assert caught.value.placeholders == {"member": member}


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"terms_accepted": False},
        {"terms_accepted": 1},
        {"evidence_id": ""},
        {"evidence_id": "x" * 201},
        {"evidence_id": 7},
        {"received_at": "yesterday"},
        {"received_at": None},
    ],
)
def test_an_incomplete_receipt_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ReceiptError, match="receipt_incomplete"):
        read(GOOD | change)


def test_the_longest_evidence_id_is_taken() -> None:
    assert read(GOOD | {"evidence_id": "x" * 200}).evidence_id == "x" * 200


@pytest.mark.parametrize("missing", GOOD)
def test_every_member_is_required(missing: str) -> None:
    with pytest.raises(ReceiptError):
        read({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: AGENCY.sign(GOOD, "footage-request+jws"), "jws_type"),
        (lambda: Signer().sign(GOOD, "receipt+jws"), "jws_key_unknown"),
        (lambda: AGENCY.sign(GOOD, "receipt+jws")[:-8] + b"AAAAAAAA", "jws_malformed"),
        (lambda: b"", "jws_malformed"),
        (lambda: AGENCY.sign_raw({"alg": "none", "kid": "x", "typ": "x"}, b"{}"), "jws_algorithm"),
    ],
)
def test_what_the_agency_did_not_sign_is_refused(make: Callable[[], bytes], problem: str) -> None:
    with pytest.raises(ReceiptError) as caught:
        verify(make(), OF, KEYS)
    assert caught.value.key == "receipt_invalid"
    assert caught.value.placeholders["problem"] in {problem, "jws_signature"}


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_one_way(token: bytes) -> None:
    with pytest.raises(ReceiptError, match="receipt_invalid"):
        verify(token, OF, KEYS)
