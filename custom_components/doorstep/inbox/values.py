"""What the inbox has to know about this home, and who did something: values the glue hands in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

type Channel = Literal["panel", "phone", "service", "rule", "clock", "feed"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused a transition: a Home Assistant user over a channel, or nobody (`user` None)."""

    user: str | None
    channel: Channel


CLOCK = Actor(None, "clock")
FEED = Actor(None, "feed")
RULE = Actor(None, "rule")


class ClipLike(Protocol):
    """What the inbox wants to know of a clip."""

    @property
    def id(self) -> str:
        """The clip's id."""

    @property
    def start(self) -> datetime:
        """First recorded instant."""

    @property
    def end(self) -> datetime:
        """Last recorded instant."""


class ClipFinder(Protocol):
    """Finds the clips of a doorbell that overlap a window."""

    def __call__(self, doorbell: str, start: datetime, end: datetime) -> Sequence[ClipLike]:
        """Return them, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorbell:
    """A doorbell and where it hangs (degrees, WGS 84)."""

    id: str
    name: str
    latitude: float
    longitude: float
    indoor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where the home is, what it has, and how to find what was recorded."""

    latitude: float
    longitude: float
    doorbells: tuple[Doorbell, ...]
    clips: ClipFinder
