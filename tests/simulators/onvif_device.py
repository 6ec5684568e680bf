"""The process behind `onvif.py`: the ONVIF services of one doorbell camera on loopback.

What is answered follows the ONVIF specifications: Core 9 (events), Device Management 8, Media 5.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from typing import Any, Final
from xml.etree import ElementTree as ET

import aiohttp
from aiohttp import web
from PIL import Image

from scripts.children import LOOPBACK

from . import onvif_answers as answers, soap
from .orders import obey, settings
from .soap import Call, FaultError, Notice

VISITOR: Final = "tns1:RuleEngine/MyRuleDetector/Visitor"
MOTION: Final = "tns1:VideoSource/MotionAlarm"
LASTS: Final = timedelta(minutes=10)
LONGEST_PULL: Final = 60.0
# Answered to anybody: a client needs it to make a password digest in the device's time.
OPEN: Final = {"GetSystemDateAndTime"}


@dataclass
class Subscription:
    """Who wants to hear: by pulling, or where CONSUMER is an address, by being called."""

    consumer: str = ""
    waiting: list[Notice] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)


class Device:
    """A camera with a button. CLOCK is how far its own clock is off."""

    def __init__(self, told: dict[str, Any]) -> None:
        """Remember the settings: port, user, password, stream, name, mac, webhooks."""
        self.told = told
        self.password: str = told["password"]
        self.clock = timedelta()
        self.calls: list[str] = []
        self.last: Notice | None = None
        self._numbers = count(1)
        self._subscriptions: dict[str, Subscription] = {}
        self._states = {VISITOR: False, MOTION: False}
        self._up = asyncio.Event()
        self._up.set()
        self._runner: web.AppRunner | None = None
        self._sends = set[asyncio.Task[None]]()

    async def listen(self) -> None:
        """Serve the device's own port."""
        app = web.Application()
        app.router.add_post("/onvif/{service}", self._soap)
        app.router.add_post("/onvif/subscription/{number}", self._soap)
        app.router.add_get("/snapshot.jpg", self._snapshot)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self.told["port"]).start()

    async def obey(self, order: str, *details: Any) -> object:
        """Do what the test wants to see."""
        match order, details:
            case "state", (topic, on):
                self._change({"visitor": VISITOR, "motion": MOTION}[topic], on=on)
            case "duplicate", ():
                if self.last is not None:
                    self._tell(self.last)
            case "reboot", (seconds, refuse):
                await self._reboot(seconds, refuse=refuse)
            case "password", (password,):
                self.password = password
            case "clock", (seconds,):
                self.clock = timedelta(seconds=seconds)
            case "calls", ():
                return self.calls
            case "subscriptions", ():
                return len(self._subscriptions)
        return None

    def now(self) -> datetime:
        """Return the time as this device has it."""
        return datetime.now(UTC) + self.clock

    # --- events ------------------------------------------------------------------

    def _change(self, topic: str, *, on: bool) -> None:
        self._states[topic] = on
        self.last = self._notice(topic, "Changed")
        self._tell(self.last)

    def _notice(self, topic: str, operation: str) -> Notice:
        value = ("State", "true" if self._states[topic] else "false")
        return Notice(topic, ("Source", "000"), value, self.now(), operation)

    def _tell(self, *notices: Notice, to: Subscription | None = None) -> None:
        for subscription in [to] if to else self._subscriptions.values():
            if subscription.consumer:
                self._send(subscription.consumer, notices)
            else:
                subscription.waiting.extend(notices)
                subscription.heard.set()

    def _tell_all(self, subscription: Subscription) -> None:
        """Tell every property once, as a new subscriber and a synchronization point get them."""
        self._tell(*(self._notice(topic, "Initialized") for topic in self._states), to=subscription)

    def _send(self, consumer: str, notices: tuple[Notice, ...]) -> None:
        task = asyncio.create_task(_notify(consumer, notices))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)

    # --- failures ----------------------------------------------------------------

    async def _reboot(self, seconds: float, *, refuse: bool) -> None:
        """Forget all subscriptions and cut all connections; be away for SECONDS."""
        self._subscriptions.clear()
        self._states = dict.fromkeys(self._states, False)
        self._up.clear()
        runner = self._runner
        if runner is not None and runner.server is not None:
            for connection in runner.server.connections:
                if connection.transport is not None:
                    connection.transport.abort()
            if refuse:
                await runner.cleanup()
        await asyncio.sleep(seconds)
        if refuse:
            await self.listen()
        self._up.set()

    # --- requests ----------------------------------------------------------------

    async def _soap(self, request: web.Request) -> web.Response:
        content = await request.read()
        await self._up.wait()
        try:
            call = self._admit(Call.read(content))
            body = await self._pull(call, request) or self._answer(call, request)
        except (FaultError, ET.ParseError) as error:
            fault = error if isinstance(error, FaultError) else FaultError("ter:WellFormed", "XML?")
            return _response(fault.xml(), status=400)
        return _response(body)

    def _admit(self, call: Call) -> Call:
        self.calls.append(call.operation)
        if call.operation not in OPEN and not call.admitted(self.told["user"], self.password):
            raise FaultError("ter:NotAuthorized", "Sender not authorized")
        return call

    async def _pull(self, call: Call, request: web.Request) -> str:
        if call.operation != "PullMessages":
            return ""
        subscription = self._subscription(request)
        patience = soap.duration(call.text("tev:Timeout")).total_seconds()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(subscription.heard.wait(), min(patience, LONGEST_PULL))
        notices = "".join(notice.xml() for notice in subscription.waiting)
        subscription.waiting.clear()
        subscription.heard.clear()
        times = (
            f"<tev:CurrentTime>{soap.stamp(self.now())}</tev:CurrentTime>"
            f"<tev:TerminationTime>{soap.stamp(self.now() + LASTS)}</tev:TerminationTime>"
        )
        return f"<tev:PullMessagesResponse>{times}{notices}</tev:PullMessagesResponse>"

    def _answer(self, call: Call, request: web.Request) -> str:
        base = f"http://{request.host}"
        known: dict[str, Callable[[], str]] = {
            "GetServices": lambda: answers.services(base),
            "GetCapabilities": lambda: answers.capabilities(base),
            "GetSystemDateAndTime": lambda: answers.date(self.now()),
            "GetDeviceInformation": lambda: answers.information(self.told["mac"]),
            "GetNetworkInterfaces": lambda: answers.interfaces(self.told["mac"]),
            "GetServiceCapabilities": lambda: answers.MEDIA,
            "GetProfiles": lambda: answers.PROFILES,
            "GetStreamUri": lambda: answers.uri(call.operation, self.told["stream"]),
            "GetSnapshotUri": lambda: answers.uri(call.operation, f"{base}/snapshot.jpg"),
        }
        if answer := known.get(call.operation):
            return answer()
        return self._event_answer(call, request, base)

    def _event_answer(self, call: Call, request: web.Request, base: str) -> str:
        match call.operation:
            case "CreatePullPointSubscription":
                return self._subscribe("tev:CreatePullPointSubscriptionResponse", base)
            case "Subscribe" if self.told["webhooks"]:
                consumer = call.text("wsnt:ConsumerReference/wsa:Address")
                return self._subscribe("wsnt:SubscribeResponse", base, consumer)
            case "SetSynchronizationPoint":
                self._tell_all(self._subscription(request))
                return "<tev:SetSynchronizationPointResponse/>"
            case "Renew":
                self._subscription(request)
                return f"<wsnt:RenewResponse>{self._times()}</wsnt:RenewResponse>"
            case "Unsubscribe":
                self._subscriptions.pop(request.match_info.get("number", ""), None)
                return "<wsnt:UnsubscribeResponse/>"
        raise FaultError("ter:ActionNotSupported", f"{call.operation} is not implemented")

    def _subscribe(self, name: str, base: str, consumer: str = "") -> str:
        number = str(next(self._numbers))
        subscription = self._subscriptions[number] = Subscription(consumer)
        self._tell_all(subscription)
        address = f"<wsa:Address>{base}/onvif/subscription/{number}</wsa:Address>"
        prefix = name.partition(":")[0]
        reference = f"<{prefix}:SubscriptionReference>{address}</{prefix}:SubscriptionReference>"
        return f"<{name}>{reference}{self._times()}</{name}>"

    def _times(self) -> str:
        ends = soap.stamp(self.now() + LASTS)
        return (
            f"<wsnt:TerminationTime>{ends}</wsnt:TerminationTime>"
            f"<wsnt:CurrentTime>{soap.stamp(self.now())}</wsnt:CurrentTime>"
        )

    def _subscription(self, request: web.Request) -> Subscription:
        try:
            return self._subscriptions[request.match_info.get("number", "")]
        except KeyError:
            raise FaultError("ter:InvalidArgVal", "There is no such subscription") from None

    async def _snapshot(self, request: web.Request) -> web.Response:
        await self._up.wait()
        secret = b64encode(f"{self.told['user']}:{self.password}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {secret}":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
        picture = BytesIO()
        Image.new("RGB", (640, 360), "teal").save(picture, "JPEG")
        return web.Response(body=picture.getvalue(), content_type="image/jpeg")


async def _notify(consumer: str, notices: tuple[Notice, ...]) -> None:
    body = "".join(notice.xml() for notice in notices)
    content = soap.envelope(f"<wsnt:Notify>{body}</wsnt:Notify>")
    with contextlib.suppress(aiohttp.ClientError):
        async with (
            aiohttp.ClientSession(headers={"Content-Type": soap.CONTENT}) as session,
            session.post(consumer, data=content),
        ):
            pass


def _response(body: str, status: int = 200) -> web.Response:
    return web.Response(
        body=soap.envelope(body), status=status, headers={"Content-Type": soap.CONTENT}
    )


async def main(told: dict[str, Any]) -> None:
    """Be a camera until killed."""
    device = Device(told)
    await device.listen()
    await obey(told["control"], device.obey)


if __name__ == "__main__":
    asyncio.run(main(settings()))
