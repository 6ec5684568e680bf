"""What has to be true of a household's database at any moment: state, ledger and outbox agree."""

from collections import Counter
from itertools import pairwise
from sqlite3 import Connection

from custom_components.doorstep.inbox.states import RELEASE, REQUEST, Table
from custom_components.doorstep.ledger.database import Database
from custom_components.doorstep.ledger.log import Entry, Ledger
from custom_components.doorstep.ledger.merkle import CompactRange

_ALL = 1 << 40


def check(database: Database, ledger: Ledger) -> int:
    """Check a database in which no errand was done yet; returns how long its ledger is."""
    ledger.verify()
    entries = ledger.entries(limit=_ALL)[::-1]
    with database.read() as tx:
        errands = Counter(tuple(row) for row in tx.execute("SELECT kind, subject FROM outbox"))
        tables = {row["name"] for row in tx.execute("SELECT name FROM sqlite_schema")}
        expected = Counter[tuple[str, str]]()
        if "releases" in tables:
            expected += _releases(tx, entries)
        if "requests" in tables:
            expected += _requests(tx, entries)
            expected += _feeds(tx, entries)
    assert errands == expected, (errands - expected, expected - errands)
    return len(entries)


def _releases(tx: Connection, entries: list[Entry]) -> Counter[tuple[str, str]]:
    found = dict(tx.execute("SELECT id, state FROM releases").fetchall())
    steps = [(entry.kind, entry.subject) for entry in entries if entry.kind.startswith("release.")]
    paths: dict[str, list[str]] = {}
    for kind, subject in steps:
        paths.setdefault(subject, []).append(kind.removeprefix("release."))
    assert paths.keys() == found.keys()
    for identity, path in paths.items():
        assert path[0] == RELEASE.start
        assert path[-1] == found[identity], (path, found[identity])
        _walk(RELEASE, path)
    return Counter(steps)


def _requests(tx: Connection, entries: list[Entry]) -> Counter[tuple[str, str]]:
    found = dict(tx.execute("SELECT handle, state FROM requests").fetchall())
    errands = Counter[tuple[str, str]]()
    paths = {handle: [REQUEST.start] for handle in found}
    for entry in entries:
        _, is_request, event = entry.kind.partition("request_")
        if not is_request:
            continue
        path = paths[entry.subject]
        if event == "stopped":
            errands["closed", entry.subject] += 1
            continue
        errands["closed", entry.subject] += path[-1] == "open"
        errands["notify", entry.subject] += event == "open"
        by_rule = event == "declined" and entry.facts.get("channel") == "rule"
        errands["notify", entry.subject] -= by_rule
        path.append("open" if event == "reopened" else event)
    for handle, path in paths.items():
        _walk(REQUEST, path)
        # what doesn't concern the home is listed without an entry
        silent = path == ["received"] and found[handle] == "listed"
        assert path[-1] == found[handle] or silent, (path, found[handle])
    return +errands


def _feeds(tx: Connection, entries: list[Entry]) -> Counter[tuple[str, str]]:
    for row in tx.execute("SELECT * FROM feeds").fetchall():
        leaves = tx.execute(
            "SELECT hashes FROM feed_leaves WHERE feed = ? ORDER BY bundle", (row["id"],)
        )
        data = b"".join(leaf["hashes"] for leaf in leaves)
        tree = CompactRange()
        for at in range(0, len(data), 32):
            tree.append(data[at : at + 32])
        assert (tree.size, tree.to_bytes()) == (row["size"], row["peaks"])
        assert row["read"] <= row["size"]
    named = {
        "agency_changed": "agency_changed",
        "agency_conflict": "agency_changed",
        "feed_stopped": "feed_stopped",
    }
    return Counter((named[e.kind], e.subject) for e in entries if e.kind in named)


def _walk(table: Table, path: list[str]) -> None:
    known = {(source, target) for (source, _), target in table.transitions.items()}
    steps = set(pairwise(path))
    assert steps <= known, (path, steps - known)
