"""Agencies as rows: the chain of statements, what a person confirmed, the state of every key."""

from collections.abc import Iterator
from functools import lru_cache
from sqlite3 import Connection, Row
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..errors import RequestError
from .agencies import AgencyKey, Chain, KeyState, Standing, Statement, judge
from .jws import Token
from .tables import Work
from .values import Actor
from .views import AgencyView

MAX_AGENCIES: Final = 4096
MAX_OTHERS: Final = 16
_CHAIN: Final = "chain"


def take_in(work: Work, token: Token, jws: bytes, feed: str) -> Standing:
    """Judge a statement and keep what has to be kept of it.

    What can't be a statement at all is a RequestError.
    """
    statement = Statement.parse(token)
    row = _row(work.tx, statement.id)
    if row and _held(work.tx, statement.id, statement.sha256):
        return Standing.OLD
    standing = judge(token, statement, _chain(work.tx, row) if row else None)
    match standing:
        case Standing.FIRST:
            _first(work, statement, feed)
        case Standing.SUCCESSOR if row:
            _succeed(work, row, statement, feed)
        case Standing.CONFLICT if row:
            _conflict(work, row, statement)
        case Standing.IMPOSTOR:
            _check_room(work.tx, statement.id)
            work.log("agency_impostor", statement.id, _facts(statement, feed))
    if standing is not Standing.OLD:
        kept = _CHAIN if standing in {Standing.FIRST, Standing.SUCCESSOR} else standing
        work.tx.execute(
            "INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                statement.id,
                statement.sha256,
                statement.sequence,
                kept,
                jws,
                feed,
                work.now.timestamp(),
            ),
        )
    return standing


def verify(tx: Connection, agency: str, token: Token) -> None:
    """Check a token by the keys held for `agency`, and by no others.

    RequestError keys: `agency_unknown`, `jws_key_unknown`, `key_retired`, `key_revoked`,
    `jws_signature`.
    """
    if _row(tx, agency) is None:
        raise RequestError("agency_unknown")
    key = keys(tx, agency).get(token.kid)
    if key is None:
        raise RequestError("jws_key_unknown")
    if key.state is not KeyState.ACTIVE:
        raise RequestError(f"key_{key.state}")
    token.verify(Ed25519PublicKey.from_public_bytes(key.public))


def keys(tx: Connection, agency: str) -> dict[str, AgencyKey]:
    """Return every key that was ever held for an agency, by kid."""
    rows = tx.execute("SELECT * FROM agency_keys WHERE agency = ?", (agency,))
    return {
        row["kid"]: AgencyKey(row["kid"], row["public"], KeyState(row["state"])) for row in rows
    }


def is_confirmed(tx: Connection, agency: str) -> bool:
    """Whether what the agency says now is what a person has confirmed."""
    row = _row(tx, agency)
    return row is not None and row["confirmed"] == row["head"] and row["conflict"] is None


def head(tx: Connection, agency: str) -> Statement:
    """Return the newest valid statement; an unknown agency is a RequestError."""
    return _statement(tx, agency, _known(tx, agency)["head"])


def confirm(work: Work, agency: str, sha256: str, actor: Actor) -> None:
    """Take a statement that a person has checked as what the agency says, whoever signed it.

    A statement that isn't held is a RequestError (`statement_unknown`). A key that isn't in it
    signs no more, and one that was ever revoked stays so.
    """
    _known(work.tx, agency)
    statement = _statement(work.tx, agency, sha256)
    _merge_keys(work.tx, statement)
    work.tx.execute(
        "UPDATE agencies SET head = ?1, confirmed = ?1, conflict = NULL WHERE id = ?2",
        (sha256, agency),
    )
    work.tx.execute(
        "UPDATE statements SET standing = ? WHERE agency = ? AND sha256 = ?",
        (_CHAIN, agency, sha256),
    )
    work.log("agency_confirmed", agency, {"statement": sha256}, actor)


def set_domain(work: Work, agency: str, actor: Actor, *, proven: bool) -> None:
    """Remember whether the agency's web site lists its keys."""
    _known(work.tx, agency)
    work.tx.execute("UPDATE agencies SET domain = ? WHERE id = ?", (proven, agency))
    work.log("agency_checked", agency, {"domain": proven}, actor)


def view(tx: Connection, agency: str) -> AgencyView:
    """Return an agency; an unknown one is a RequestError (`agency_unknown`)."""
    row = _known(tx, agency)
    confirmed = row["confirmed"]
    others = tx.execute(
        "SELECT sha256 FROM statements WHERE agency = ? AND standing != ? ORDER BY seen_at",
        (agency, _CHAIN),
    )
    return AgencyView(
        id=agency,
        statement=_statement(tx, agency, row["head"]),
        confirmed=None if confirmed is None else _statement(tx, agency, confirmed),
        is_confirmed=confirmed == row["head"] and row["conflict"] is None,
        conflict=row["conflict"] is not None,
        others=tuple(_statement(tx, agency, other["sha256"]) for other in others),
        domain=None if row["domain"] is None else bool(row["domain"]),
    )


def every(tx: Connection, limit: int) -> Iterator[str]:
    """Yield the ids of the agencies that were last seen first, at most `limit`, oldest first."""
    rows = tx.execute("SELECT id FROM agencies ORDER BY rowid DESC LIMIT ?", (limit,)).fetchall()
    for row in reversed(rows):
        yield row["id"]


def _first(work: Work, statement: Statement, feed: str) -> None:
    (count,) = work.tx.execute("SELECT count(*) FROM agencies").fetchone()
    if count >= MAX_AGENCIES:
        raise RequestError("agencies_too_many")
    work.tx.execute(
        "INSERT INTO agencies (id, head) VALUES (?, ?)", (statement.id, statement.sha256)
    )
    _merge_keys(work.tx, statement)
    work.log("agency_seen", statement.id, _facts(statement, feed))


def _succeed(work: Work, row: Row, statement: Statement, feed: str) -> None:
    _merge_keys(work.tx, statement)
    agency, confirmed = statement.id, row["confirmed"]
    same = (
        confirmed is not None
        and _statement(work.tx, agency, confirmed).matters == statement.matters
    )
    work.tx.execute(
        "UPDATE agencies SET head = ?, confirmed = ?, domain = NULL WHERE id = ?",
        (statement.sha256, statement.sha256 if same else confirmed, agency),
    )
    work.log("agency_updated" if same else "agency_changed", agency, _facts(statement, feed))
    if not same:
        work.errand("agency_changed", agency)


def _conflict(work: Work, row: Row, statement: Statement) -> None:
    if row["conflict"] is not None:
        _check_room(work.tx, statement.id)
    for key in statement.keys:
        known = keys(work.tx, statement.id).get(key.kid)
        if known and key.state is KeyState.REVOKED:
            _set_key(work.tx, statement.id, known, KeyState.REVOKED)
    work.tx.execute(
        "UPDATE agencies SET conflict = ? WHERE id = ?", (statement.sha256, statement.id)
    )
    work.log("agency_conflict", statement.id, {"statement": statement.sha256})
    work.errand("agency_changed", statement.id)


def _merge_keys(tx: Connection, statement: Statement) -> None:
    """Keys only ever become stricter; one that is no longer listed signs no more."""
    known = keys(tx, statement.id)
    listed = {key.kid: key for key in statement.keys}
    for kid, key in (known | listed).items():
        state = listed[kid].state if kid in listed else KeyState.RETIRED
        if kid in known:
            state = state.stricter(known[kid].state)
        _set_key(tx, statement.id, key, state)


def _set_key(tx: Connection, agency: str, key: AgencyKey, state: KeyState) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO agency_keys VALUES (?, ?, ?, ?)",
        (agency, key.kid, key.public, state),
    )


def _check_room(tx: Connection, agency: str) -> None:
    (count,) = tx.execute(
        "SELECT count(*) FROM statements WHERE agency = ? AND standing != ?", (agency, _CHAIN)
    ).fetchone()
    if count >= MAX_OTHERS:
        raise RequestError("statements_too_many")


def _facts(statement: Statement, feed: str) -> dict[str, str | int]:
    return {"statement": statement.sha256, "sequence": statement.sequence, "feed": feed}


def _chain(tx: Connection, row: Row) -> Chain:
    agency = row["id"]
    newest = _statement(tx, agency, row["head"])
    before = tx.execute(
        "SELECT sha256 FROM statements WHERE agency = ? AND sequence = ? AND standing = ?"
        " ORDER BY seen_at DESC",
        (agency, newest.sequence - 1, _CHAIN),
    ).fetchone()
    previous = _statement(tx, agency, before["sha256"]) if before else None
    return Chain(head=newest, previous=previous, keys=keys(tx, agency))


def _row(tx: Connection, agency: str) -> Row | None:
    row: Row | None = tx.execute("SELECT * FROM agencies WHERE id = ?", (agency,)).fetchone()
    return row


def _known(tx: Connection, agency: str) -> Row:
    row = _row(tx, agency)
    if row is None:
        raise RequestError("agency_unknown")
    return row


def _held(tx: Connection, agency: str, sha256: str) -> Row | None:
    row: Row | None = tx.execute(
        "SELECT jws FROM statements WHERE agency = ? AND sha256 = ?", (agency, sha256)
    ).fetchone()
    return row


def _statement(tx: Connection, agency: str, sha256: str) -> Statement:
    row = _held(tx, agency, sha256)
    if row is None:
        raise RequestError("statement_unknown")
    return _read(row["jws"])


@lru_cache(maxsize=64)
def _read(jws: bytes) -> Statement:
    return Statement.parse(Token.parse(jws))
