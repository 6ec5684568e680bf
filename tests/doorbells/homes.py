"""Homes with doorbells as subentries, without the flow: for what happens after it."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.auth.models import User
from homeassistant.config_entries import ConfigSubentry, ConfigSubentryDataWithId
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from ..homes import Home

NOWHERE: Final = "rtsp://127.0.0.1:1/door"
"""A camera that is away: connections are refused at once."""


def direct(name: str = "Front door", **data: object) -> ConfigSubentryDataWithId:
    """A direct doorbell, away unless it gets a `url`; its id and its webhook follow its name."""
    key = name.lower().replace(" ", "_")
    return ConfigSubentryDataWithId(
        data={"url": NOWHERE, "webhook_id": f"hook-{key}", **data},
        subentry_id=f"bell_{key}",
        subentry_type="doorbell",
        title=name,
        unique_id=None,
    )


def adopted(name: str = "Front door", **data: object) -> ConfigSubentryDataWithId:
    """A doorbell made of entities; `camera`, `rings` and `motions` as the flow stores them."""
    wiring: dict[str, Any] = {"kind": "adopted", "rings": [], "motions": [], "capture": "stream"}
    return ConfigSubentryDataWithId(
        data={**wiring, **data},
        subentry_id=f"bell_{name.lower().replace(' ', '_')}",
        subentry_type="doorbell",
        title=name,
        unique_id=str(data["camera"]),
    )


def devices(hass: HomeAssistant, entry: MockConfigEntry) -> list[dr.DeviceEntry]:
    """All devices of doorbells that are Doorstep's own; the household's sensors have another."""
    found = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return [one for one in found if one.entry_type is not dr.DeviceEntryType.SERVICE]


def entities(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, er.RegistryEntry]:
    """All entities of doorbells."""
    found = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    return {one.entity_id: one for one in found if one.config_subentry_id}


async def set_up(
    home: Home, *doorbells: ConfigSubentryDataWithId, approver: User | None = None
) -> MockConfigEntry:
    """Start a household with these doorbells."""
    entry = MockConfigEntry(
        domain="doorstep",
        title="Doorstep",
        data={"library": str(home.library), "approvers": [approver.id] if approver else []},
        subentries_data=list(doorbells),
    )
    entry.add_to_hass(home.hass)
    assert await home.hass.config_entries.async_setup(entry.entry_id)
    await home.hass.async_block_till_done()
    home.entries.append(entry.entry_id)
    return entry


async def change(hass: HomeAssistant, entry: MockConfigEntry, name: str, **data: object) -> None:
    """Change a doorbell's data, as its reconfigure flow does at the end."""
    subentry = find(entry, name)
    merged: Mapping[str, object] = {**subentry.data, **data}
    hass.config_entries.async_update_subentry(entry, subentry, data=merged)
    await hass.async_block_till_done()


def find(entry: MockConfigEntry, name: str) -> ConfigSubentry:
    """Return the doorbell's subentry."""
    subentries: list[ConfigSubentry] = list(entry.subentries.values())
    return next(subentry for subentry in subentries if subentry.title == name)
