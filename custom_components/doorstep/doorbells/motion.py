"""Motion before one door, told of by one or several sources, each of which may lose its "off"."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later, async_track_time_interval

_TICK: Final = timedelta(seconds=5)


class Motion:
    """Lasts from the first source's "on" to the last one's "off", or until each has timed out."""

    def __init__(
        self,
        hass: HomeAssistant,
        timeout: timedelta,
        *,
        lasting: Callable[[datetime], None],
        over: Callable[[datetime], None],
    ) -> None:
        """Call `lasting` every 5 s while something moves; `over` when a source times out."""
        self._hass = hass
        self._timeout = timeout
        self._lasting = lasting
        self._over = over
        self._sources: dict[str, CALLBACK_TYPE] = {}
        self._ticking: CALLBACK_TYPE | None = None

    def __bool__(self) -> bool:
        """Whether something moves."""
        return bool(self._sources)

    @callback
    def async_begin(self, source: str) -> None:
        """Take a source's "on"; a second one makes it last longer."""
        if cancel := self._sources.pop(source, None):
            cancel()

        @callback
        def over(now: datetime) -> None:
            self.async_end(source)
            self._over(now)

        self._sources[source] = async_call_later(self._hass, self._timeout, over)
        if self._ticking is None:
            self._ticking = async_track_time_interval(
                self._hass, self._async_tick, _TICK, cancel_on_shutdown=True
            )

    @callback
    def async_end(self, source: str) -> bool:
        """Take a source's "off"; False if it told of no motion."""
        cancel = self._sources.pop(source, None)
        if cancel is None:
            return False
        cancel()
        if not self._sources and self._ticking:
            self._ticking()
            self._ticking = None
        return True

    @callback
    def async_end_all(self) -> None:
        """End it: nobody listens any more."""
        for source in tuple(self._sources):
            self.async_end(source)

    @callback
    def _async_tick(self, now: datetime) -> None:
        self._lasting(now)
