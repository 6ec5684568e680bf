"""What a change of another integration's entity means: a press, motion, or nothing at all.

The state that comes first, after a start, a rename or an outage, is only what later ones are
compared with: whatever happened meanwhile is over, and a bell that rings for it rings for nobody.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
import re
from typing import Any, Final, Literal, Protocol

from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import State
from homeassistant.util import dt as dt_util

from .model import Signal

type Role = Literal["ring", "motion"]

MOMENTARY: Final = frozenset({"button", "event", "input_button"})
"""Domains whose state is the time of what happened last; nothing says that it is over."""

_SETTLE: Final = timedelta(seconds=3)  # state and attributes of one press come separately
_FRESH: Final = timedelta(seconds=5)  # from Home Assistant's stamp to the state that shows it
_ROUNDING: Final = timedelta(seconds=1)  # stamps are cut to milliseconds, clocks are steered

_REMEMBERED: Final = 256  # times of presses

_EVENT_IDS: Final = ("event_id", "nest_event_id", "eventId", "ding_id")
_PRESS_TIMES: Final = (
    *("lastDingTime", "lastDing", "last_ding_time", "last_ding"),
    *("lastRingTime", "lastRing", "last_ring_time", "last_ring"),
)
_PRESS_NAMES: Final = (*_EVENT_IDS, *_PRESS_TIMES)
_EVENT_TIMES: Final = (
    *("event_time", "eventTime", "device_time", "deviceTime"),
    *("timestamp", "created_at", "createdAt"),
    *_PRESS_TIMES,
)

_AFTERWARDS: Final = {
    *("canceled", "cancelled", "end", "ended", "hold", "idle", "missed", "off", "ongoing"),
    *("release", "released", "repeat", "stop", "stopped", "up"),
}
RING_WORDS: Final = {
    *("bell", "buzzer", "call", "chime", "ding", "doorbell", "rang", "ring", "ringing"),
    "visitor",
}
PERSON_WORDS: Final = {"human", "people", "person"}
MOTION_WORDS: Final = {"motion", "movement", "pir", *PERSON_WORDS}
_BEGINNING_WORDS: Final = {"down", "initial", "start"}
PRESS_WORDS: Final = {
    *("click", "clicked", "press", "pressed", "push", "pushed", "single", "tap"),
}
_COUNTED: Final[dict[Role, tuple[set[str], ...]]] = {
    "ring": (RING_WORDS, _BEGINNING_WORDS, PRESS_WORDS),
    "motion": (MOTION_WORDS,),
}

_EARLIEST: Final = 946_684_800  # 2000: before that a clock was never set
_MILLISECONDS: Final = 32_503_680_000  # the year 3000 in seconds, January 1971 in milliseconds


class Interpreter(Protocol):
    """Knows one source entity's past, as far as it matters."""

    def hear(self, old: State | None, new: State | None) -> Signal | None:
        """Say what a change of state means; `old` is None for a baseline, `new` once removed."""


def interpreter(domain: str, role: Role) -> Interpreter:
    """Return what understands entities of this domain."""
    return _Stamped(role) if domain in MOMENTARY else _Switched(role)


def words(text: str) -> list[str]:
    """Take an id or a name to lower-case words: "lastDing 2" gives last, ding, 2."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())


def counted_types(types: Iterable[str], role: Role) -> frozenset[str]:
    """Choose from an entity's event types those that tell of a press, or of motion, once.

    Types that say so by name are the only ones where there are some, then those with which a press
    begins; otherwise all count except what only follows a press.
    """
    beginning = {name: {*words(name)} for name in types if not _AFTERWARDS & {*words(name)}}
    for wanted in _COUNTED[role]:
        if found := frozenset(name for name, spoken in beginning.items() if wanted & spoken):
            return found
    return frozenset(beginning)


class _Stamped:
    """An event or a button: each new and later time is one event."""

    def __init__(self, role: Role) -> None:
        self._role: Role = role
        self._newest: datetime | None = None

    def hear(self, old: State | None, new: State | None) -> Signal | None:
        """Accept times that are later than all before."""
        if new is None or (at := _parsed(new.state)) is None or at.tzinfo is None:
            return None
        happened = self._happened(old, new, at)
        if happened or self._newest is None or at > self._newest:
            self._newest = at
        if not happened or not self._counts(new.attributes):
            return None
        return Signal(
            kind="ring" if self._role == "ring" else "motion_on",
            source=new.entity_id,
            event_id=_event_id(new.attributes),
            device_time=_time(new.attributes, _EVENT_TIMES),
        )

    def _happened(self, old: State | None, new: State, at: datetime) -> bool:
        if old is None or old.state == STATE_UNAVAILABLE:
            return False
        if old.state == STATE_UNKNOWN and at < old.last_updated - _ROUNDING:
            # remembered from before the entity said that it knew of none
            return False
        if self._newest is None or at > self._newest:
            return True
        return self._from_the_future(new) and abs(new.last_updated - at) < _FRESH

    def _from_the_future(self, new: State) -> bool:
        """Whether the clock was set back since: later stamps may be earlier for once."""
        return self._newest is not None and self._newest > new.last_updated + _FRESH

    def _counts(self, attributes: Mapping[str, Any]) -> bool:
        if (name := attributes.get("event_type")) is None:
            return True
        types = attributes.get("event_types")
        return str(name) in counted_types(types if isinstance(types, list) else [name], self._role)


class _Switched:
    """Something that is on and off: a sensor of presses, or of motion."""

    def __init__(self, role: Role) -> None:
        self._role: Role = role
        self._moving: str | None = None
        self._name: dict[str, Any] = {}
        self._times: deque[datetime] = deque(maxlen=_REMEMBERED)
        self._named_at: datetime | None = None
        self._pressed_at: datetime | None = None
        self._names_presses = False
        self._unnamed = False  # it is on, and has not said yet which press that is

    def hear(self, old: State | None, new: State | None) -> Signal | None:
        """Understand off to on, its end, and a press that shows in nothing but attributes."""
        if new is None:
            return self._still()
        if new.state not in {STATE_ON, STATE_OFF}:
            return None
        before = old.state if old is not None else None
        if self._role == "motion":
            return self._motion(before, new)
        return self._ring(before, new)

    def _motion(self, before: str | None, new: State) -> Signal | None:
        if new.state == STATE_OFF:
            return self._still()
        if before != STATE_OFF:
            return None
        self._moving = new.entity_id
        return Signal(kind="motion_on", source=new.entity_id)

    def _still(self) -> Signal | None:
        """End what was told to have begun, under the name it had then; also after an outage."""
        if self._moving is None:
            return None
        source, self._moving = self._moving, None
        return Signal(kind="motion_off", source=source)

    def _ring(self, before: str | None, new: State) -> Signal | None:
        named = self._learn(new)
        now = new.last_updated
        if before not in {STATE_ON, STATE_OFF}:
            # what an outage kept back may still be on its way
            self._pressed_at, self._named_at, self._unnamed = now, None, False
            return None
        if before == STATE_OFF and new.state == STATE_ON:
            return self._turned_on(new, named=_within(self._named_at, now))
        if not named:
            return None
        if _within(self._pressed_at, now):
            self._names_presses = True
            return None
        if new.state == STATE_OFF and not self._unnamed:
            return None
        self._pressed_at, self._unnamed = now, False
        return self._press(new, named=True)

    def _turned_on(self, new: State, *, named: bool) -> Signal | None:
        """Take it as a press, unless its name is still to come: a repeated "on" never gets one.

        A source that let one go without a name is believed without from then on.
        """
        if self._names_presses and not named and not self._unnamed:
            self._unnamed = True
            return None
        if self._unnamed:
            self._names_presses = self._unnamed = False
        self._pressed_at = new.last_updated
        return self._press(new, named=named)

    def _learn(self, new: State) -> bool:
        """Whether the attributes that name a press now name another one."""
        name = {key: new.attributes[key] for key in _PRESS_NAMES if new.attributes.get(key)}
        if all(self._name.get(key) == value for key, value in name.items()):
            return False
        # not just later than the last: clocks are set back
        if (at := _time(name, _PRESS_TIMES)) is not None:
            if at in self._times:
                return False
            self._times.append(at)
        # what comes for the first time was only not known before
        first, self._name = not self._name, self._name | name
        self._named_at = new.last_updated
        return not first

    def _press(self, new: State, *, named: bool) -> Signal:
        if not named:
            return Signal(kind="ring", source=new.entity_id)
        return Signal(
            kind="ring",
            source=new.entity_id,
            event_id=_event_id(new.attributes),
            device_time=_time(new.attributes, _PRESS_TIMES),
        )


def _within(earlier: datetime | None, now: datetime) -> bool:
    return earlier is not None and abs(now - earlier) <= _SETTLE


def _event_id(attributes: Mapping[str, Any]) -> str | None:
    for key in _EVENT_IDS:
        if isinstance(value := attributes.get(key), str | int) and value:
            return str(value)
    return None


def _time(attributes: Mapping[str, Any], names: tuple[str, ...]) -> datetime | None:
    for key in names:
        if (found := _instant(attributes.get(key))) is not None:
            return found
    return None


def _instant(value: object) -> datetime | None:
    """Read ISO 8601 with a zone, or seconds or milliseconds since 1970; UTC, or None."""
    if isinstance(value, str):
        value = float(value) if value.isdecimal() else _parsed(value)
    if isinstance(value, datetime) and value.tzinfo:
        value = value.timestamp()
    if not isinstance(value, int | float):
        return None
    seconds = value / 1000 if _MILLISECONDS < value < 1000 * _MILLISECONDS else value
    if not _EARLIEST < seconds < _MILLISECONDS:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _parsed(text: str) -> datetime | None:
    try:
        return dt_util.parse_datetime(text)
    except ValueError:
        return None
