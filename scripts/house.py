"""A house to try things in: a real Home Assistant on loopback, started and stopped by its user.

`scripts/develop` and the end-to-end tests boot the same parts:

    async with HomeAssistant(folder, port=8123) as home:
        await home.onboard("owner", "a long password")
        entry = await home.flow("doorstep", {})
        await home.subentry_flow(entry["result"]["entry_id"], "doorbell", {"url": ...})
        states = await home.api("GET", "/api/states")
        user = await home.command("auth/current_user")

    async with Doorbell(folder, port=free_port()) as bell:      # doorbell.py
        bell.url, bell.user, bell.password

Everything listens on 127.0.0.1 only, logs into its own folder, and ends with the process group it
was started in. Nothing here knows the agency or the tests.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
import json
from pathlib import Path
from typing import Any, Final, Self

import aiohttp

from .children import LOOPBACK, ROOT, Child, HouseError, wait_for_port

VENV_PYTHON: Final = ROOT / ".venv-ha" / "bin" / "python"


class HomeAssistant:
    """A Home Assistant of its own in CONFIG, reached as its owner over HTTP and WebSocket."""

    def __init__(
        self,
        config: Path,
        *,
        port: int,
        python: Path = VENV_PYTHON,
        env: Mapping[str, str] | None = None,
        home: tuple[float, float] = (52.3731, 4.8922),
    ) -> None:
        """Prepare to run it. HOME is latitude and longitude; `yaml` may still be changed."""
        self.config = config
        self.url = f"http://{LOOPBACK}:{port}"
        self.token: str | None = None
        self.port = port
        self.yaml = YAML.format(url=self.url, latitude=home[0], longitude=home[1])
        self._session: aiohttp.ClientSession | None = None
        command = [str(python), "-m", "homeassistant", "--skip-pip", "-c", str(config)]
        self.child = Child("Home Assistant", command, config / "console.log", env)

    async def __aenter__(self) -> Self:
        """Start it and wait until it answers."""
        try:
            await self.start()
            await self.wait_ready()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        await self.stop()

    async def start(self) -> None:
        """Start the process; what its configuration folder lacks is written first."""
        await asyncio.to_thread(self._prepare)
        await self.child.start()

    async def stop(self) -> None:
        """End it as an operating system would: SIGTERM first."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        await self.child.stop()

    async def wait_ready(self, patience: float = 60) -> None:
        """Wait until it answers HTTP and, once we have a token, until it says RUNNING."""
        await wait_for_port(self.child, self.port, patience)
        async with asyncio.timeout(patience):
            while not await self._ready():
                self.child.check()
                await asyncio.sleep(0.1)

    async def onboard(self, user: str, password: str, name: str = "Owner") -> str:
        """Create the owner of a fresh installation; return an access token (30 minutes)."""
        person = {"client_id": f"{self.url}/", "name": name, "username": user}
        answer = await self.api(
            "POST", "/api/onboarding/users", {**person, "password": password, "language": "en"}
        )
        return await self._take_token(answer["auth_code"])

    async def log_in(self, user: str, password: str) -> str:
        """Log in as a user who exists; return an access token of type `normal` (30 minutes)."""
        flow = await self.api(
            "POST",
            "/auth/login_flow",
            {
                "client_id": f"{self.url}/",
                "handler": ["homeassistant", None],
                "redirect_uri": f"{self.url}/",
            },
        )
        answer = await self.api(
            "POST",
            f"/auth/login_flow/{flow['flow_id']}",
            {"client_id": f"{self.url}/", "username": user, "password": password},
        )
        if answer["type"] != "create_entry":
            raise HouseError(f"Home Assistant refused the log-in of {user}: {answer.get('errors')}")
        return await self._take_token(answer["result"])

    async def api(self, method: str, path: str, body: object = None) -> Any:
        """Send one request as the owner; return the JSON (or text) of a 2xx answer."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        call = self._http().request(method, self.url + path, json=body, headers=headers)
        async with call as answer:
            text = await answer.text()
            if not answer.ok:
                raise HouseError(f"{method} {path}: HTTP {answer.status}: {text[:500]}")
            return json.loads(text) if "json" in answer.content_type else text

    async def command(self, kind: str, **fields: object) -> Any:
        """Send one WebSocket command on a connection of its own; return its result."""
        async with self._http().ws_connect(f"{self.url}/api/websocket") as socket_:
            await socket_.receive_json()
            await socket_.send_json({"type": "auth", "access_token": self.token})
            await socket_.receive_json()
            await socket_.send_json({"id": 1, "type": kind, **fields})
            answer = await socket_.receive_json()
        if not answer["success"]:
            raise HouseError(f"{kind}: {answer['error']}")
        return answer["result"]

    async def flow(self, handler: str, *answers: Mapping[str, object]) -> dict[str, Any]:
        """Walk a config flow, one answer a step; return what it ends with (create_entry).

        `placeholders` in the result are what the forms on the way told, e.g. a webhook's URL.
        """
        return await self._walk("/api/config/config_entries/flow", handler, answers)

    async def subentry_flow(
        self, entry_id: str, kind: str, *answers: Mapping[str, object]
    ) -> dict[str, Any]:
        """Walk a subentry flow of an entry likewise."""
        path = "/api/config/config_entries/subentries/flow"
        return await self._walk(path, [entry_id, kind], answers)

    async def _walk(
        self, path: str, handler: object, answers: tuple[Mapping[str, object], ...]
    ) -> dict[str, Any]:
        step = await self.api("POST", path, {"handler": handler})
        told: dict[str, Any] = {}
        for answer in answers:
            told |= step.get("description_placeholders") or {}
            step = await self.api("POST", f"{path}/{step['flow_id']}", answer)
            while step["type"] in {"progress", "progress_done"}:
                await asyncio.sleep(0.1)
                step = await self.api("GET", f"{path}/{step['flow_id']}")
            if step.get("errors"):
                break
        if step["type"] != "create_entry":
            where = {key: step.get(key) for key in ("type", "step_id", "errors", "reason")}
            raise HouseError(f"the flow {handler} did not end with an entry: {where}")
        return {**step, "placeholders": told}

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))
        return self._session

    async def _ready(self) -> bool:
        try:
            async with self._http().get(f"{self.url}/manifest.json") as answer:
                if not answer.ok:
                    return False
            if self.token is None:
                return True
            config = await self.api("GET", "/api/config")
        except aiohttp.ClientError:
            return False
        return bool(config["state"] == "RUNNING")

    async def _take_token(self, code: str) -> str:
        form = {"grant_type": "authorization_code", "code": code, "client_id": f"{self.url}/"}
        async with self._http().post(f"{self.url}/auth/token", data=form) as answer:
            answer.raise_for_status()
            self.token = str((await answer.json())["access_token"])
        if self.child.running:
            await self.wait_ready()
        return self.token

    def _prepare(self) -> None:
        storage = self.config / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        (self.config / "configuration.yaml").write_text(self.yaml)
        for key, (version, minor, data) in seeds(self.port).items():
            file = storage / key
            if key == "http" or not file.exists():
                stored = {"version": version, "minor_version": minor, "key": key, "data": data}
                file.write_text(json.dumps(stored))
        link = self.config / "custom_components" / "doorstep"
        link.parent.mkdir(exist_ok=True)
        if not link.exists():
            link.symlink_to(ROOT / "custom_components" / "doorstep")


# default_config would ask the network for much (mDNS, SSDP, reverse look-ups of the whole
# subnet); this is the quiet part of it that a doorbell needs.
YAML: Final = """\
homeassistant:
  name: Home
  latitude: {latitude}
  longitude: {longitude}
  elevation: 0
  unit_system: metric
  time_zone: Europe/Amsterdam
  internal_url: {url}
  external_url: {url}
frontend:
config:
media_source:
mobile_app:
stream:
ffmpeg:
webhook:
logger:
  default: warning
  logs:
    custom_components.doorstep: debug
"""


def seeds(port: int) -> dict[str, tuple[int, int, object]]:
    """Return what .storage must hold before the first start: key -> (version, minor, data).

    Without `http` the port would be a pending trial that reverts after five minutes, without
    `onboarding` its later steps would set up cloud integrations, and without a disabled
    `marketplace` entry each start would ask a server on the internet.
    """
    now = datetime.now(UTC).isoformat()
    http = {
        "server_host": [LOOPBACK],
        "server_port": port,
        "cors_allowed_origins": [],
        "login_attempts_threshold": -1,
        "ip_ban_enabled": True,
        "ssl_profile": "intermediate_v6",
        "use_x_frame_options": True,
        "created_at": now,
        "error": None,
        "error_message": None,
    }
    marketplace = {
        "created_at": now,
        "data": {},
        "discovery_keys": {},
        "disabled_by": "user",
        "domain": "marketplace",
        "entry_id": "0" * 26,
        "minor_version": 1,
        "modified_at": now,
        "options": {},
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
        "source": "system",
        "subentries": [],
        "title": "Marketplace",
        "unique_id": None,
        "version": 1,
    }
    return {
        "http": (3, 1, {"stable": http, "pending": None, "yaml_migration_done": True}),
        "onboarding": (4, 1, {"done": ["core_config", "analytics", "integration"]}),
        "core.config_entries": (1, 5, {"entries": [marketplace]}),
    }
