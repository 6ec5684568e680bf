"""A phone with Home Assistant's companion app: registration, push gateway, taps on notifications.

No third party offers an app that runs here: the shapes follow the apps' public documentation and
Home Assistant's mobile_app integration; encrypted webhooks are PyNaCl's SecretBox, as in the apps.
"""

from collections.abc import Callable
from dataclasses import dataclass
import json
import secrets
from typing import Any, Final, Literal, Self

import aiohttp
from nacl.encoding import Base64Encoder
from nacl.secret import SecretBox

from .waiting import until
from .webserver import Reply, Request, WebServer

PATIENCE: Final = 20.0

type System = Literal["Android", "iOS"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One notification as the push gateway got it; RAW is its whole JSON body."""

    title: str | None
    message: str
    data: dict[str, Any]
    raw: dict[str, Any]

    def action(self, title: str) -> str:
        """Return the action key of the button that is labelled TITLE."""
        keys = {action["title"]: action["action"] for action in self.data.get("actions", [])}
        return str(keys[title])


class PhoneSimulator:
    """One person's phone: `pushes` is what arrived on it."""

    def __init__(
        self,
        home_assistant: str,
        *,
        name: str = "Pixel",
        system: System = "Android",
        encrypted: bool = False,
    ) -> None:
        """Prepare a phone for the Home Assistant at the URL HOME_ASSISTANT."""
        self.name = name
        self.pushes: list[Push] = []
        self.webhook_id = ""
        self._base = home_assistant.rstrip("/")
        self._system: System = system
        self._encrypted = encrypted
        self._secret = ""
        self._device = secrets.token_hex(8)
        self._gateway = WebServer()
        self._gateway.answers["/push"] = self._receive

    async def __aenter__(self) -> Self:
        """Open the push gateway."""
        await self._gateway.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self._gateway.stop()

    async def register(self, token: str) -> None:
        """Register the app with a user's access TOKEN: the phone is that user's from now on."""
        registration = {
            "app_id": "io.robbie.HomeAssistant" if self._is_ios else "io.homeassistant.companion",
            "app_name": "Home Assistant",
            "app_version": "2026.11.1",
            "device_id": self._device,
            "device_name": self.name,
            "manufacturer": "Apple" if self._is_ios else "Google",
            "model": "iPhone17,1" if self._is_ios else "Pixel 10",
            "os_name": self._system,
            "os_version": "17",
            "supports_encryption": self._encrypted,
            "app_data": {
                "push_token": secrets.token_hex(16),
                "push_url": self._gateway.url + "push",
            },
        }
        answer = await _post(self._base + "/api/mobile_app/registrations", registration, token)
        self.webhook_id = answer["webhook_id"]
        self._secret = answer.get("secret") or ""

    async def tap(self, push: Push, key: str) -> None:
        """Tap the action KEY of PUSH, as this phone's system reports it."""
        await self.fire(self._tapped(push, key))

    async def fire(self, event: dict[str, Any]) -> None:
        """Fire `mobile_app_notification_action` with any content, also without a push."""
        body = {"event_type": "mobile_app_notification_action", "event_data": event}
        await self._webhook({"type": "fire_event", "data": body})

    async def wait_for_push(
        self, wanted: Callable[[Push], bool] = lambda _: True, patience: float = PATIENCE
    ) -> Push:
        """Return the first push that is WANTED; raises TimeoutError after PATIENCE seconds."""
        return await until(lambda: next(filter(wanted, self.pushes), None), patience)

    @property
    def _is_ios(self) -> bool:
        return self._system == "iOS"

    def _tapped(self, push: Push, key: str) -> dict[str, Any]:
        if self._is_ios:
            # The iOS app tells neither tag nor device.
            return {"action": key}
        flat = {
            f"action_{number}_{field}": value
            for number, action in enumerate(push.data.get("actions", []), 1)
            for field, value in (("key", action["action"]), ("title", action["title"]))
        }
        plain = {name: value for name, value in push.data.items() if name != "actions"}
        told = {"message": push.message, "title": push.title, "device_id": self._device}
        return {**plain, **flat, **told, "action": key}

    async def _webhook(self, body: dict[str, Any]) -> None:
        url = f"{self._base}/api/webhook/{self.webhook_id}"
        await _post(url, self._sealed(body) if self._encrypted else body)

    def _sealed(self, body: dict[str, Any]) -> dict[str, Any]:
        box = SecretBox(bytes.fromhex(self._secret))
        data = box.encrypt(json.dumps(body["data"]).encode(), encoder=Base64Encoder)
        return {"type": body["type"], "encrypted": True, "encrypted_data": data.decode()}

    def _receive(self, request: Request) -> Reply:
        body = json.loads(request.body)
        self.pushes.append(
            Push(
                title=body.get("title"),
                message=body["message"],
                data=body.get("data") or {},
                raw=body,
            )
        )
        return Reply(status=201, body=b"{}", headers={"Content-Type": "application/json"})


async def _post(url: str, body: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers, raise_for_status=True) as session,
        session.post(url, json=body) as answer,
    ):
        content = await answer.read()
    told: dict[str, Any] = json.loads(content) if content.startswith(b"{") else {}
    return told
