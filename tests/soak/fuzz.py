"""Everything that comes from outside, damaged: only typed errors come out, nothing forged in."""

from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random

from . import inputs

_EACH = 40

type Target = Callable[[Random], object]


@cache
def prepare() -> dict[str, Target]:
    """Make the valid inputs that all rounds damage."""
    return inputs.targets()


def play(dice: Random, folder: Path) -> Counter[str]:
    """Damage each input some times."""
    counts = Counter[str]()
    targets = prepare() | inputs.in_folder(folder)
    for name, target in targets.items():
        for _ in range(_EACH):
            state = dice.getrandbits(64)
            counts[_try(name, partial(target, Random(state)), state)] += 1
    return counts


def _try(name: str, attempt: Callable[[], object], state: int) -> str:
    try:
        attempt()
    except inputs.EXPECTED[name]:
        return "refused"
    except Exception as error:
        error.add_note(f"input: {name}, state: {state}")
        raise
    return "taken"
