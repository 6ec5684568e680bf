"""Actions for automations and scripts: they can record, check and narrow, never approve."""

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
import voluptuous as vol

from .const import DOMAIN
from .data import DoorstepConfigEntry, async_entry
from .problems import translated
from .recordings import async_record, async_refuse_private, async_targets

VERIFY_LEDGER = "verify_ledger"
RECORD = "record"

_DURATION = "duration"  # seconds
_RECORD_SCHEMA = cv.make_entity_service_schema(
    {vol.Optional(_DURATION): vol.All(vol.Coerce(float), vol.Range(min=5, max=300))}
)


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register all actions, once."""
    hass.services.async_register(
        DOMAIN,
        VERIFY_LEDGER,
        _async_verify_ledger,
        schema=vol.Schema({}),
        supports_response=SupportsResponse.ONLY,
    )
    hass.services.async_register(
        DOMAIN,
        RECORD,
        _async_record,
        schema=_RECORD_SCHEMA,
        supports_response=SupportsResponse.OPTIONAL,
    )


@translated
async def _async_verify_ledger(call: ServiceCall) -> ServiceResponse:
    """Recompute the whole log; says how long it is and where it is broken, if it is."""
    return await _loaded(call.hass).runtime_data.queries.async_verify_ledger()


async def _async_record(call: ServiceCall) -> ServiceResponse:
    """Record at each doorbell of the target, or at none; the ids of the clips."""
    doorbells = await async_targets(call, _loaded(call.hass).runtime_data.rooms.doorbells)
    async_refuse_private(doorbells)
    seconds = call.data.get(_DURATION)
    clips = [async_record(call.hass, doorbell, seconds) for doorbell in doorbells]
    return {"clip": clips[0], "clips": [*clips]}


def _loaded(hass: HomeAssistant) -> DoorstepConfigEntry:
    entry = async_entry(hass)
    if entry is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_loaded")
    return entry
