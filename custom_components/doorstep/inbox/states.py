"""The two state tables: what may happen to a footage request, and to a release.

They are data, so that the diagrams in the docs and the tests read the same tables as the code. That
someone may cause an event is not decided here; that an event is possible is decided only here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ..errors import DoorstepError, ReleaseError, RequestError

type State = str
type Event = str


@dataclass(frozen=True, slots=True)
class Table:
    """Transitions from `start` on; `error` is raised (`not_possible`) for any other event."""

    start: State
    error: type[DoorstepError]
    transitions: Mapping[tuple[State, Event], State]

    @property
    def states(self) -> frozenset[State]:
        """Every state, reached or left."""
        return frozenset(
            state for (source, _), target in self.transitions.items() for state in (source, target)
        )


REQUEST: Final = Table(
    "received",
    RequestError,
    {
        ("received", "refuse"): "refused",
        ("received", "list"): "listed",
        ("received", "quarantine"): "quarantined",
        ("received", "open"): "open",
        ("quarantined", "open"): "open",
        ("quarantined", "refuse"): "refused",
        ("open", "answer"): "answered",
        ("open", "decline"): "declined",
        ("open", "expire"): "expired",
        ("open", "withdraw"): "withdrawn",
        ("open", "supersede"): "superseded",
        ("open", "revoke_key"): "key_revoked",
        ("declined", "undo"): "open",
    },
)

RELEASE: Final = Table(
    "draft",
    ReleaseError,
    {
        ("draft", "vote"): "voted",
        ("draft", "grant"): "granted",
        ("draft", "drop"): "dropped",
        ("voted", "grant"): "granted",
        ("voted", "drop"): "dropped",
        ("granted", "package"): "packaging",
        ("granted", "drop"): "dropped",
        ("packaging", "deliver"): "delivering",
        ("packaging", "export"): "exported",
        ("packaging", "stop"): "stopped",
        ("delivering", "finish"): "delivered",
        ("delivering", "stop"): "stopped",
        ("stopped", "retry"): "packaging",
        ("delivered", "acknowledge"): "acknowledged",
        ("delivered", "miss"): "overdue",
        ("acknowledged", "dispose"): "disposed",
    },
)


def after(table: Table, state: State, event: Event) -> State:
    """Return the state that `event` leads to; an impossible one raises the table's error."""
    target = table.transitions.get((state, event))
    if target is None:
        raise table.error("not_possible", state=state, event=event)
    return target


def mermaid(table: Table) -> str:
    """Draw a table as a Mermaid state diagram."""
    lines = [f"    {source} --> {to}: {event}" for (source, event), to in table.transitions.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {table.start}", *lines, ""])
