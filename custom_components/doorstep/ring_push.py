"""A ring on every phone of the home: text at once, the picture of that moment when it is there.

What is pushed passes Google's or Apple's servers: it holds the doorbell's name and a path, no more.
The phone's app fetches the picture from Home Assistant itself.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final

from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.components.image import DOMAIN as IMAGE_DOMAIN
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import CONF_CAMERA, DOMAIN
from .data import DoorstepConfigEntry
from .doorbells.doorbell import Doorbell
from .doorbells.manager import Doorbells
from .doorbells.model import DoorbellEvent
from .doorbells.switches import RING_NOTIFICATIONS
from .entity import unique_id
from .phones import Phone, async_phones, async_push
from .texts import async_texts

PURPOSE: Final = "rings"
_QUIET: Final = timedelta(seconds=2)  # a press so soon after another changes only the picture
_PICTURE: Final = 15.0  # seconds to wait for the picture


@dataclass(frozen=True, slots=True)
class Pushed:
    """The text of a ring was handed over for `sent` phones, and could not be for `failed`."""

    ring: DoorbellEvent
    sent: int
    failed: int


@dataclass(eq=False, slots=True)
class _Ring:
    """One ring on its way to the phones."""

    event: DoorbellEvent
    phones: int
    frozen: asyncio.Event = field(default_factory=asyncio.Event)
    told: list[bool] = field(default_factory=list)


def pushed_signal(doorbell: Doorbell) -> str:
    """Return the dispatcher signal that carries `Pushed` once every phone was told of a ring."""
    return f"{DOMAIN}_pushed_{doorbell.id}"


class RingPush:
    """Pushes each ring while its doorbell's switch is on; phones don't wait for each other."""

    def __init__(
        self, hass: HomeAssistant, entry: DoorstepConfigEntry, doorbells: Doorbells
    ) -> None:
        """Push for the doorbells of the household `entry`, until it is unloaded."""
        self._hass = hass
        self._entry = entry
        self._doorbells = doorbells
        self._newest: dict[str, _Ring] = {}

    @callback
    def async_attend(self, doorbell: Doorbell) -> None:
        """Listen to a doorbell for as long as there is one."""
        doorbell.async_subscribe(partial(self._async_heard, doorbell))

    @callback
    def _async_heard(self, doorbell: Doorbell, event: DoorbellEvent) -> None:
        if event.kind == "ring" and self._doorbells.async_is_on(doorbell, RING_NOTIFICATIONS):
            self._async_ring(doorbell, event)
        elif event.kind == "picture" and event.cause == "ring":
            ring = self._newest.get(doorbell.id)
            if ring and ring.event.clip == event.clip and ring.event.at <= event.at:
                ring.frozen.set()

    @callback
    def _async_ring(self, doorbell: Doorbell, event: DoorbellEvent) -> None:
        phones = async_phones(self._hass, PURPOSE)
        before, ring = self._newest.get(doorbell.id), _Ring(event, len(phones))
        self._newest[doorbell.id] = ring
        if before:
            # whoever waits for its picture needn't
            before.frozen.set()
        again = (
            before is not None
            and before.event.test == event.test
            and abs(event.at - before.event.at) < _QUIET
        )
        for phone in phones:
            self._entry.async_create_background_task(
                self._hass,
                self._async_tell(doorbell, ring, phone, again=again),
                f"{DOMAIN} ring push {doorbell.id}",
            )
        if not phones:
            self._async_pushed(doorbell, ring)

    async def _async_tell(
        self, doorbell: Doorbell, ring: _Ring, phone: Phone, *, again: bool
    ) -> None:
        """Tell one phone: the text, and the picture in its place unless a newer ring has come."""
        ring.told.append(
            again or await async_push(self._hass, phone, self._message(doorbell, ring.event))
        )
        if len(ring.told) == ring.phones:
            self._async_pushed(doorbell, ring)
        if ring.event.clip is None and not doorbell.refused:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_PICTURE):
                await ring.frozen.wait()
        picture = self._entity(doorbell, IMAGE_DOMAIN, "last_ring_image")
        if not ring.frozen.is_set() or doorbell.private or picture is None:
            return
        if self._newest[doorbell.id] is ring:
            message = self._message(doorbell, ring.event)
            message["data"] |= {
                "image": f"/api/image_proxy/{picture}",
                # it takes the text's place, without another sound
                "alert_once": True,
                "push": {"sound": "none"},
            }
            await async_push(self._hass, phone, message)

    @callback
    def _async_pushed(self, doorbell: Doorbell, ring: _Ring) -> None:
        sent = sum(ring.told)
        pushed = Pushed(ring.event, sent, ring.phones - sent)
        async_dispatcher_send(self._hass, pushed_signal(doorbell), pushed)

    def _message(self, doorbell: Doorbell, ring: DoorbellEvent) -> dict[str, Any]:
        texts = async_texts(self._hass)
        data: dict[str, Any] = {
            "tag": f"{DOMAIN}_ring_{doorbell.id}",
            "group": f"{DOMAIN}_rings",
            "channel": texts["push_channel"],
            "importance": "high",
            "ttl": 0,
            "priority": "high",
        }
        if opens := self._opens(doorbell):
            data |= {
                "clickAction": f"entityId:{opens}",
                "url": f"/?more-info-entity-id={opens}",
            }
        return {
            "title": doorbell.name,
            "message": texts["push_ring_test" if ring.test else "push_ring"],
            "data": data,
        }

    def _opens(self, doorbell: Doorbell) -> str | None:
        """Say what a tap opens: the camera; while that shows nothing, the last picture."""
        if not doorbell.private and (camera := self._camera(doorbell)):
            return camera
        return self._entity(doorbell, IMAGE_DOMAIN, "last_ring_image")

    def _camera(self, doorbell: Doorbell) -> str | None:
        if not doorbell.adopted:
            return self._entity(doorbell, CAMERA_DOMAIN, "camera")
        registry = er.async_get(self._hass)
        return er.async_resolve_entity_id(registry, doorbell.subentry.data[CONF_CAMERA])

    def _entity(self, doorbell: Doorbell, domain: str, key: str) -> str | None:
        """Find one of the doorbell's own entities, if people haven't disabled it."""
        registry = er.async_get(self._hass)
        found = registry.async_get_entity_id(domain, DOMAIN, unique_id(doorbell, key))
        entry = registry.async_get(found) if found else None
        return None if entry is None or entry.disabled else entry.entity_id
