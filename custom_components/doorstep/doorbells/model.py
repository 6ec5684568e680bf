"""What a doorbell says, what it is asked to do, and what carries both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol, Self

from homeassistant.const import CONF_LATITUDE, CONF_LONGITUDE

from ..const import CONF_AUDIO, CONF_INDOOR, CONF_PLACEMENT, CONF_POST_ROLL, CONF_PRE_ROLL
from ..footage.event import RecorderSettings

type SignalKind = Literal["ring", "motion_on", "motion_off"]
type Kind = Literal["ring", "motion", "manual", "picture", "status", "clip", "change"]
type Capture = Literal["stream", "stills"]

_LENGTHS: Final = RecorderSettings()

SELF_TEST: Final = "self-test"
"""Source of the signal that a person makes to try the chain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a device reported; `source` is an entity id, "webhook" or "self-test".

    `device_time` is the device's own clock, UTC; `event_id` the device's own name of the event.
    """

    kind: SignalKind
    source: str
    event_id: str | None = None
    device_time: datetime | None = None
    test: bool = False


@dataclass(frozen=True, slots=True)
class DoorbellEvent:
    """Something happened at a doorbell at `at`, when we heard of it (UTC).

    `clip` is the id of the clip that holds it, `cause` what a picture was taken for, `shown` the
    instant that it shows; `device_time`, `event_id` and `source` are the signal's. Kind "change"
    means that availability, privacy, name or settings are different now.
    """

    kind: Kind
    at: datetime
    clip: str | None = None
    cause: str | None = None
    picture: bytes | None = None
    shown: datetime | None = None
    device_time: datetime | None = None
    event_id: str | None = None
    source: str | None = None
    test: bool = False

    @property
    def delay(self) -> float | None:
        """Seconds from the device's time to ours; negative where its clock is ahead."""
        if self.device_time is None:
            return None
        return (self.at - self.device_time).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A person's choices for one doorbell; lengths in seconds, place in degrees or the home's."""

    audio: bool = False
    pre_roll: float = _LENGTHS.pre_roll
    post_roll: float = _LENGTHS.post_roll
    indoor: bool = False
    placement: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Self:
        """Read them out of a subentry's data; what is not there is as it comes."""
        return cls(
            audio=bool(data.get(CONF_AUDIO, False)),
            pre_roll=float(data.get(CONF_PRE_ROLL, _LENGTHS.pre_roll)),
            post_roll=float(data.get(CONF_POST_ROLL, _LENGTHS.post_roll)),
            indoor=bool(data.get(CONF_INDOOR, False)),
            placement=str(data.get(CONF_PLACEMENT, "")),
            latitude=data.get(CONF_LATITUDE),
            longitude=data.get(CONF_LONGITUDE),
        )

    def recorder(self) -> RecorderSettings:
        """Say the same as the recorder wants it."""
        return RecorderSettings(pre_roll=self.pre_roll, post_roll=self.post_roll, audio=self.audio)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that only a person can mend: the key of a repair issue, and what fills it in."""

    issue: str
    placeholders: Mapping[str, str]


class Transport(Protocol):
    """What connects one doorbell: where its pictures and its signals come from."""

    capture: Capture

    @property
    def available(self) -> bool:
        """Whether signals can come, as far as one can know."""

    @property
    def device_id(self) -> str | None:
        """The device in the registry it already is, if it is one."""

    def async_start(self, heard: Callable[[Signal], None], changed: Callable[[], None]) -> None:
        """Begin to listen; `changed` says that availability, device or problem may differ."""

    def async_stop(self) -> None:
        """Listen no more."""

    async def async_stream_source(self) -> str:
        """Return the stream's URL with credentials, a secret; none just now: CameraError."""

    async def async_still(self) -> bytes:
        """Take a picture now: JPEG; CameraError where that fails."""

    def problem(self) -> Problem | None:
        """Say what only a person can mend, if there is something."""

    def describe(self) -> dict[str, Any]:
        """Tell diagnostics how it is connected: no secret, no person."""
