"""What the media browser calls doorbells, days, hours, clips and pictures."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
import re
from typing import Final, Self

_HOUR: Final = "%Y%m%dT%H%MZ"
_HOUR_SHAPE: Final = re.compile(r"[0-9]{8}T[0-9]{4}Z")
_NUMBER_SHAPE: Final = re.compile(r"[0-9]{1,6}")
_YEARS: Final = range(1970, 9999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """Where somebody is in the media browser; all empty is the root.

    `<doorbell>/<day>/<clip>/<picture>` or `<doorbell>/<day>/<hour>/<page>`, or the beginning of
    one. A day is the home's, an hour is named for its beginning in UTC, and counting begins at 0.
    """

    doorbell: str = ""
    day: date | None = None
    hour: datetime | None = None
    clip: str = ""
    number: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an identifier; ValueError when it can't be one."""
        doorbell, _, rest = text.partition("/")
        day, _, rest = rest.partition("/")
        within, _, number = rest.partition("/")
        is_hour = _HOUR_SHAPE.fullmatch(within) is not None
        if number and not _NUMBER_SHAPE.fullmatch(number):
            raise ValueError(number)
        return cls(
            doorbell=doorbell,
            day=_day(day) if day else None,
            hour=datetime.strptime(within, _HOUR).replace(tzinfo=UTC) if is_hour else None,
            clip="" if is_hour else within,
            number=int(number) if number else None,
        )

    def __str__(self) -> str:
        """Write it again."""
        day = self.day.isoformat() if self.day else ""
        within = f"{self.hour:{_HOUR}}" if self.hour else self.clip
        number = "" if self.number is None else str(self.number)
        return "/".join(part for part in (self.doorbell, day, within, number) if part)


def _day(text: str) -> date:
    """Read a day whose beginning and end can be told in every zone."""
    day = date.fromisoformat(text)
    if day.year not in _YEARS:
        raise ValueError(text)
    return day
