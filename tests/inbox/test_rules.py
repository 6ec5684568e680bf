from dataclasses import fields, replace
from datetime import datetime, time, timedelta
import hashlib
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

import pytest

from custom_components.doorstep.inbox.agencies import Kind, Statement
from custom_components.doorstep.inbox.requests import Basis, Details, Request, parse_request
from custom_components.doorstep.inbox.rules import (
    Case,
    HouseRules,
    KindRule,
    Outcome,
    QuietHours,
    Rule,
    Verdict,
    worst,
)
from tests.simulators import documents
from tests.simulators.signing import to_json

from .test_agencies import statement
from .test_requests import payload
from .world import FAR, NOW, PLACE, SALT

RULES = HouseRules()


def case(
    properties: dict[str, Any] | None = None,
    *,
    geometry: dict[str, Any] | None = None,
    details: dict[str, Any] | None = None,
    said: Statement | None = None,
    in_thread: int = 0,
    this_month: int = 0,
    now: datetime = NOW,
) -> Case:
    patch = {"properties": properties or {}, **({"geometry": geometry} if geometry else {})}
    request = parse_request(payload(patch), NOW)
    assert isinstance(request, Request)
    line = to_json(documents.patched(documents.details(SALT), details or {}))
    return Case(
        request=request,
        details=Details.parse(line, hashlib.sha256(line).hexdigest()),
        statement=said or statement(),
        now=now,
        in_thread=in_thread,
        this_month=this_month,
    )


def window(start: timedelta, end: timedelta = timedelta(0)) -> dict[str, Any]:
    stamps = {
        "start": documents.timestamp(NOW - start),
        "end": documents.timestamp(NOW - end),
    }
    return {"window": stamps}


def broken(judged: Case, rules: HouseRules = RULES) -> list[str]:
    return [verdict.rule for verdict in rules.check(judged) if not verdict.ok]


def test_an_honest_request_keeps_every_rule() -> None:
    verdicts = RULES.check(case())
    assert [verdict.rule for verdict in verdicts] == [
        "kind",
        "basis",
        "named",
        "attestations",
        "window",
        "age",
        "area",
        "jurisdiction",
        "thread",
        "month",
        "life",
    ]
    assert all(verdict.ok for verdict in verdicts)
    assert worst(verdicts) is None


HOURS = timedelta(hours=1)
MINUTES = timedelta(minutes=1)
DAYS = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("judged", "rules"),
    [
        (case(details={"case": None}), ["named"]),
        (case(details={"officer": {"name": None}}), ["named"]),
        (case(details={"officer": None}), ["named"]),
        (case({"attestations": []}), ["attestations"]),
        (case({"attestations": ["active_investigation", "own_case"]}), ["attestations"]),
        (
            case(
                {
                    "attestations": [
                        "active_investigation",
                        "own_case",
                        "not_lawful_protest",
                        "not_immigration_enforcement",
                    ]
                }
            ),
            [],
        ),
        (case(window(15 * MINUTES)), []),
        (case(window(15 * MINUTES - SECOND)), ["window"]),
        (case(window(12 * HOURS)), []),
        (case(window(12 * HOURS + SECOND)), ["window"]),
        (case(window(45 * DAYS, 45 * DAYS - HOURS)), []),
        (case(window(45 * DAYS + SECOND, 45 * DAYS - HOURS)), ["age"]),
        (case(geometry=documents.square(*PLACE, 565)), []),
        (case(geometry=documents.square(*PLACE, 575)), ["area"]),
        (case(geometry=documents.square(*FAR, 100)), ["jurisdiction"]),
        (case(in_thread=1), []),
        (case(in_thread=2), ["thread"]),
        (case(this_month=4), []),
        (case(this_month=5), ["month"]),
        (case({"expires_at": documents.timestamp(NOW + 14 * DAYS)}), []),
        (case({"expires_at": documents.timestamp(NOW + 14 * DAYS + SECOND)}), ["life"]),
        (case({"legal_basis": "emergency"}), []),
        (case({"legal_basis": "preservation"}), []),
        (case(details={"case": None}, in_thread=9), ["named", "thread"]),
    ],
)
def test_limits(judged: Case, rules: list[str]) -> None:
    assert broken(judged) == rules


def test_a_house_may_be_stricter() -> None:
    rules = HouseRules(
        kind=KindRule(refused=frozenset({Kind.IMMIGRATION}), outcome=Outcome.DECLINE),
        basis=replace(RULES.basis, accepted=frozenset({Basis.EMERGENCY})),
    )
    assert broken(case(), rules) == ["basis"]
    asked = case(said=statement({"kind": "immigration"}))
    assert broken(asked, rules) == ["kind", "basis"]
    assert worst(rules.check(asked)) is Outcome.DECLINE
    assert worst(rules.check(case())) is Outcome.LIST


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("kind", {"kind": "municipal_police"}),
        ("basis", {"basis": "voluntary"}),
        ("named", {}),
        ("attestations", {"missing": "not_lawful_protest, own_case"}),
        ("window", {"minutes": "60", "shortest": "15", "longest": "720"}),
        ("age", {"days": "0", "oldest": "45"}),
        ("area", {"area": "0.36", "largest": "1.30"}),
        ("jurisdiction", {}),
        ("thread", {"number": "2", "most": "2"}),
        ("month", {"number": "4", "most": "5"}),
        ("life", {"days": "7", "longest": "14"}),
    ],
)
def test_what_the_sentences_show(rule: str, values: dict[str, str]) -> None:
    signed = ["active_investigation", "not_immigration_enforcement"]
    judged = case({"attestations": signed}, in_thread=1, this_month=3)
    [verdict] = [verdict for verdict in RULES.check(judged) if verdict.rule == rule]
    assert dict(verdict.values) == values


def test_no_rule_can_approve() -> None:
    assert {outcome.value for outcome in Outcome} == {"list", "decline"}
    assert set(get_args(get_type_hints(Verdict)["outcome"])) == {Outcome, type(None)}
    for field in fields(HouseRules):
        rule = getattr(RULES, field.name)
        if isinstance(rule, Rule):
            assert type(rule).check is Rule.check
            assert rule.outcome in Outcome
    assert get_type_hints(Rule.check)["return"] is Verdict
    assert get_type_hints(Rule.holds)["return"] is bool


ZONE = ZoneInfo("Europe/Amsterdam")
NIGHT = QuietHours(begin=time(22), end=time(7), zone=ZONE)
NOON = QuietHours(begin=time(12), end=time(13), zone=ZONE)


def local(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("quiet", "now", "sound"),
    [
        (NIGHT, local(23, 21, 59), local(23, 21, 59)),
        (NIGHT, local(23, 22), local(24, 7)),
        (NIGHT, local(24, 3), local(24, 7)),
        (NIGHT, local(24, 7), local(24, 7)),
        (NOON, local(23, 11, 59), local(23, 11, 59)),
        (NOON, local(23, 12), local(23, 13)),
        (NOON, local(23, 13), local(23, 13)),
    ],
)
def test_quiet_hours_delay(quiet: QuietHours, now: datetime, sound: datetime) -> None:
    assert quiet.next_sound(now) == sound
    assert HouseRules(quiet=quiet).notify_at(case().request, now) == sound


def test_an_emergency_is_told_at_once() -> None:
    now = local(23, 23)
    asked = case({"legal_basis": "emergency"}).request
    assert HouseRules(quiet=NIGHT).notify_at(asked, now) == now
    assert RULES.notify_at(case().request, now) == now
