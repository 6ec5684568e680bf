"""Passwords and webhook ids that were planted in two doorbells: they turn up nowhere."""

from functools import partial
from http import HTTPStatus
import json
import logging
from pathlib import Path
from typing import Final

from homeassistant.components.camera import Camera, CameraEntityFeature
from homeassistant.components.diagnostics import DOMAIN as DIAGNOSTICS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    setup_test_component_platform,
)
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from ..doorbells.homes import adopted, direct, set_up
from ..homes import Home, prepare
from ..simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")

PASSWORD: Final = "planted-p4ssw0rd"
HOOK: Final = "planted-hook-" + "0" * 51
STREAM: Final = "planted-5tream"
PLACE: Final = "behind the planted oak"
SECRETS: Final = (PASSWORD, HOOK, STREAM, PLACE, "planted", "rtsp://")


class Eye(Camera):
    """Another integration's camera, whose stream has a password in its address."""

    _attr_name = "Eye"
    _attr_unique_id = "eye"
    _attr_supported_features = CameraEntityFeature.STREAM

    async def stream_source(self) -> str:
        return f"rtsp://door:{STREAM}@127.0.0.1:1/eye"


@pytest.fixture
async def home(hass: HomeAssistant, hass_client: ClientSessionGenerator, tmp_path: Path) -> Home:
    """A household with a direct and an adopted doorbell whose cameras are away."""
    setup_test_component_platform(hass, "camera", [Eye()])
    assert await async_setup_component(hass, "camera", {"camera": {"platform": "test"}})
    home = await prepare(hass, hass_client, tmp_path / "library")
    await set_up(
        home,
        direct(
            username="door",
            password=PASSWORD,
            snapshot_url="http://127.0.0.1:1/planted.jpg",
            webhook_id=HOOK,
            placement=PLACE,
            latitude=12.345678,
            longitude=23.456789,
        ),
        adopted("Back door", camera="camera.eye"),
    )
    return home


async def live(home: Home) -> None:
    """Ring, be private, try it, look at it: all that could spill something."""
    answer = await home.client.get(f"/api/webhook/{HOOK}", params={"event": "ring"})
    assert answer.status == HTTPStatus.OK
    await home.client.post(f"/api/webhook/{HOOK}", data=b"nonsense")
    for action, entity_id in (
        ("button.press", "button.front_door_test"),
        ("button.press", "button.back_door_test"),
        ("camera.turn_off", "camera.front_door"),
        ("camera.turn_on", "camera.front_door"),
    ):
        domain, service = action.split(".")
        await home.hass.services.async_call(
            domain, service, {"entity_id": entity_id}, blocking=True
        )
    for name in ("front_door", "back_door"):
        recording = f"sensor.{name}_recording"
        await until(partial(home.hass.states.is_state, recording, "failed"))
    await home.client.get("/api/camera_proxy/camera.front_door")


async def test_nothing_planted_is_told(
    home: Home, hass_client: ClientSessionGenerator, caplog: pytest.LogCaptureFixture
) -> None:
    hass = home.hass
    with caplog.at_level(logging.DEBUG, logger="custom_components.doorstep"):
        await live(home)
        entry = hass.config_entries.async_get_known_entry(home.entry_id)
        assert isinstance(entry, MockConfigEntry)
        diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, entry)
        assert await hass.config_entries.async_reload(home.entry_id)
        await hass.async_block_till_done()
    logged = [one for one in caplog.records if one.name.startswith("custom_components.doorstep")]
    told = {
        DIAGNOSTICS: json.dumps(diagnostics),
        "states": str([state.as_dict() for state in hass.states.async_all()]),
        "logs": "\n".join(caplog.handler.format(record) for record in logged),
        "issues": str(list(ir.async_get(hass).issues.values())),
        "devices": str(dr.async_entries_for_config_entry(dr.async_get(hass), home.entry_id)),
        "notifications": str(hass.data.get("persistent_notification")),
    }
    found = {place: [one for one in SECRETS if one in text] for place, text in told.items()}
    assert found == {place: [] for place in told}
    assert "12.34" not in told[DIAGNOSTICS]
    assert "23.45" not in told[DIAGNOSTICS]
    kinds = [(bell["kind"], bell["capture"]) for bell in diagnostics["doorbells"]]
    assert kinds == [("direct", "stream"), ("adopted", "stream")]
    front, back = diagnostics["doorbells"]
    assert front["last"]["ring"]["test"] is True
    assert front["heard"] == {"ring": 2}
    assert front["transport"]["refused"] == 1
    assert front["settings"] == {
        "pre_roll": 10.0,
        "post_roll": 20.0,
        "audio": False,
        "indoor": False,
    }
    assert (back["private"], back["lost"], back["dropped"]) == (False, False, 0)
