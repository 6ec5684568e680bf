"""Which cameras can be adopted, and which of their device's entities tell of rings and motion.

Brands name and class them differently; what is offered here is a proposal that a person looks at.
No camera is asked for its stream: that would wake one that sleeps.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.camera import CameraEntityFeature, StreamType
from homeassistant.components.camera.helper import get_camera_from_entity_id
from homeassistant.components.sensor import SensorDeviceClass
from homeassistant.const import (
    ATTR_SUPPORTED_FEATURES,
    STATE_ON,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import CAPTURE_STILLS, CAPTURE_STREAM, DOMAIN
from .model import Capture
from .ranking import SURE_RINGS, motion_rank, ring_rank

type Why = Literal["battery", "no_stream"]

_SENSORS: Final = {Platform.BINARY_SENSOR, Platform.SENSOR}
_MAINS: Final = {
    BinarySensorDeviceClass.BATTERY_CHARGING,
    BinarySensorDeviceClass.PLUG,
    BinarySensorDeviceClass.POWER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What one camera can be adopted with: entity ids, the likeliest first.

    `why` says for which reason `capture` is "stills". By default any motion counts rather than only
    people, whom detectors overlook: a recording too many is deleted by itself.
    """

    name: str
    device_id: str | None
    rings: list[str]
    motions: list[str]
    default_rings: list[str]
    default_motions: list[str]
    capture: Capture
    why: Why | None


@callback
def cameras(hass: HomeAssistant, adopted: Collection[str] = ()) -> list[str]:
    """List entity ids of cameras that aren't Doorstep's and not among `adopted`.

    `adopted` holds ids of the entity registry or entity ids, as subentries do.
    """
    registry = er.async_get(hass)
    taken = {er.async_resolve_entity_id(registry, reference) for reference in adopted}
    return sorted(
        entity_id
        for entity_id in hass.states.async_entity_ids(Platform.CAMERA)
        if entity_id not in taken
        and ((entry := registry.async_get(entity_id)) is None or entry.platform != DOMAIN)
    )


@callback
def candidates(hass: HomeAssistant, camera_id: str) -> Candidates:
    """Look around the camera, given by its id of the entity registry or its entity id."""
    registry = er.async_get(hass)
    entity_id = er.async_resolve_entity_id(registry, camera_id) or camera_id
    entry = registry.async_get(entity_id)
    device_id = entry.device_id if entry else None
    rings: list[tuple[bool, int, str]] = []
    motions: list[tuple[bool, int, str]] = []
    for far, near, owners in _neighbours(hass, device_id):
        if (rank := ring_rank(near, owners)) is not None:
            rings.append((far, rank, near.entity_id))
        elif (rank := motion_rank(near, owners)) is not None:
            motions.append((far, rank, near.entity_id))
    rings.sort()
    motions.sort()
    why = _why_stills(hass, entity_id, device_id)
    return Candidates(
        name=_name(hass, entity_id, device_id),
        device_id=device_id,
        rings=[ring for _, _, ring in rings],
        motions=[motion for _, _, motion in motions],
        default_rings=[ring for far, rank, ring in rings if not far and rank < SURE_RINGS][:1],
        default_motions=[motion for far, _, motion in motions if not far][:1],
        capture=CAPTURE_STILLS if why else CAPTURE_STREAM,
        why=why,
    )


def _name(hass: HomeAssistant, entity_id: str, device_id: str | None) -> str:
    device = dr.async_get(hass).async_get(device_id) if device_id else None
    if device and (name := device.name_by_user or device.name):
        return name
    state = hass.states.get(entity_id)
    return state.name if state else entity_id


def _neighbours(
    hass: HomeAssistant, device_id: str | None
) -> Iterator[tuple[bool, er.RegistryEntry, list[str]]]:
    """Entities of the device, of its parts and, far off, of what it is a part of.

    Each comes with whether it is far, and the names of its device.
    """
    devices, entities = dr.async_get(hass), er.async_get(hass)
    if device_id is None or (device := devices.async_get(device_id)) is None:
        return
    parts = [
        part
        for part in devices.devices
        if part.via_device_id == device_id and not _is_camera(hass, part)
    ]
    above = getattr(device, "via_device_id", None) or getattr(device, "parent_device_id", None)
    near = [device, *parts, *dr.async_entries_for_parent_device(devices, device_id)]
    far = devices.async_get(above) if above else None
    for place in [*near, far] if far else near:
        owners = [name for name in (place.name_by_user, place.name) if name]
        for entry in er.async_entries_for_device(entities, place.id):
            if entry.platform != DOMAIN and entry.entity_category is None:
                yield place is far, entry, owners


def _is_camera(hass: HomeAssistant, device: dr.DeviceEntry) -> bool:
    """Whether it is a doorbell of its own, such as another channel of a recorder."""
    entries = er.async_entries_for_device(er.async_get(hass), device.id)
    return any(entry.domain == Platform.CAMERA for entry in entries)


def _why_stills(hass: HomeAssistant, entity_id: str, device_id: str | None) -> Why | None:
    if not _streams(hass, entity_id):
        return "no_stream"
    return "battery" if device_id and _on_battery(hass, device_id) else None


def _streams(hass: HomeAssistant, entity_id: str) -> bool:
    """Whether it has a stream that something other than a browser can read."""
    state = hass.states.get(entity_id)
    features = state.attributes.get(ATTR_SUPPORTED_FEATURES, 0) if state else 0
    if not features & CameraEntityFeature.STREAM:
        return False
    try:
        camera = get_camera_from_entity_id(hass, entity_id)
    except HomeAssistantError:
        return True
    return StreamType.HLS in camera.camera_capabilities.frontend_stream_types


def _on_battery(hass: HomeAssistant, device_id: str) -> bool:
    """Whether it has a battery that isn't being charged; a level it can't tell is no battery."""
    found = False
    registry = er.async_get(hass)
    for entry in er.async_entries_for_device(registry, device_id, include_disabled_entities=True):
        state = hass.states.get(entry.entity_id)
        device_class = entry.device_class or entry.original_device_class
        if entry.domain == Platform.BINARY_SENSOR and device_class in _MAINS:
            if state and state.state == STATE_ON:
                return False
        elif entry.domain in _SENSORS and device_class == SensorDeviceClass.BATTERY:
            found = found or state is None or state.state != STATE_UNKNOWN
    return found
