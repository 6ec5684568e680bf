"""The phones that are registered with this Home Assistant, and sending to one of them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import slugify
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN, LOGGER
from .problems import async_clear, async_report

_DOUBLED: Final[HassKey[dict[str, frozenset[str]]]] = HassKey(f"{DOMAIN}_doubled_phones")


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone: its notify service, and the user whose it is."""

    service: str
    user_id: str


@callback
def async_phones(
    hass: HomeAssistant, purpose: str, wanted: Callable[[ConfigEntry], bool] = lambda _: True
) -> list[Phone]:
    """List the phones that are `wanted` and can be reached, without those that share a service.

    Two registrations of one name answer to one service: a push could reach the wrong person. A
    repair issue names them for as long as one `purpose` leaves them out.
    """
    entries = hass.config_entries.async_entries("mobile_app")
    named = [(f"mobile_app_{slugify(entry.data['device_name'])}", entry) for entry in entries]
    counts = Counter(service for service, _ in named)
    phones = [(service, entry) for service, entry in named if wanted(entry)]
    _report(
        hass,
        purpose,
        frozenset(entry.data["device_name"] for service, entry in phones if counts[service] > 1),
    )
    return [
        Phone(service, entry.data["user_id"])
        for service, entry in phones
        if counts[service] == 1 and hass.services.has_service("notify", service)
    ]


async def async_push(hass: HomeAssistant, phone: Phone, message: dict[str, Any]) -> bool:
    """Hand a message to the phone's push service; False where that failed, which is logged."""
    try:
        await hass.services.async_call("notify", phone.service, message, blocking=True)
    except Exception:
        # whatever a notify service raises: nothing else may hang on a push
        LOGGER.exception("A push through notify.%s failed", phone.service)
        return False
    return True


def _report(hass: HomeAssistant, purpose: str, names: frozenset[str]) -> None:
    doubled = hass.data.setdefault(_DOUBLED, {})
    doubled[purpose] = names
    if every := sorted(frozenset().union(*doubled.values())):
        async_report(hass, "phones_share_a_name", names=", ".join(every))
    else:
        async_clear(hass, "phones_share_a_name")
