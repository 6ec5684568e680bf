"""How long footage stays, and what goes first."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from .clip import Clip
from .folder import Usage

type Reason = Literal["age", "size", "free-space"]


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Keep `days`; at most `max_bytes` and `share` of the disk; leave `floor` bytes free."""

    days: float = 30
    max_bytes: int = 20 * 10**9
    share: float = 0.25
    floor: int = 5 * 10**9


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
    limit = min(policy.max_bytes, int(usage.space.total * policy.share))
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
