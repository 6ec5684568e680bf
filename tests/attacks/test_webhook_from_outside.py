"""Who is not at home rings no bell: not with a guessed id, and not with the right one either."""

from secrets import token_hex

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from ..doorbells.reporting import DATA, PATH, WEBHOOK_ID, Bell, listening

pytestmark = pytest.mark.usefixtures("socket_enabled")

NOTHING = (200, b"")


@pytest.fixture
async def bell(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Bell:
    return await listening(hass, hass_client_no_auth)


@pytest.mark.parametrize("where", ["8.8.8.8", "2001:4860:4860::8888", "100.128.0.1"])
@pytest.mark.parametrize("query", ["?event=ring", "?event=explode", ""])
async def test_a_caller_who_is_not_local(bell: Bell, where: str, query: str) -> None:
    """The answer is the one that an unknown id gets, whatever is asked."""
    for method, body in (("GET", b""), ("POST", b'{"event": "ring"}'), ("PUT", b"x" * 70_000)):
        headers = {"X-Forwarded-For": where}
        assert await bell.report(method, query, headers=headers, data=body) == (200, "")
    assert bell.heard == []
    assert bell.source.describe()["refused"] == 0


@pytest.mark.parametrize("where", ["192.168.1.20", "10.0.0.7", "127.0.0.1", "fd00::7", "fe80::1"])
async def test_a_caller_at_home(bell: Bell, where: str) -> None:
    assert (await bell.report(query="?event=ring", headers={"X-Forwarded-For": where}))[0] == 200
    assert bell.kinds == ["ring"]


async def test_a_forged_hop_does_not_make_a_caller_local(bell: Bell) -> None:
    headers = {"X-Forwarded-For": "192.168.1.20, 8.8.8.8"}
    assert await bell.report(query="?event=ring", headers=headers) == (200, "")
    assert bell.heard == []


async def test_ids_that_are_guessed(bell: Bell) -> None:
    """Near ones and random ones get one and the same answer, and do nothing."""
    near = [
        WEBHOOK_ID.upper(),
        WEBHOOK_ID[:-1],
        f"{WEBHOOK_ID}0",
        f"{WEBHOOK_ID[:-1]}3",
        f"{WEBHOOK_ID}%00",
        f"%20{WEBHOOK_ID}",
        "*",
        "front_door",
    ]
    for guess in (*near, *(token_hex(32) for _ in range(64))):
        async with bell.client.get(f"/api/webhook/{guess}?event=ring") as answer:
            assert (answer.status, await answer.read()) == NOTHING, guess
    assert bell.heard == []


async def test_the_name_opens_nothing_and_the_path_leads_nowhere_else(bell: Bell) -> None:
    for path in (
        f"{PATH}/ring?event=ring",
        f"{PATH}/..%2fx?event=ring",
        "/api/webhook/?event=ring",
    ):
        async with bell.client.get(path) as answer:
            assert answer.status in {400, 404}
    assert bell.heard == []


async def test_an_id_that_was_rotated_is_dead(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    old = await listening(hass, hass_client_no_auth)
    old.source.async_stop()
    new = await listening(hass, hass_client_no_auth, DATA | {"webhook_id": token_hex(32)})
    assert await old.report(query="?event=ring") == (200, "")
    assert old.heard == new.heard == []
