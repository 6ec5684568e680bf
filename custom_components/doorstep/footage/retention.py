"""How long footage stays, and what goes first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Literal

from .clip import Clip
from .folder import Space, Usage

type Reason = Literal["age", "size", "free-space"]


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Keep `days`; at most `max_bytes` and `share` of the disk; leave `floor` bytes free."""

    days: float = 30
    max_bytes: int = 20 * 10**9
    share: float = 0.25
    floor: int = 5 * 10**9

    def budget(self, space: Space) -> int:
        """Bytes that clips may take of a file system, as long as it has room beside them."""
        return min(self.max_bytes, int(space.total * self.share))


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
    clips: Iterable[Clip],
    usage: Usage,
    policy: RetentionPolicy,
    now: datetime,
    spared: frozenset[str] = frozenset(),
) -> Iterator[tuple[Clip, Reason]]:
    """Choose what must go, oldest first, and why.

    `clips` oldest first, which together are what `usage` counts. Spared clips stay, whatever they
    weigh; others go in their place.
    """
    limit = policy.budget(usage.space)
    oldest = now - timedelta(days=policy.days)
    held, free = usage.bytes, usage.space.free
    for clip in clips:
        reason = _reason(clip.end < oldest, held > limit, free < policy.floor)
        if reason is None:
            return
        if clip.id not in spared:
            held -= clip.size
            free += clip.size
            yield clip, reason


def _reason(too_old: bool, too_much: bool, too_full: bool) -> Reason | None:  # noqa: FBT001 - three findings
    if too_old:
        return "age"
    if too_much:
        return "size"
    return "free-space" if too_full else None
