"""Other integrations' entities as forms name them and as data keeps them.

A form shows entity ids; data keeps ids of the entity registry, which outlive a new name, and entity
ids only of what isn't registered.
"""

from collections.abc import Mapping
from typing import Any

from homeassistant.const import CONF_BASE, CONF_NAME
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .const import CONF_CAMERA, CONF_CAPTURE, CONF_MOTIONS, CONF_RINGS, DOMAIN
from .doorbell_forms import AnswerError
from .doorbells.candidates import Candidates
from .doorbells.source import Source


@callback
def async_chosen(hass: HomeAssistant, entity_id: str) -> str:
    """Return what data keeps of an entity."""
    entry = er.async_get(hass).async_get(entity_id)
    return entry.id if entry else entity_id


@callback
def async_present(hass: HomeAssistant, reference: str) -> str | None:
    """Return the entity id of what data keeps; None if it was removed or disabled."""
    source = Source(hass, reference, "ring")
    if source.missing or not (source.entry or source.state):
        return None
    return source.entity_id


@callback
def async_own_entities(hass: HomeAssistant) -> list[str]:
    """List Doorstep's own entities: a bell that listened to itself would never be silent."""
    return [
        entry.entity_id
        for entry in er.async_get(hass).entities.values()
        if entry.platform == DOMAIN
    ]


@callback
def async_sources(hass: HomeAssistant, camera: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Turn answers into data; AnswerError if nothing was chosen that could tell of anything."""
    rings, motions = answers.get(CONF_RINGS, []), answers.get(CONF_MOTIONS, [])
    if not rings and not motions:
        raise AnswerError(CONF_BASE, "no_source")
    return {
        CONF_CAMERA: async_chosen(hass, camera),
        CONF_RINGS: [async_chosen(hass, ring) for ring in rings],
        CONF_MOTIONS: [async_chosen(hass, motion) for motion in motions],
        CONF_CAPTURE: answers[CONF_CAPTURE],
    }


@callback
def async_present_sources(
    hass: HomeAssistant, name: str, data: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Turn data back into what a form shows, and the errors that say what of it is gone."""
    answers: dict[str, Any] = {CONF_NAME: name, CONF_CAPTURE: data[CONF_CAPTURE]}
    errors: dict[str, str] = {}
    for part in (CONF_RINGS, CONF_MOTIONS):
        found = [async_present(hass, reference) for reference in data.get(part, [])]
        answers[part] = [entity_id for entity_id in found if entity_id]
        if None in found:
            errors[part] = "source_gone"
    return answers, errors


def proposed(name: str, found: Candidates) -> dict[str, Any]:
    """Fill the form with what looks right; a NAME that people gave stays."""
    return {
        CONF_NAME: name or found.name,
        CONF_RINGS: found.default_rings,
        CONF_MOTIONS: found.default_motions,
        CONF_CAPTURE: found.capture,
    }
