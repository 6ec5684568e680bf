"""The forms about room on the disk: their fields, and what is kept of the answers."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.helpers.selector import (
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)
import voluptuous as vol

from .const import (
    CLIPS_FOR_APPROVERS,
    CLIPS_FOR_EVERYONE,
    CONF_CLIPS_FOR,
    CONF_DISK_SHARE,
    CONF_FREE_GB,
    CONF_KEEP_DAYS,
    CONF_LIBRARY,
    CONF_MAX_GB,
)
from .limits import DEFAULTS

_DAYS: Final = NumberSelector(
    NumberSelectorConfig(
        min=1,
        max=3650,
        step=1,
        unit_of_measurement="days",
        mode=NumberSelectorMode.BOX,
        translation_key=CONF_KEEP_DAYS,
    )
)


def _gigabytes(most: int) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=1, max=most, step=1, unit_of_measurement="GB", mode=NumberSelectorMode.BOX
        )
    )


_FIELDS: Final = {
    CONF_KEEP_DAYS: _DAYS,
    CONF_MAX_GB: _gigabytes(100_000),
    CONF_DISK_SHARE: NumberSelector(
        NumberSelectorConfig(
            min=1, max=90, step=1, unit_of_measurement="%", mode=NumberSelectorMode.SLIDER
        )
    ),
    CONF_FREE_GB: _gigabytes(1000),
}
_CLIPS_FOR: Final = SelectSelector(
    SelectSelectorConfig(
        options=[CLIPS_FOR_EVERYONE, CLIPS_FOR_APPROVERS],
        mode=SelectSelectorMode.LIST,
        translation_key=CONF_CLIPS_FOR,
    )
)

FOLDER_SCHEMA: Final = vol.Schema({vol.Required(CONF_LIBRARY): TextSelector()})
LIMITS_SCHEMA: Final = vol.Schema(
    {vol.Required(key, default=DEFAULTS[key]): field for key, field in _FIELDS.items()}
)
OPTIONS_SCHEMA: Final = LIMITS_SCHEMA.extend(
    {vol.Required(CONF_CLIPS_FOR, default=CLIPS_FOR_EVERYONE): _CLIPS_FOR}
)
DOORBELL_SCHEMA: Final = vol.Schema(
    {vol.Optional(key): _FIELDS[key] for key in (CONF_KEEP_DAYS, CONF_MAX_GB)}
)
DOORBELL_LIMITS: Final = frozenset({CONF_KEEP_DAYS, CONF_MAX_GB})
"""What a doorbell may have of its own; where it says nothing, the household's holds."""


def whole(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Turn answers into data: what was entered as a number is a whole one."""
    return {
        key: round(value) if isinstance(value, float) else value for key, value in answers.items()
    }
