"""What the agency says about itself: `agency-statement+jws` (protocol section 2.1)."""

from typing import Final, cast

from . import jws
from .desk import CONFIG, Desk, SigningKey
from .encoding import JSON, format_time, object_member, parse_object
from .errors import AgencyError
from .files import locked
from .log import Entry

TYP: Final = "agency-statement+jws"
_EACH_TIME: Final = {"sequence", "issued_at"}


def publish(desk: Desk) -> tuple[dict[str, JSON], bool]:
    """Sign and log the statement if it says anything new; return it and whether it was logged."""
    with locked(desk.lock):
        last = latest(desk)
        statement = _build(desk, last)
        if last is not None and _content(last) == _content(statement):
            desk.publish_thumbprints()
            return last, False
        token = jws.sign(statement, TYP, _signer(desk, last or statement).key)
        desk.log().append(Entry(token))
        desk.publish_thumbprints()
        return statement, True


def latest(desk: Desk) -> dict[str, JSON] | None:
    """Return the statement that is in force, or None before the first."""
    for entry in reversed(desk.log().entries()):
        token = jws.read(entry.data, "an entry of the log")
        if token.header.get("typ") == TYP:
            return parse_object(token.payload, "the statement")
    return None


def signer(desk: Desk) -> SigningKey:
    """Return the key that signs requests and receipts now. Raises AgencyError without statement."""
    last = latest(desk)
    if last is None:
        raise AgencyError(
            f"publish the agency's statement first: python -m agency statement {desk.folder}"
        )
    return _signer(desk, last)


def _signer(desk: Desk, statement: dict[str, JSON]) -> SigningKey:
    """Choose a key that the statement calls active, best one that agency.json still does too."""
    listed = cast("list[dict[str, JSON]]", statement["keys"])
    active = [record["jwk"] for record in listed if record["state"] == "active"]
    known = [key for key in desk.signing_keys() if jws.jwk(key.public) in active]
    for key in known:
        if key.state == "active":
            return key
    if not known:
        raise AgencyError(
            f"none of the keys in {CONFIG} is active in the statement that homes hold"
        )
    return known[0]


def _build(desk: Desk, last: dict[str, JSON] | None) -> dict[str, JSON]:
    sequence = cast("int", last["sequence"]) + 1 if last else 1
    holder = desk.text("holder")
    return {
        "v": 1,
        "id": desk.text("id"),
        "sequence": sequence,
        "name": desk.text("name"),
        "kind": desk.text("kind"),
        "jurisdiction": object_member(desk.config, "jurisdiction", CONFIG),
        "contact": object_member(desk.config, "contact", CONFIG),
        "oversight": object_member(desk.config, "oversight", CONFIG),
        "policy_url": desk.text("policy_url"),
        "keys": [_key(key) for key in desk.signing_keys()],
        "encryption": [{"recipient": desk.identity().recipient, "holder": holder}],
        "delivery": desk.delivery,
        "issued_at": format_time(desk.now().replace(microsecond=0)),
    }


def _key(key: SigningKey) -> dict[str, JSON]:
    record: dict[str, JSON] = {"jwk": jws.jwk(key.public), "state": key.state}
    return record if key.revoked_from is None else {**record, "revoked_from": key.revoked_from}


def _content(statement: dict[str, JSON]) -> dict[str, JSON]:
    return {name: value for name, value in statement.items() if name not in _EACH_TIME}
