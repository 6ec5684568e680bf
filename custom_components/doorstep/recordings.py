"""Recording by hand: what the button and the action `doorstep.record` have in common."""

from collections.abc import Iterable

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import HomeAssistant, ServiceCall, callback
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from .const import DOMAIN
from .doorbells.doorbell import Doorbell
from .doorbells.manager import Doorbells
from .errors import CameraError
from .texts import reason_text


@callback
def async_record(hass: HomeAssistant, doorbell: Doorbell, seconds: float | None = None) -> str:
    """Record; the id of the clip. An error says why that can't be."""
    async_refuse_private((doorbell,))
    try:
        return doorbell.async_record(seconds)
    except CameraError as error:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="record_failed",
            translation_placeholders={
                "name": doorbell.name,
                "reason": reason_text(hass, error.key),
            },
        ) from error


@callback
def async_refuse_private(doorbells: Iterable[Doorbell]) -> None:
    """Say which one is private, if one is: ServiceValidationError."""
    for doorbell in doorbells:
        if doorbell.private:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="record_private",
                translation_placeholders={"name": doorbell.name},
            )


async def async_targets(call: ServiceCall, doorbells: Doorbells) -> list[Doorbell]:
    """Find the doorbells of an action's target: their entities, devices, areas or labels.

    None among them: ServiceValidationError; one that the user may not control: Unauthorized.
    """
    selected = async_extract_referenced_entity_ids(call.hass, TargetSelection(call.data))
    registry, found = er.async_get(call.hass), dict[str, Doorbell]()
    for entity_id in sorted(selected.referenced | selected.indirectly_referenced):
        entry = registry.async_get(entity_id)
        if entry is None or entry.platform != DOMAIN:
            continue
        if doorbell := doorbells.get(str(entry.config_subentry_id)):
            await _async_permit(call, entity_id)
            found[doorbell.id] = doorbell
    if not found:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="record_nothing")
    return list(found.values())


async def _async_permit(call: ServiceCall, entity_id: str) -> None:
    """Let automations, and users who may control the entity."""
    if call.context.user_id is None:
        return
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)
    if not user.permissions.check_entity(entity_id, POLICY_CONTROL):
        raise Unauthorized(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)
