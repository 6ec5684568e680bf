"""How long footage stays, and what goes first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge
from math import inf
from typing import Final, Literal

from .clip import Clip
from .folder import Space, Usage

type Reason = Literal["age", "size", "free-space"]

_SPARED: Final = 0.25  # share of the budget that clips asked for may take, all together
_SPARED_AGENCY: Final = 0.1  # and those that one agency asks for
_HIGH: Final = 0.8  # share of the room from which on a household should be warned


@dataclass(frozen=True, slots=True)
class Limits:
    """A doorbell's own limits: keep `days`, at most `max_bytes`; None where the household's do."""

    days: float | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Keep `days`; at most `max_bytes` and `share` of the disk; leave `floor` bytes free.

    `doorbells` gives some doorbells limits of their own: their days count instead, their bytes too.
    """

    days: float = 30
    max_bytes: int = 20 * 10**9
    share: float = 0.25
    floor: int = 5 * 10**9
    doorbells: Mapping[str, Limits] = field(default_factory=dict)

    def budget(self, space: Space) -> int:
        """Bytes that clips may take of a file system, as long as it has room beside them."""
        return min(self.max_bytes, int(space.total * self.share))

    def keeps(self, doorbell: str) -> timedelta:
        """Say how long a doorbell's clips stay."""
        own = self.doorbells.get(doorbell, Limits()).days
        return timedelta(days=self.days if own is None else own)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What recording takes: bytes of a clip and of a day, and for how many days there is room."""

    per_clip: int
    per_day: int
    days: float


def estimate(
    bytes_per_second: float, clip_seconds: float, clips_per_day: float, budget_bytes: int
) -> Estimate:
    """Work out what clips of one length take, so many a day; where nothing comes, days are inf."""
    per_clip = bytes_per_second * clip_seconds
    per_day = per_clip * clips_per_day
    days = budget_bytes / per_day if per_day else inf
    return Estimate(round(per_clip), round(per_day), days)


def surplus(
    clips: Mapping[str, Iterable[Clip]],
    usage: Usage,
    policy: RetentionPolicy,
    now: datetime,
    spared: frozenset[str] = frozenset(),
    *,
    sizes: Mapping[str, int] | None = None,
) -> list[tuple[Clip, Reason]]:
    """Choose what must go, and why, oldest first.

    `clips` of each doorbell, oldest first, which together are what `usage` counts; they are gone
    through twice, only as far as need be. `sizes`: the bytes of each doorbell. Spared clips stay,
    whatever they weigh; others go in their place.
    """
    due: dict[Clip, Reason] = {}
    for doorbell, own in clips.items():
        limits = policy.doorbells.get(doorbell, Limits())
        held = (sizes or {}).get(doorbell, 0)
        much = 0 if limits.max_bytes is None else held - limits.max_bytes
        due.update(_due(own, now - policy.keeps(doorbell), much, spared))
    freed = sum(clip.size for clip in due)
    much = usage.bytes - freed - policy.budget(usage.space)
    short = policy.floor - usage.space.free - freed
    for clip in merge(*clips.values(), key=_start):
        if much <= 0 and short <= 0:
            break
        if clip not in due and clip.id not in spared:
            due[clip] = "size" if much > 0 else "free-space"
            much -= clip.size
            short -= clip.size
    return sorted(due.items(), key=lambda item: _start(item[0]))


def _due(
    clips: Iterable[Clip], oldest: datetime, much: int, spared: frozenset[str]
) -> Iterator[tuple[Clip, Reason]]:
    """Choose what no room could save: too old, or too much of one doorbell."""
    for clip in clips:
        old = clip.end < oldest
        if not old and much <= 0:
            return
        if clip.id not in spared:
            much -= clip.size
            yield clip, "age" if old else "size"


def _start(clip: Clip) -> datetime:
    return clip.start


def spare(wanted: Iterable[tuple[str, Clip]], budget_bytes: int) -> frozenset[str]:
    """Choose clips that are asked for and shall stay; `wanted`: agency and clip, the newest first.

    They take at most a quarter of the budget, and a tenth for each agency: none can fill the disk.
    A clip that several ask for counts for the first it fits.
    """
    left = budget_bytes * _SPARED
    shares: dict[str, float] = {}
    spared: set[str] = set()
    for agency, clip in wanted:
        share = shares.setdefault(agency, budget_bytes * _SPARED_AGENCY)
        if clip.id not in spared and clip.size <= min(left, share):
            left -= clip.size
            shares[agency] = share - clip.size
            spared.add(clip.id)
    return frozenset(spared)


@dataclass(frozen=True, slots=True)
class Pressure:
    """How much of the room people's holds take: 1 is all of it. `full`: nothing more fits in."""

    share: float
    full: bool

    @property
    def high(self) -> bool:
        """Whether a household should be warned."""
        return self.share >= _HIGH


def pressure(usage: Usage, held_bytes: int, policy: RetentionPolicy) -> Pressure:
    """Compare what is held with what clips may take, were all others gone."""
    below_floor = usage.bytes + usage.space.free - policy.floor
    room = min(policy.budget(usage.space), below_floor)
    if not held_bytes:
        return Pressure(0.0, full=room <= 0)
    return Pressure(held_bytes / room if room > 0 else inf, full=held_bytes >= room)
