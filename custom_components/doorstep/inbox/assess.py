"""Whether a request concerns this home: which doorbells, which clips, what the house rules say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, cast

import orjson

from ..encoding import canonical_json
from .requests import Basis, Request
from .rules import Outcome, Verdict
from .values import Doorbell, Home

MATCH_METRES: Final = 100.0
AROUND_METRES: Final = 5000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Ids of the matching doorbells, and of their clips in the window; the rules' verdicts."""

    doorbells: tuple[str, ...]
    clips: tuple[str, ...]
    verdicts: tuple[Verdict, ...] = ()

    def to_json(self) -> bytes:
        """Write it for the database."""
        verdicts = [[v.rule, v.outcome, dict(v.values)] for v in self.verdicts]
        return canonical_json(
            {"doorbells": self.doorbells, "clips": self.clips, "verdicts": verdicts}
        )

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read what `to_json` wrote."""
        value = orjson.loads(data)
        return cls(
            doorbells=tuple(value["doorbells"]),
            clips=tuple(value["clips"]),
            verdicts=tuple(
                Verdict(rule, outcome and Outcome(outcome), cast("Mapping[str, str]", values))
                for rule, outcome, values in value["verdicts"]
            ),
        )


def matching_doorbells(request: Request, home: Home) -> tuple[Doorbell, ...]:
    """Return the doorbells in the area or at most 100 m from it; no indoor ones to volunteer."""
    return tuple(
        doorbell
        for doorbell in home.doorbells
        if not (doorbell.indoor and request.legal_basis is Basis.VOLUNTARY)
        and request.geometry.within(doorbell.longitude, doorbell.latitude, MATCH_METRES)
    )


def matching_clips(
    request: Request, doorbells: tuple[Doorbell, ...], home: Home
) -> tuple[str, ...]:
    """Return the ids of the doorbells' clips that overlap the window."""
    return tuple(
        clip.id
        for doorbell in doorbells
        for clip in home.clips(doorbell.id, request.start, request.end)
        if clip.start < request.end and clip.end > request.start
    )


def is_around(request: Request, home: Home) -> bool:
    """Whether a request is worth keeping in full: its area lies within 5 km of the home."""
    return request.geometry.within(home.longitude, home.latitude, AROUND_METRES)
