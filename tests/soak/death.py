"""Ways for a process to die without a word, at a moment that a seed can repeat.

"line": before the n-th line of Doorstep's own code; "byte": when a file would grow beyond n bytes,
the n-th being its last; "step": at the n-th instruction of SQLite; "time": after n microseconds,
the only one that isn't the same each time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
import os
from random import Random
import resource
import signal
import sys
import traceback
from types import CodeType
from typing import Literal, Self

from custom_components.doorstep.ledger.database import Database

type Way = Literal["never", "line", "byte", "step", "time"]

_ROOMS = "/custom_components/doorstep/"


@dataclass(slots=True)
class Death:
    """When this process is to die; `watch` says of which database the steps count."""

    way: Way = "never"
    at: int = 0

    @classmethod
    def drawn(cls, dice: Random, most: dict[Way, int]) -> Self:
        """Draw a way of `most` and a moment before its `most`, early ones rather than late."""
        way = dice.choice(sorted(most))
        early, any_ = exp(dice.uniform(0, log(most[way]))), dice.uniform(1, most[way])
        return cls(way, round(dice.choice((early, any_))))

    def arm(self) -> None:
        """From here on this process may die."""
        if self.way == "line":
            _count_lines(self.at)
        elif self.way == "byte":
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.at, hard))
        elif self.way == "time":
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self.at / 1_000_000)

    def watch(self, database: Database) -> None:
        """Count the steps of this database, if it is them that count."""
        if self.way == "step":
            database._connection.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.at -= 1
        if self.at <= 0:
            die()
        return 0


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def fork(job: Callable[[], object], death: Death) -> int:
    """Do `job` in a process of its own, which may die; returns its id."""
    sys.stdout.flush()
    sys.stderr.flush()
    if child := os.fork():
        return child
    try:
        death.arm()
        job()
    except BaseException:  # noqa: BLE001 - whatever it is, the process must not go on as a copy
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def survived(status: int) -> bool:
    """Whether a process did its job, by what `waitpid` said; its own errors are raised here."""
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "a child failed, see above"
    return os.WIFEXITED(status)


def run(job: Callable[[], object], death: Death) -> bool:
    """Do `job` in a process of its own; whether it outlived it."""
    return survived(os.waitpid(fork(job, death), 0)[1])


def _count_lines(left: int) -> None:
    def hear(code: CodeType, _line: int) -> object:
        nonlocal left
        if _ROOMS not in code.co_filename:
            return sys.monitoring.DISABLE
        left -= 1
        if left <= 0:
            die()
        return None

    tool = sys.monitoring.PROFILER_ID
    sys.monitoring.use_tool_id(tool, "soak")
    sys.monitoring.register_callback(tool, sys.monitoring.events.LINE, hear)
    sys.monitoring.set_events(tool, sys.monitoring.events.LINE)
