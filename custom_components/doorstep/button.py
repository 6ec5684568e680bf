"""What a person can start by hand: a test that rings the bell, and a recording."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import DOMAIN
from .data import DoorstepConfigEntry
from .entity import DoorbellEntity, async_add_rows
from .recordings import async_record
from .self_test import SelfTest

PARALLEL_UPDATES = 0

SELF_TEST = ButtonEntityDescription(
    key="self_test", translation_key="self_test", entity_category=EntityCategory.DIAGNOSTIC
)
RECORD = ButtonEntityDescription(key="record", translation_key="record")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: DoorstepConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add both for every doorbell, now and later."""
    rooms = entry.runtime_data.rooms
    async_add_rows(rooms, async_add_entities, (SELF_TEST,), TestButton)
    async_add_rows(rooms, async_add_entities, (RECORD,), RecordButton)


class RecordButton(DoorbellEntity, ButtonEntity):
    """Records, with what came before; pressed again it goes on for longer."""

    @override
    async def async_press(self) -> None:
        """Begin, or go on."""
        async_record(self.hass, self.doorbell)


class TestButton(DoorbellEntity, ButtonEntity):
    """Rings as a visitor would; the result comes as a notification once the clip is closed."""

    _test: SelfTest | None = None

    @override
    async def _async_restore(self) -> None:
        """Have a test end with its doorbell."""
        self.async_on_remove(self._cancel)

    @override
    async def async_press(self) -> None:
        """Begin a test; only one at a time."""
        if self._test and self._test.is_running:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="self_test_running",
                translation_placeholders={"name": self.doorbell.name},
            )
        self._test = SelfTest(self.rooms, self.doorbell)
        self._test.async_start()

    def _cancel(self) -> None:
        if self._test:
            self._test.async_cancel()
