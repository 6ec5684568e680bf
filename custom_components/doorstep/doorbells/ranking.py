"""How likely another integration's entity tells of presses, or of motion before the door.

Brands name and class them differently: the tables below go from the surest to the likeliest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.event import EventDeviceClass
from homeassistant.const import Platform
from homeassistant.helpers import entity_registry as er

from .signals import MOTION_WORDS, PERSON_WORDS, PRESS_WORDS, RING_WORDS, words

_LOCAL_RING_WORDS: Final = {"campanello", "deurbel", "klingel", "sonnette", "timbre"}
_BUTTON_WORDS: Final = PRESS_WORDS | {"button", "pushbutton"}
_NOT_RINGS: Final = MOTION_WORDS | {
    *("detections", "disabled", "enabled", "led", "light", "missed", "mute", "muted"),
    *("notification", "silent", "snooze", "volume"),
}
_NOT_VISITORS: Final = {
    *("animal", "baby", "car", "cat", "cry", "dog", "face", "license", "package", "pet", "plate"),
    *("scene", "sound", "vehicle"),
}
_RING_CLASSES: Final = {
    None,
    BinarySensorDeviceClass.MOTION,
    BinarySensorDeviceClass.OCCUPANCY,
    BinarySensorDeviceClass.RUNNING,
    BinarySensorDeviceClass.SOUND,
}
_PRESENCE_CLASSES: Final = {BinarySensorDeviceClass.OCCUPANCY, BinarySensorDeviceClass.PRESENCE}


@dataclass(frozen=True, slots=True)
class _Looks:
    """An entity as the tables see it: `spoken` are the words that it is called by."""

    domain: str
    device_class: str | None
    spoken: set[str]

    @property
    def rings(self) -> bool:
        return bool(self.spoken & (RING_WORDS | _LOCAL_RING_WORDS)) and self.presses

    @property
    def presses(self) -> bool:
        return not self.spoken & _NOT_RINGS

    @property
    def sees_people(self) -> bool:
        return bool(self.spoken & PERSON_WORDS)

    @property
    def is_switch(self) -> bool:
        return self.domain == Platform.BINARY_SENSOR


type _Table = tuple[Callable[[_Looks], bool], ...]

_RINGS: Final[_Table] = (
    lambda it: it.domain == Platform.EVENT and it.device_class == EventDeviceClass.DOORBELL,
    lambda it: (
        it.domain == Platform.EVENT and it.device_class != EventDeviceClass.MOTION and it.rings
    ),
    lambda it: it.is_switch and it.device_class in _RING_CLASSES and it.rings,
    lambda it: it.domain == Platform.EVENT and it.device_class == EventDeviceClass.BUTTON,
    lambda it: (
        it.is_switch
        and it.device_class in _RING_CLASSES
        and it.presses
        and bool(it.spoken & _BUTTON_WORDS)
    ),
    # most buttons of a camera make it do something: only one that says so is pressed at the door
    lambda it: (
        it.domain == Platform.BUTTON
        and it.device_class is None
        and (it.rings or bool(it.spoken & PRESS_WORDS))
    ),
)
SURE_RINGS: Final = 4
"""Ranks below this are rings unless a person says otherwise."""

_MOTIONS: Final[_Table] = (
    lambda it: (
        it.is_switch and it.device_class == BinarySensorDeviceClass.MOTION and not it.sees_people
    ),
    lambda it: it.domain == Platform.EVENT and it.device_class == EventDeviceClass.MOTION,
    lambda it: (
        it.is_switch
        and it.device_class in {None, *_PRESENCE_CLASSES}
        and bool(it.spoken & (MOTION_WORDS - PERSON_WORDS))
    ),
    lambda it: (
        it.is_switch
        and it.device_class in {None, BinarySensorDeviceClass.MOTION, *_PRESENCE_CLASSES}
        and it.sees_people
    ),
    lambda it: it.domain == Platform.EVENT and it.device_class is None and it.sees_people,
    lambda it: it.is_switch and it.device_class in _PRESENCE_CLASSES,
)


def ring_rank(entry: er.RegistryEntry, owners: Iterable[str]) -> int | None:
    """Rank what tells of presses, 0 the surest; None: it doesn't.

    `owners` are names of its device: they say nothing about the entity.
    """
    return _rank(_RINGS, _looks(entry, owners))


def motion_rank(entry: er.RegistryEntry, owners: Iterable[str]) -> int | None:
    """Rank what tells of motion, 0 the likeliest; None: it doesn't, or of animals and things."""
    looks = _looks(entry, owners)
    if looks.spoken & _NOT_VISITORS and not looks.sees_people:
        return None
    return _rank(_MOTIONS, looks)


def _rank(table: _Table, looks: _Looks) -> int | None:
    return next((rank for rank, fits in enumerate(table) if fits(looks)), None)


def _looks(entry: er.RegistryEntry, owners: Iterable[str]) -> _Looks:
    named = [entry.translation_key, entry.original_name, entry.name]
    if not any(named):
        named = [entry.entity_id.partition(".")[2]]
    # ids begin with serial numbers and names, and end in what the entity is
    spoken = {*words(entry.unique_id)[-1:]}
    for name in filter(None, named):
        spoken.update(_without(words(name), owners))
    return _Looks(entry.domain, entry.device_class or entry.original_device_class, spoken)


def _without(called: list[str], owners: Iterable[str]) -> list[str]:
    for owner in map(words, owners):
        if owner and called[: len(owner)] == owner:
            return called[len(owner) :]
    return called
