"""The panel's commands about clips: looking is for who may view, all else for who decides."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any, Final

import voluptuous as vol

from .data import DoorstepData
from .encoding import parse_time
from .inbox.values import Actor
from .shown import Shape

type Message = dict[str, Any]
type Tell = Callable[[Shape], None]
type Look = Callable[[DoorstepData, Message, bool], Awaitable[Any]]  # may they decide?
type Decide = Callable[[DoorstepData, Actor, Message], Awaitable[Any]]
type Work = Callable[[DoorstepData, Actor, Message, Tell], Awaitable[Shape]]
type Commands[T] = dict[str, tuple[dict[Any, Any], T]]

_TEXT: Final = vol.All(str, vol.Length(max=100))
_CLIPS: Final = vol.All([_TEXT], vol.Length(min=1, max=500))


def _time(value: object) -> datetime:
    try:
        time = parse_time(str(value))
    except ValueError as error:
        raise vol.Invalid(str(error)) from error
    _check(time.date())
    return time


def _day(value: object) -> date:
    try:
        day = date.fromisoformat(str(value))
    except ValueError as error:
        raise vol.Invalid(str(error)) from error
    _check(day)
    return day


def _check(day: date) -> None:
    if not date(1970, 1, 2) <= day < date(9999, 12, 30):
        # what no zone can count from is no day of a clip
        msg = "no such day"
        raise vol.Invalid(msg)


_DOORBELL: Final = {vol.Optional("doorbell"): _TEXT}

VIEW: Final[Commands[Look]] = {
    "clips/days": (_DOORBELL, lambda data, msg, _: data.clips.async_days(msg.get("doorbell"))),
    "clips/hours": (
        {vol.Required("day"): _day, **_DOORBELL},
        lambda data, msg, _: data.clips.async_hours(msg["day"], msg.get("doorbell")),
    ),
    "clips/list": (
        {
            **_DOORBELL,
            vol.Optional("start"): _time,
            vol.Optional("end"): _time,
            vol.Optional("event"): vol.In(["ring", "motion", "manual"]),
            vol.Optional("limit", default=100): vol.All(int, vol.Range(min=1, max=200)),
            vol.Optional("offset", default=0): vol.All(int, vol.Range(min=0, max=10**9)),
        },
        lambda data, msg, full: data.clips.async_clips(
            (msg.get("doorbell"), msg.get("start"), msg.get("end")),
            msg.get("event"),
            (msg["limit"], msg["offset"]),
            full=full,
        ),
    ),
    "clips/stills": (
        {vol.Required("clip"): _TEXT},
        lambda data, msg, _: data.clips.async_stills(msg["clip"]),
    ),
}

DECIDE: Final[Commands[Decide]] = {
    "clips/binned": ({}, lambda data, _actor, _msg: data.clips.async_binned()),
    "clips/delete": (
        {vol.Required("clips"): _CLIPS, vol.Optional("confirmed", default=False): bool},
        lambda data, actor, msg: data.clip_desk.async_delete(
            msg["clips"], actor, confirmed=msg["confirmed"]
        ),
    ),
    "clips/restore": (
        {vol.Required("clips"): _CLIPS},
        lambda data, actor, msg: data.clip_desk.async_restore(msg["clips"], actor),
    ),
    "clips/hold": (
        {vol.Required("clip"): _TEXT},
        lambda data, actor, msg: data.clip_desk.async_hold(msg["clip"], actor),
    ),
    "clips/let_go": (
        {vol.Required("clip"): _TEXT},
        lambda data, actor, msg: data.clip_desk.async_let_go(msg["clip"], actor),
    ),
    "clips/rescan": ({}, lambda data, _actor, _msg: data.clip_desk.async_rescan()),
}

# these take long: they answer at once and tell by events how far they are, and what came of it
WORK: Final[Commands[Work]] = {
    "clips/verify": (
        {vol.Optional("clip"): _TEXT},
        lambda data, _actor, msg, tell: data.clip_desk.async_verify(msg.get("clip"), tell),
    ),
    "clips/export": (
        {
            vol.Required("doorbell"): _TEXT,
            vol.Required("start"): _time,
            vol.Required("end"): _time,
        },
        lambda data, actor, msg, tell: data.exports.async_make(
            msg["doorbell"], (msg["start"], msg["end"]), actor, tell
        ),
    ),
}
