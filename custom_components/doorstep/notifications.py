"""Telling the approvers: phones, and the bell in Home Assistant's own sidebar.

Pushes pass Google's or Apple's servers in the clear, so they carry a random handle and nothing of
the case. A tap comes back through a webhook that checks no login: it counts only with a nonce that
was made for that person, that request and that action, once.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
import secrets
from typing import Any, Final

from homeassistant.components import persistent_notification
from homeassistant.core import CALLBACK_TYPE, Event, EventOrigin, HomeAssistant, callback
from homeassistant.util import dt as dt_util

from .approvers import Approvers
from .const import DOMAIN, LOGGER, PANEL_PATH
from .errors import DoorstepError
from .inbox.values import Actor
from .phones import Phone, async_phones, async_push
from .texts import async_texts

EVENT_ACTION: Final = "mobile_app_notification_action"
DECLINE: Final = "DOORSTEP_DECLINE_"
_NOTIFICATION: Final = f"{DOMAIN}_requests"
_NONCE_BYTES: Final = 16

type Decline = Callable[[str, Actor], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Nonce:
    """What one button on one person's phones may do; only the nonce's hash is kept."""

    digest: bytes
    handle: str
    user_id: str


class Notifier:
    """Sends, replaces and clears notifications, and hears the taps on them."""

    def __init__(self, hass: HomeAssistant, approvers: Approvers, decline: Decline) -> None:
        """Tell `approvers`; a good tap on Decline calls `decline`."""
        self._hass = hass
        self._approvers = approvers
        self._decline = decline
        self._nonces: list[Nonce] = []
        self._waiting = 0

    @callback
    def async_listen(self) -> CALLBACK_TYPE:
        """Hear taps until the returned function is called."""
        return self._hass.bus.async_listen(EVENT_ACTION, self._async_tapped)

    async def async_ask(self, handle: str, expires_at: datetime) -> None:
        """Tell every approver's phones that a request waits; those told already are left alone."""
        if any(nonce.handle == handle for nonce in self._nonces):
            return
        when = dt_util.as_local(expires_at).strftime("%Y-%m-%d %H:%M")
        for phone in self._phones():
            nonce = secrets.token_urlsafe(_NONCE_BYTES)
            self._nonces.append(Nonce(_digest(nonce), handle, phone.user_id))
            await async_push(
                self._hass,
                phone,
                {
                    "title": self._text("push_title"),
                    "message": self._text("push_request", when=when),
                    "data": self._buttons(handle, nonce),
                },
            )

    async def async_clear(self, handle: str) -> None:
        """Take a request's notification off every phone; its buttons are dead from now on."""
        self._forget(handle)
        clear = {"message": "clear_notification", "data": {"tag": _tag(handle)}}
        for phone in self._phones():
            await async_push(self._hass, phone, clear)

    @callback
    def async_show_waiting(self, count: int) -> None:
        """Show in Home Assistant that requests wait, to everybody: so nothing but that.

        Who has dismissed it sees it again only when the number changes.
        """
        if count == self._waiting:
            return
        self._waiting = count
        if not count:
            persistent_notification.async_dismiss(self._hass, _NOTIFICATION)
            return
        persistent_notification.async_create(
            self._hass,
            self._text("waiting_message", path=f"/{PANEL_PATH}"),
            self._text("push_title"),
            _NOTIFICATION,
        )

    def _buttons(self, handle: str, nonce: str) -> dict[str, Any]:
        path = f"/{PANEL_PATH}/request/{handle}"
        return {
            "tag": _tag(handle),
            "group": DOMAIN,
            "url": path,
            "clickAction": path,
            "actions": [
                {"action": "URI", "title": self._text("push_review"), "uri": path},
                {"action": "URI", "title": self._text("push_approve"), "uri": f"{path}?confirm=1"},
                {
                    "action": f"{DECLINE}{nonce}",
                    "title": self._text("push_decline"),
                    "authenticationRequired": True,
                    "destructive": True,
                },
            ],
        }

    def _phones(self) -> list[Phone]:
        """Each approver's phones."""
        approvers = self._approvers.user_ids
        return async_phones(
            self._hass, "requests", lambda entry: entry.data.get("user_id") in approvers
        )

    @callback
    def _async_tapped(self, event: Event[dict[str, Any]]) -> None:
        action = event.data.get("action")
        if not isinstance(action, str) or not action.startswith(DECLINE):
            return
        nonce = self._take(action.removeprefix(DECLINE), event)
        if nonce is None:
            LOGGER.warning("A tap on a Doorstep notification was refused")
            return
        self._hass.async_create_task(
            self._async_decline(nonce), f"{DOMAIN} decline by phone", eager_start=True
        )

    def _take(self, text: str, event: Event[dict[str, Any]]) -> Nonce | None:
        """Use up the nonce of a tap, if it is one of ours and its person's who tapped."""
        if event.origin is not EventOrigin.remote or event.context.user_id is None:
            return None
        digest = _digest(text)
        matches = [nonce for nonce in self._nonces if compare_digest(nonce.digest, digest)]
        for nonce in matches:
            if nonce.user_id == event.context.user_id and nonce.user_id in self._approvers.user_ids:
                self._nonces.remove(nonce)
                return nonce
        return None

    async def _async_decline(self, nonce: Nonce) -> None:
        user = await self._hass.auth.async_get_user(nonce.user_id)
        if not self._approvers.includes(user):
            return
        try:
            await self._decline(nonce.handle, Actor(nonce.user_id, "phone"))
        except DoorstepError as error:
            LOGGER.warning("Declining by phone failed: %s", error.key)

    def _forget(self, handle: str) -> None:
        self._nonces = [nonce for nonce in self._nonces if nonce.handle != handle]

    def _text(self, key: str, **placeholders: str) -> str:
        return async_texts(self._hass)[key].format(**placeholders)


def _digest(nonce: str) -> bytes:
    return sha256(nonce.encode()).digest()


def _tag(handle: str) -> str:
    return f"{DOMAIN}_{handle}"
