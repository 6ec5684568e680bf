"""Trying a doorbell: one ring through the whole chain, and how long each step of it took."""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final, Literal

from homeassistant.components import persistent_notification, webhook
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import Event, EventStateChangedData, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect, async_dispatcher_send
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util.aiohttp import MockRequest

from .const import DOMAIN
from .doorbells.doorbell import Doorbell
from .doorbells.model import DoorbellEvent
from .doorbells.switches import RING_NOTIFICATIONS
from .entity import unique_id
from .ring_push import Pushed, pushed_signal
from .rooms import Rooms
from .texts import async_texts, reason_text

type StepKey = Literal["heard", "entity", "picture", "push", "clip"]
type State = Literal["running", "passed", "failed"]

STEPS: Final[tuple[StepKey, ...]] = ("heard", "entity", "picture", "push", "clip")

_AT_ONCE: Final = 5.0  # seconds for what happens inside Home Assistant
_PICTURE: Final = 15.0  # seconds for a still, also from a camera that has to wake up
_PUSH: Final = 30.0  # seconds; Home Assistant gives a push service 10
_CLOSING: Final = 15.0  # seconds from a clip's last picture to its place in the library


@dataclass(slots=True)
class Step:
    """`seconds` from the press until it was done, or what kept it from being done or tried."""

    key: StepKey
    seconds: float | None = None
    failure: str | None = None
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """How a test goes or went; `steps` are those that are over."""

    state: State
    steps: tuple[Step, ...]


def result_signal(doorbell: Doorbell) -> str:
    """Return the dispatcher signal that carries each `Result` of the doorbell's tests."""
    return f"{DOMAIN}_self_test_{doorbell.id}"


class SelfTest:
    """One test of one doorbell: started once, over by itself, told as a notification."""

    def __init__(self, rooms: Rooms, doorbell: Doorbell) -> None:
        """Prepare; nothing happens before `async_start`."""
        self._rooms = rooms
        self._hass = rooms.hass
        self._doorbell = doorbell
        self._steps = {key: Step(key) for key in STEPS}
        self._over = {key: asyncio.Event() for key in STEPS}
        self._ring: DoorbellEvent | None = None
        self._lengthened = False
        self._began = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has begun and is not over."""
        return self._task is not None and not self._task.done()

    @callback
    def async_start(self) -> None:
        """Ring, and follow what comes of it."""
        self._task = self._hass.async_create_background_task(
            self._async_run(), f"{DOMAIN} self-test {self._doorbell.id}"
        )

    @callback
    def async_cancel(self) -> None:
        """Break it off without a word: its doorbell goes."""
        if self._task:
            self._task.cancel()

    async def _async_run(self) -> None:
        self._tell("running")
        with ExitStack() as listening:
            self._listen(listening)
            self._began = self._now()
            await self._async_press()
            for key in STEPS:
                await self._async_await(key)
                if self._steps["heard"].failure:
                    break
        await self._async_look_up()
        failed = any(step.failure for step in self._steps.values())
        self._show(self._tell("failed" if failed else "passed"))

    def _listen(self, listening: ExitStack) -> None:
        doorbell = self._doorbell
        listening.callback(doorbell.async_subscribe(self._async_heard))
        registry = er.async_get(self._hass)
        ring = registry.async_get_entity_id(EVENT_DOMAIN, DOMAIN, unique_id(doorbell, "ring"))
        if ring is None or self._hass.states.get(ring) is None:
            self._end("entity", skipped="entity_off")
        else:
            listening.callback(async_track_state_change_event(self._hass, ring, self._async_shown))
        if self._rooms.doorbells.async_is_on(doorbell, RING_NOTIFICATIONS):
            signal = pushed_signal(doorbell)
            listening.callback(async_dispatcher_connect(self._hass, signal, self._async_pushed))
        else:
            self._end("push", skipped="push_off")

    async def _async_press(self) -> None:
        if self._doorbell.adopted:
            self._doorbell.async_test()
            return
        report = MockRequest(
            content=b"",
            mock_source=DOMAIN,
            method="POST",
            query_string="event=ring&test=1",
            remote="127.0.0.1",
        )
        webhook_id = self._doorbell.subentry.data[CONF_WEBHOOK_ID]
        await webhook.async_handle_webhook(self._hass, webhook_id, report)

    @callback
    def _async_heard(self, event: DoorbellEvent) -> None:
        if self._ring is None:
            if event.kind == "ring" and event.test:
                self._take(event)
        elif event.clip != self._ring.clip:
            return
        elif event.kind == "picture" and event.cause == "ring" and event.at >= self._ring.at:
            self._end("picture", seconds=self._passed())
        elif event.kind in {"ring", "motion"}:
            self._lengthened = True
        elif event.kind == "clip":
            self._end("clip", seconds=self._passed())

    def _take(self, ring: DoorbellEvent) -> None:
        self._ring = ring
        self._end("heard", seconds=self._passed())
        if ring.clip is None:
            for key in ("picture", "clip"):
                self._end(key, failure=self._reason("camera_off"))

    @callback
    def _async_shown(self, event: Event[EventStateChangedData]) -> None:
        new = event.data["new_state"]
        if new and new.attributes.get("test"):
            # it is told after it was heard, whoever of us heard of it first
            self._end("heard", seconds=self._passed())
            self._end("entity", seconds=self._passed())

    @callback
    def _async_pushed(self, pushed: Pushed) -> None:
        if not pushed.ring.test:
            return
        if pushed.failed:
            self._end("push", failure="push_failed")
        elif pushed.sent:
            self._end("push", seconds=self._passed())
        else:
            self._end("push", skipped="no_phone")

    async def _async_await(self, key: StepKey) -> None:
        """Wait for a step until its deadline, which motion may put off meanwhile."""
        while not self._over[key].is_set():
            until = self._began + self._deadline(key)
            if self._now() >= until:
                self._end(key, failure=self._reason("late"))
                return
            try:
                async with asyncio.timeout_at(until):
                    await self._over[key].wait()
            except TimeoutError:
                continue

    def _deadline(self, key: StepKey) -> float:
        """Seconds from the press."""
        match key:
            case "heard" | "entity":
                return _AT_ONCE
            case "picture":
                return _PICTURE
            case "push":
                return _PUSH
        if self._steps["picture"].failure and self._doorbell.status.state == "failed":
            # no clip comes from a camera that is away
            return 0.0
        lengths = self._doorbell.settings.recorder()
        lasts = self._lengthened or self._doorbell.motion
        return (lengths.longest if lasts else lengths.post_roll) + _CLOSING

    async def _async_look_up(self) -> None:
        """Believe that a clip is kept only once the library has it."""
        step = self._steps["clip"]
        if step.seconds is None or self._ring is None or self._ring.clip is None:
            return
        if not await self._hass.async_add_executor_job(self._rooms.library.get, self._ring.clip):
            step.seconds, step.failure = None, self._reason("clip_missing")

    def _reason(self, otherwise: str) -> str:
        if self._doorbell.private:
            return "private"
        return self._doorbell.status.reason or otherwise

    def _end(
        self,
        key: StepKey,
        *,
        seconds: float | None = None,
        failure: str | None = None,
        skipped: str | None = None,
    ) -> None:
        if not self._over[key].is_set():
            self._steps[key] = Step(key, seconds, failure, skipped)
            self._over[key].set()

    def _now(self) -> float:
        return self._hass.loop.time()

    def _passed(self) -> float:
        return round(self._now() - self._began, 4)

    def _tell(self, state: State) -> Result:
        result = Result(
            state, tuple(step for key, step in self._steps.items() if self._over[key].is_set())
        )
        async_dispatcher_send(self._hass, result_signal(self._doorbell), result)
        return result

    def _show(self, result: Result) -> None:
        """Say to people how it went, in a table."""
        texts = async_texts(self._hass)
        lines = [
            texts[f"self_test_{result.state}"],
            "",
            f"| {texts['self_test_step']} | {texts['self_test_after']} |",
            "|---|---|",
            *(
                f"| {texts[f'self_test_{step.key}']} | {self._said(step)} |"
                for step in result.steps
            ),
        ]
        persistent_notification.async_create(
            self._hass,
            "\n".join(lines),
            texts["self_test_title"].format(name=self._doorbell.name),
            f"{DOMAIN}_self_test_{self._doorbell.id}",
        )

    def _said(self, step: Step) -> str:
        if step.failure:
            return reason_text(self._hass, step.failure)
        texts = async_texts(self._hass)
        if step.seconds is None:
            return texts[f"self_test_{step.skipped}"]
        if step.seconds < 1:
            return texts["self_test_ms"].format(n=round(1000 * step.seconds, 1))
        return texts["self_test_s"].format(n=round(step.seconds, 1))
