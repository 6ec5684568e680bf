"""Typed looks into a JSON object: a member is what it must be, or a RequestError names it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
import re
from typing import Final, Self

from ..encoding import parse_time
from ..errors import FeedError, RequestError
from .web import check_url

MAX_TEXT: Final = 200
MAX_ITEMS: Final = 64
_URN = re.compile(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")


@dataclass(frozen=True, slots=True)
class Members:
    """The members of one object; `path` says where it lies, for the error."""

    values: Mapping[str, object]
    path: str = ""

    def bad(self, name: str) -> RequestError:
        """Return the error for a member that is missing or not what it must be."""
        return RequestError("member_bad", member=f"{self.path}{name}")

    def get(self, name: str) -> object:
        """Return a required member, whatever it is."""
        if name not in self.values:
            raise self.bad(name)
        return self.values[name]

    def inner(self, name: str) -> Self:
        """Return a required object."""
        value = self.get(name)
        if not isinstance(value, dict):
            raise self.bad(name)
        return type(self)(value, f"{self.path}{name}.")

    def array(self, name: str, limit: int = MAX_ITEMS) -> list[object]:
        """Return a required array of at most `limit` items."""
        value = self.get(name)
        if not isinstance(value, list) or len(value) > limit:
            raise self.bad(name)
        return value

    def objects(self, name: str, limit: int = MAX_ITEMS) -> list[Self]:
        """Return a required array of objects."""
        items = self.array(name, limit)
        if not all(isinstance(item, dict) for item in items):
            raise self.bad(name)
        return [type(self)(item, f"{self.path}{name}.") for item in items if isinstance(item, dict)]

    def text(self, name: str, limit: int = MAX_TEXT) -> str:
        """Return a required text: not empty, at most `limit` characters."""
        value = self.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= limit:
            raise self.bad(name)
        return value

    def optional(self, name: str, limit: int = MAX_TEXT) -> str | None:
        """Return a text, or None where it is missing, null or empty."""
        return None if self.values.get(name) in (None, "") else self.text(name, limit)

    def integer(self, name: str, low: int, high: int) -> int:
        """Return a required integer between `low` and `high`."""
        value = self.get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.bad(name)
        return value

    def time(self, name: str) -> datetime:
        """Return a required time (RFC 3339 with Z)."""
        try:
            return parse_time(self.text(name))
        except ValueError as error:
            raise self.bad(name) from error

    def url(self, name: str) -> str:
        """Return a required URL that `check_url` lets pass."""
        value = self.text(name, 2000)
        try:
            check_url(value)
        except FeedError as error:
            raise self.bad(name) from error
        return value

    def urn(self, name: str) -> str:
        """Return a required `urn:uuid:` in lower case (RFC 9562)."""
        return self._matching(name, _URN)

    def sha256(self, name: str) -> str:
        """Return a required SHA-256 in lower-case hex."""
        return self._matching(name, _SHA256)

    def language(self, name: str) -> str:
        """Return a required language tag (BCP 47)."""
        return self._matching(name, _LANGUAGE)

    def choice[Choice: StrEnum](self, name: str, choices: type[Choice]) -> Choice:
        """Return a required member of a closed list."""
        return self._chosen(name, self.get(name), choices)

    def choices[Choice: StrEnum](self, name: str, choices: type[Choice]) -> tuple[Choice, ...]:
        """Return a required array of members of a closed list, each once."""
        chosen = tuple(self._chosen(name, item, choices) for item in self.array(name))
        if len(set(chosen)) != len(chosen):
            raise self.bad(name)
        return chosen

    def _chosen[Choice: StrEnum](
        self, name: str, value: object, choices: Iterable[Choice]
    ) -> Choice:
        for choice in choices:
            if choice == value:
                return choice
        raise self.bad(name)

    def _matching(self, name: str, pattern: re.Pattern[str]) -> str:
        value = self.text(name)
        if not pattern.fullmatch(value):
            raise self.bad(name)
        return value
