"""CPU time of the event loop's steps that run Doorstep's code.

A step is what the loop runs without a pause: a callback, or a task up to its next real wait. What
else runs in the same step, Home Assistant's code or the collector of garbage, counts too.
"""

from asyncio import Handle
import gc
from sys import monitoring
from threading import get_ident
from time import thread_time_ns
from types import CodeType
from typing import Any, Final

_TOOL: Final = 4  # a number that no debugger, profiler or coverage tool uses
_OURS: Final = "custom_components/doorstep/"
_EVENTS: Final = (monitoring.events.PY_START, monitoring.events.PY_RESUME)
_WORST: Final = 5
_NAMES: Final = 6
_RUN: Final = "_run"


class Steps:
    """Times every step from the next one until `end`; one at a time in a process."""

    def __init__(self) -> None:
        """Begin."""
        self._loop = get_ident()
        self._seen: list[str] = []
        self._collecting = self._collected = 0
        self._times: list[tuple[int, int]] = []
        self._worst: list[tuple[int, int, str]] = []
        self._others = 0
        self._run = Handle._run
        monitoring.use_tool_id(_TOOL, "doorstep probe")
        for event in _EVENTS:
            monitoring.register_callback(_TOOL, event, self._entered)
        monitoring.set_events(_TOOL, sum(_EVENTS))
        gc.callbacks.append(self._collects)
        setattr(Handle, _RUN, self._timed())

    def end(self) -> dict[str, Any]:
        """Stop; tell the times of all of Doorstep's steps, and the worst with names; in ms."""
        setattr(Handle, _RUN, self._run)
        gc.callbacks.remove(self._collects)
        monitoring.set_events(_TOOL, 0)
        for event in _EVENTS:
            monitoring.register_callback(_TOOL, event, None)
        monitoring.free_tool_id(_TOOL)
        monitoring.restart_events()
        return {
            "others": self._others,
            "whole": [whole / 1e6 for whole, _ in self._times],
            "without garbage": [(whole - garbage) / 1e6 for whole, garbage in self._times],
            "worst": [
                f"{whole / 1e6:8.2f} (garbage {garbage / 1e6:.2f})  {names}"
                for whole, garbage, names in self._worst
            ],
        }

    def _timed(self) -> Any:
        run, seen = self._run, self._seen

        def timed(handle: Handle) -> None:
            seen.clear()
            self._collected = 0
            begun = thread_time_ns()
            run(handle)
            self._ends(thread_time_ns() - begun)

        return timed

    def _entered(self, code: CodeType, _offset: int) -> Any:
        if _OURS not in code.co_filename:
            # never told of this piece of code again: it costs nothing from now on
            return monitoring.DISABLE
        if get_ident() == self._loop and len(self._seen) < _NAMES:
            self._seen.append(code.co_qualname)
        return None

    def _ends(self, whole: int) -> None:
        if not self._seen:
            self._others += 1
            return
        self._times.append((whole, self._collected))
        if len(self._worst) < _WORST or whole > self._worst[-1][0]:
            names = " > ".join(dict.fromkeys(self._seen))
            self._worst = sorted([*self._worst, (whole, self._collected, names)], reverse=True)
            del self._worst[_WORST:]

    def _collects(self, phase: str, _info: dict[str, int]) -> None:
        if get_ident() != self._loop:
            return
        if phase == "start":
            self._collecting = thread_time_ns()
        else:
            self._collected += thread_time_ns() - self._collecting
