"""Actions for automations and scripts: they can check and narrow, never approve."""

from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
import voluptuous as vol

from .const import DOMAIN
from .data import async_entry
from .problems import translated

VERIFY_LEDGER = "verify_ledger"


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


@translated
async def _async_verify_ledger(call: ServiceCall) -> ServiceResponse:
    """Recompute the whole log; says how long it is and where it is broken, if it is."""
    entry = async_entry(call.hass)
    if entry is None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="not_loaded")
    return await entry.runtime_data.queries.async_verify_ledger()
