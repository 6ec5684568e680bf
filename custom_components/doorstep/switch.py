"""What people switch at a doorbell: privacy, and whether phones hear of a ring."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .data import DoorstepConfigEntry
from .doorbells.doorbell import Doorbell
from .doorbells.manager import Doorbells
from .doorbells.switches import PRIVATE, RING_NOTIFICATIONS
from .entity import DoorbellEntity, async_add_rows
from .problems import translated
from .ring_push import RingPush

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class DoorbellSwitchDescription(SwitchEntityDescription):
    """A switch of the doorbell; its key is the switch's name."""

    value: Callable[[Doorbells, Doorbell], bool]


SWITCHES = (
    DoorbellSwitchDescription(
        key=PRIVATE,
        translation_key="privacy",
        # what holds, also where it could not be written down
        value=lambda _, doorbell: doorbell.private,
    ),
    DoorbellSwitchDescription(
        key=RING_NOTIFICATIONS,
        translation_key="ring_notifications",
        entity_category=EntityCategory.CONFIG,
        value=lambda doorbells, doorbell: doorbells.async_is_on(doorbell, RING_NOTIFICATIONS),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the switches of every doorbell, and do what they say, now and later."""
    rooms = entry.runtime_data.rooms
    push = RingPush(hass, entry, rooms.doorbells)
    # the switch stands for it, but it goes on where somebody hides the switch
    rooms.doorbells.async_add_platform(async_add_entities, push.async_attend)
    async_add_rows(rooms, async_add_entities, SWITCHES, DoorbellSwitch)


class DoorbellSwitch(DoorbellEntity, SwitchEntity):
    """A switch that stays as it is over restarts and power cuts."""

    entity_description: DoorbellSwitchDescription

    @property
    @override
    def is_on(self) -> bool:
        """Whether it is on."""
        return self.entity_description.value(self.rooms.doorbells, self.doorbell)

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch it on."""
        await self._async_turn(is_on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch it off."""
        await self._async_turn(is_on=False)

    @translated
    async def _async_turn(self, *, is_on: bool) -> None:
        name = self.entity_description.key
        await self.rooms.doorbells.async_switch(self.doorbell, name, is_on=is_on)
        self.async_write_ha_state()
