"""One entity of another integration that a doorbell was told to listen to or to look through."""

from typing import Any, Literal

from homeassistant.const import ATTR_DEVICE_CLASS, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, State, split_entity_id, valid_entity_id
from homeassistant.helpers import entity_registry as er

from .model import Signal
from .signals import Interpreter, interpreter

type Part = Literal["camera", "ring", "motion"]


class Source:
    """A chosen entity, whatever it is called just now; `part` is what it was chosen for."""

    def __init__(self, hass: HomeAssistant, reference: str, part: Part) -> None:
        """Look up what was chosen: an id of the entity registry, or an entity id."""
        self._hass = hass
        self._reference = reference
        self._registered = not valid_entity_id(reference)
        self._interpreter: Interpreter | None = None
        self.part: Part = part
        self.entity_id: str | None = None if self._registered else reference
        self.entry: er.RegistryEntry | None = None
        self.look_up()

    @property
    def state(self) -> State | None:
        """What it says now."""
        return self._hass.states.get(self.entity_id) if self.entity_id else None

    @property
    def missing(self) -> bool:
        """Whether it was removed or disabled, so that only a person can bring it back."""
        return (self._registered and self.entry is None) or bool(self.entry and self.entry.disabled)

    @property
    def available(self) -> bool:
        """Whether it answers."""
        state = self.state
        return not self.missing and state is not None and state.state != STATE_UNAVAILABLE

    @property
    def domain(self) -> str:
        """The domain of the entity; empty where nobody remembers."""
        return split_entity_id(self.entity_id)[0] if self.entity_id else ""

    @property
    def device_class(self) -> str | None:
        """The device class, also before the entity has come."""
        if self.entry and (known := self.entry.device_class or self.entry.original_device_class):
            return known
        return self.state.attributes.get(ATTR_DEVICE_CLASS) if self.state else None

    @property
    def label(self) -> str:
        """What to call it before a person."""
        return self.entity_id or self._reference

    def look_up(self, *, renamed: str | None = None) -> None:
        """Find it in the registry again, under its new entity id if it was renamed."""
        registry = er.async_get(self._hass)
        if not self._registered:
            self.entity_id = renamed or self.entity_id
            self.entry = registry.async_get(self.entity_id) if self.entity_id else None
        elif entry := registry.entities.get_entry(self._reference):
            self.entity_id, self.entry = entry.entity_id, entry
        else:
            self.entity_id, self.entry = self.entity_id or self._last_known(registry), None

    def _last_known(self, registry: er.EntityRegistry) -> str | None:
        for gone in registry.deleted_entities.values():
            if gone.id == self._reference:
                return gone.entity_id
        return None

    def hear(self, old: State | None, new: State | None) -> Signal | None:
        """Understand a change of its state; a camera's says nothing."""
        if self.part == "camera":
            return None
        if self._interpreter is None:
            self._interpreter = interpreter(self.domain, self.part)
        return self._interpreter.hear(old, new)

    def describe(self) -> dict[str, Any]:
        """Tell diagnostics what it is: no name that people gave it."""
        return {
            "part": self.part,
            "domain": self.domain,
            "platform": self.entry.platform if self.entry else None,
            "device_class": self.device_class,
            "missing": self.missing,
            "available": self.available,
        }
