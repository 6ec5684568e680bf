"""House rules: the household's limits, one small class each.

A rule can say that a request is only listed, or declined. There is no outcome that approves, and no
way to write one: `Outcome` is all a rule can answer with.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import ClassVar, Final, override

from .agencies import Kind, Statement
from .requests import Attestation, Basis, Details, Request

_SQUARE_KILOMETRE: Final = 1e6


class Outcome(StrEnum):
    """What a broken rule does to a request: not opened, or declined at once."""

    LIST = "list"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule found: `outcome` is None where it is kept; `values` fill its sentence."""

    rule: str
    outcome: Outcome | None
    values: Mapping[str, str]

    @property
    def ok(self) -> bool:
        """Whether the rule is kept."""
        return self.outcome is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What rules look at: the request, who asks, and what was asked before.

    `in_thread` counts earlier requests of the same case thread, `this_month` earlier ones of the
    agency that concerned this home in the last 30 days.
    """

    request: Request
    details: Details
    statement: Statement
    now: datetime
    in_thread: int
    this_month: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ABC):
    """One limit; `outcome` is what happens to a request that breaks it."""

    key: ClassVar[str]
    outcome: Outcome = Outcome.LIST

    def check(self, case: Case) -> Verdict:
        """Judge a case."""
        values = {name: str(value) for name, value in self.values(case).items()}
        return Verdict(self.key, None if self.holds(case) else self.outcome, values)

    @abstractmethod
    def holds(self, case: Case) -> bool:
        """Whether the case keeps the rule."""

    def values(self, case: Case) -> Mapping[str, object]:  # noqa: ARG002 - for those that need it
        """Return what the rule's sentence shows."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisRule(Rule):
    """Only on these footings."""

    key: ClassVar[str] = "basis"
    accepted: frozenset[Basis] = frozenset(Basis)

    @override
    def holds(self, case: Case) -> bool:
        return case.request.legal_basis in self.accepted

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        return {"basis": case.request.legal_basis}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRule(Rule):
    """A case and an officer's name are given."""

    key: ClassVar[str] = "named"

    @override
    def holds(self, case: Case) -> bool:
        return bool(case.details.case and case.details.officer["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRule(Rule):
    """The agency has put its signature to all of these."""

    key: ClassVar[str] = "attestations"
    required: frozenset[Attestation] = frozenset(Attestation) - {Attestation.NO_FACE_RECOGNITION}

    @override
    def holds(self, case: Case) -> bool:
        return self.required <= set(case.request.attestations)

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        return {"missing": ", ".join(sorted(self.required - set(case.request.attestations)))}


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRule(Rule):
    """The window is neither a blink nor a day."""

    key: ClassVar[str] = "window"
    shortest: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=12)

    @override
    def holds(self, case: Case) -> bool:
        return self.shortest <= case.request.end - case.request.start <= self.longest

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        return {
            "minutes": _minutes(case.request.end - case.request.start),
            "shortest": _minutes(self.shortest),
            "longest": _minutes(self.longest),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeRule(Rule):
    """The window does not reach too far back."""

    key: ClassVar[str] = "age"
    oldest: timedelta = timedelta(days=45)

    @override
    def holds(self, case: Case) -> bool:
        return case.now - case.request.start <= self.oldest

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        return {"days": (case.now - case.request.start).days, "oldest": self.oldest.days}


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaRule(Rule):
    """The area is not a whole town (1.3 km2 is half a square mile)."""

    key: ClassVar[str] = "area"
    largest: float = 1.3e6

    @override
    def holds(self, case: Case) -> bool:
        return case.request.geometry.area <= self.largest

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        area = case.request.geometry.area / _SQUARE_KILOMETRE
        return {"area": f"{area:.2f}", "largest": f"{self.largest / _SQUARE_KILOMETRE:.2f}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class JurisdictionRule(Rule):
    """The area lies inside the agency's jurisdiction."""

    key: ClassVar[str] = "jurisdiction"

    @override
    def holds(self, case: Case) -> bool:
        return case.statement.jurisdiction.covers(case.request.geometry)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRule(Rule):
    """The same case does not come again and again."""

    key: ClassVar[str] = "thread"
    most: int = 2

    @override
    def holds(self, case: Case) -> bool:
        return case.in_thread < self.most

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        return {"number": case.in_thread + 1, "most": self.most}


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRule(Rule):
    """The same agency does not come again and again."""

    key: ClassVar[str] = "month"
    most: int = 5

    @override
    def holds(self, case: Case) -> bool:
        return case.this_month < self.most

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        return {"number": case.this_month + 1, "most": self.most}


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRule(Rule):
    """The request does not stay open for ever."""

    key: ClassVar[str] = "life"
    longest: timedelta = timedelta(days=14)

    @override
    def holds(self, case: Case) -> bool:
        return case.request.expires_at - case.request.issued_at <= self.longest

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        life = case.request.expires_at - case.request.issued_at
        return {"days": life.days, "longest": self.longest.days}


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRule(Rule):
    """Some kinds of agency are not heard."""

    key: ClassVar[str] = "kind"
    refused: frozenset[Kind] = frozenset()

    @override
    def holds(self, case: Case) -> bool:
        return case.statement.kind not in self.refused

    @override
    def values(self, case: Case) -> Mapping[str, object]:
        return {"kind": case.statement.kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """No notification between two local times of day; `begin` after `end` spans midnight."""

    begin: time
    end: time
    zone: tzinfo

    def next_sound(self, now: datetime) -> datetime:
        """Return `now`, or the end of the quiet hours that `now` lies in."""
        local = now.astimezone(self.zone)
        clock, overnight = local.time(), self.begin > self.end
        quiet = self.begin <= clock < self.end
        if overnight:
            quiet = clock >= self.begin or clock < self.end
        if not quiet:
            return now
        day = local.date() + timedelta(days=int(overnight and clock >= self.begin))
        return datetime.combine(day, self.end, self.zone).astimezone(now.tzinfo)


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """Every rule of the house, with its defaults."""

    kind: KindRule = KindRule()
    basis: BasisRule = BasisRule()
    named: NamedRule = NamedRule()
    attestations: AttestationRule = AttestationRule()
    window: WindowRule = WindowRule()
    age: AgeRule = AgeRule()
    area: AreaRule = AreaRule()
    jurisdiction: JurisdictionRule = JurisdictionRule()
    thread: ThreadRule = ThreadRule()
    month: MonthRule = MonthRule()
    life: LifeRule = LifeRule()
    quiet: QuietHours | None = None

    def check(self, case: Case) -> tuple[Verdict, ...]:
        """Judge a case by every rule, in order."""
        return tuple(rule.check(case) for rule in self._rules())

    def notify_at(self, request: Request, now: datetime) -> datetime:
        """When people may be told of a request that opens now; of an emergency, at once."""
        if self.quiet is None or request.legal_basis is Basis.EMERGENCY:
            return now
        return self.quiet.next_sound(now)

    def _rules(self) -> Iterator[Rule]:
        for field in fields(self):
            rule = getattr(self, field.name)
            if isinstance(rule, Rule):
                yield rule


def worst(verdicts: tuple[Verdict, ...]) -> Outcome | None:
    """Return the strictest outcome: decline before list before none."""
    outcomes = {verdict.outcome for verdict in verdicts}
    return next(
        (outcome for outcome in (Outcome.DECLINE, Outcome.LIST) if outcome in outcomes), None
    )


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
