from pathlib import Path
from typing import Final

import pytest

from custom_components.doorstep.errors import DoorstepError, ReleaseError, RequestError
from custom_components.doorstep.inbox.states import RELEASE, REQUEST, Table, after, mermaid

DOCS: Final = Path(__file__).parents[2] / "docs" / "states.md"
EVENTS = {
    "request": sorted({event for _, event in REQUEST.transitions}),
    "release": sorted({event for _, event in RELEASE.transitions}),
}
EVERY = [
    (table, state, event)
    for table, name in ((REQUEST, "request"), (RELEASE, "release"))
    for state in sorted(table.states)
    for event in EVENTS[name]
]


@pytest.mark.parametrize(("table", "state", "event"), EVERY)
def test_what_the_table_does_not_say_is_impossible(table: Table, state: str, event: str) -> None:
    target = table.transitions.get((state, event))
    if target is not None:
        assert after(table, state, event) == target
        return
    with pytest.raises(DoorstepError) as caught:
        after(table, state, event)
    assert type(caught.value) is table.error
    assert caught.value.key == "not_possible"
    assert caught.value.placeholders == {"state": state, "event": event}


def test_each_table_raises_its_own_error() -> None:
    assert (REQUEST.error, RELEASE.error) == (RequestError, ReleaseError)


def test_a_request_can_only_open_from_these_states() -> None:
    before = {source for (source, _), to in REQUEST.transitions.items() if to == "open"}
    assert before == {"received", "quarantined", "declined"}


def test_a_release_is_packaged_only_after_a_person_acted() -> None:
    before = {source for (source, _), to in RELEASE.transitions.items() if to == "packaging"}
    assert before == {"granted", "stopped"}
    granting = {event for (_, event), to in RELEASE.transitions.items() if to == "granted"}
    assert granting == {"grant"}


@pytest.mark.parametrize(
    ("table", "final"),
    [
        (
            REQUEST,
            {
                "refused",
                "listed",
                "answered",
                "expired",
                "withdrawn",
                "superseded",
                "key_revoked",
            },
        ),
        (RELEASE, {"dropped", "exported", "overdue", "disposed"}),
    ],
)
def test_states_without_a_way_out(table: Table, final: set[str]) -> None:
    assert table.states - {source for source, _ in table.transitions} == final


@pytest.mark.parametrize("table", [REQUEST, RELEASE])
def test_every_state_can_be_reached(table: Table) -> None:
    reached, before = {table.start}, set[str]()
    while reached != before:
        before = set(reached)
        reached |= {to for (source, _), to in table.transitions.items() if source in before}
    assert reached == table.states


def test_the_diagrams_in_the_docs_are_drawn_from_the_tables() -> None:
    text = DOCS.read_text()
    for table in (REQUEST, RELEASE):
        assert f"```mermaid\n{mermaid(table)}```" in text
