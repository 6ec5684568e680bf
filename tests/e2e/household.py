"""A household with Doorstep set up as its owner would do it, and the world around it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from scripts.children import free_port
from scripts.house import HomeAssistant

from ..simulators.agency import AgencySimulator
from ..simulators.doorbell import DoorbellSimulator
from ..simulators.waiting import until, until_told

OWNER: Final = "owner"
PASSWORD: Final = "correct horse battery staple"
CAMERA_PASSWORD: Final = "s3cret-c4mera"
HOOK: Final = Path(__file__).with_name("hook")
# Home Assistant itself "connects" UDP sockets to the last two to learn its own address, and sends
# nothing on them.
HERE: Final = {"127.0.0.1", "localhost", "None", "224.0.0.251", "8.8.8.8"}
SUBENTRIES: Final = "/api/config/config_entries/subentries/flow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """Everything a story needs; LIBRARY is the folder that clips lie in."""

    home: HomeAssistant
    doorbell: DoorbellSimulator
    agency: AgencySimulator
    entry_id: str
    webhook: str
    library: Path

    async def ring(self) -> None:
        """Press the bell and see that Home Assistant took it."""
        assert await self.doorbell.press(self.webhook) == 200

    async def sealed_clip(self) -> Path:
        """Wait for the newest clip to be closed; return its video file."""

        def newest() -> Path | None:
            return max(self.library.rglob("*.mp4"), default=None)

        return await until(newest, patience=60)

    async def listed_day(self, clip: Path) -> str:
        """Wait until the media browser lists the clip; return the day it lists it under.

        Folders are named for days in UTC; people see days as their home counts them.
        """
        folder = clip.parent.parent.name
        days = await until_told(lambda: self._browse(folder), patience=30)
        return str(days[0]["title"])

    async def _browse(self, path: str) -> list[dict[str, Any]]:
        shown = await self.home.command(
            "media_source/browse_media", media_content_id=f"media-source://doorstep/{path}"
        )
        children: list[dict[str, Any]] = shown["children"]
        return children

    async def follow_feed(self) -> dict[str, Any]:
        """Add the agency's feed; return the last form, which says who runs it."""
        shown = await self.begin("feed", {"url": self.agency.feed_url})
        assert shown["step_id"] == "confirm", shown
        await self.finish(shown)
        return shown

    async def shows(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until the owner's panel shows what is WANTED; return all that it shows."""
        return await shows(self.home, wanted)

    async def begin(self, kind: str, answers: Mapping[str, object]) -> dict[str, Any]:
        """Answer the first form of a subentry flow; return what comes next."""
        return await begin(self.home, self.entry_id, kind, answers)

    async def finish(self, step: Mapping[str, Any]) -> None:
        """Confirm a subentry flow to its end."""
        await finish(self.home, step)


@asynccontextmanager
async def household(
    folder: Path, *, noisy: bool = False, yaml: str = ""
) -> AsyncIterator[Household]:
    """Boot and set up everything in FOLDER, with more YAML if need be; end it all afterwards."""
    config, library = folder / "config", folder / "library"
    config.mkdir(parents=True)
    egress = folder / "egress"
    env = {"DOORSTEP_TEST_MODE": "1", "DOORSTEP_EGRESS": str(egress), "PYTHONPATH": str(HOOK)}
    home = HomeAssistant(config, port=free_port(), env=env)
    home.yaml += yaml
    doorbell = DoorbellSimulator(
        folder / "doorbell", user="door", password=CAMERA_PASSWORD, noisy=noisy
    )
    async with AgencySimulator(folder / "agency") as agency, doorbell, home:
        await home.onboard(OWNER, PASSWORD)
        created = await home.flow("doorstep", {"library": str(library)}, {})
        entry_id = created["result"]["entry_id"]
        webhook = await _add_doorbell(home, entry_id, doorbell)
        yield Household(
            home=home,
            doorbell=doorbell,
            agency=agency,
            entry_id=entry_id,
            webhook=webhook,
            library=library,
        )
        check_silence(config / "console.log", CAMERA_PASSWORD)
        check_egress(egress, CAMERA_PASSWORD)


def check_silence(log: Path, *secrets: str) -> None:
    """See that nothing failed, and that the SECRETS are in no log and no command line."""
    text = log.read_text()
    assert " ERROR " not in text, text
    assert not [secret for secret in secrets if secret in text]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = process.read_bytes()
            assert not [secret for secret in secrets if secret.encode() in command]


def check_egress(ledger: Path, *secrets: str) -> None:
    """See that Home Assistant itself reached nothing but this machine, and no secret with it."""
    heard = set(ledger.read_text().splitlines())
    children = {line for line in heard if line.startswith("start ")}
    assert children, "the hook did not run"
    assert not [line for line in children for secret in secrets if secret in line]
    assert {line for line in heard - children if line.split()[-1] not in HERE} == set()


async def shows(home: HomeAssistant, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Subscribe as the panel does; return the first snapshot that is WANTED."""
    url = f"{home.url}/api/websocket"
    async with (
        asyncio.timeout(30),
        aiohttp.ClientSession() as session,
        session.ws_connect(url) as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": home.token})
        await socket.receive_json()
        await socket.send_json({"id": 1, "type": "doorstep/subscribe"})
        while True:
            told = await socket.receive_json()
            assert told.get("success", True), told
            if told["type"] == "event" and wanted(told["event"]):
                event: dict[str, Any] = told["event"]
                return event


async def begin(
    home: HomeAssistant, entry_id: str, kind: str, answers: Mapping[str, object]
) -> dict[str, Any]:
    """Start a subentry flow and answer its first form; return what comes next."""
    step = await home.api("POST", SUBENTRIES, {"handler": [entry_id, kind]})
    path = f"{SUBENTRIES}/{step['flow_id']}"
    if step["type"] == "menu":
        await home.api("POST", path, {"next_step_id": "direct"})
    answered: dict[str, Any] = await home.api("POST", path, answers)
    return answered


async def finish(
    home: HomeAssistant, step: Mapping[str, Any], **answers: Mapping[str, object]
) -> None:
    """Confirm the forms of a subentry flow to its end, with ANSWERS to single ones by step."""
    while step["type"] == "form":
        answer = answers.get(step["step_id"], {})
        step = await home.api("POST", f"{SUBENTRIES}/{step['flow_id']}", answer)
    assert step["type"] == "create_entry", step


async def _add_doorbell(home: HomeAssistant, entry_id: str, doorbell: DoorbellSimulator) -> str:
    """Add the doorbell and wait until it records; return the webhook that it must call."""
    answers = {
        "name": "Front door",
        "url": doorbell.url,
        "username": doorbell.user,
        "password": doorbell.password,
    }
    shown = await begin(home, entry_id, "doorbell", answers)
    assert shown["step_id"] == "webhook", shown
    await finish(home, shown, options={"audio": True})
    return str(shown["description_placeholders"]["url"])
