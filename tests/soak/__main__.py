"""Play rounds: for some minutes with random seeds, or those that are asked for."""

import os

# before anything of Doorstep is imported: it reads the switch once
os.environ["DOORSTEP_TEST_MODE"] = "1"

from argparse import ArgumentParser, Namespace
from collections import Counter, defaultdict
from secrets import randbits
import sys
from time import monotonic

from .rounds import KINDS, play


class Tally:
    """What all rounds came to."""

    def __init__(self) -> None:
        self.rounds: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.facts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.failed: list[tuple[str, int]] = []

    def play(self, kind: str, seed: int) -> None:
        """Play a round and say how it went."""
        say(f"{kind} --seed {seed}: ", end="")
        outcome = play(kind, seed)
        self.rounds[kind] += 1
        self.seconds[kind] += outcome.seconds
        self.facts[kind].update(outcome.facts)
        said = " ".join(f"{name}={count}" for name, count in outcome.facts.items())
        if outcome.remains:
            self.failed.append((kind, seed))
            said = f"FAILED, see {outcome.remains}"
        say(f"{outcome.seconds:.1f} s {said}")

    def next(self, kinds: list[str]) -> str:
        """Choose the kind that had least of its share of time."""
        return min(kinds, key=lambda kind: self.seconds[kind] / KINDS[kind].share)

    def close(self) -> int:
        """Print the sum; 1 if a round failed."""
        for kind, count in self.rounds.items():
            facts = " ".join(f"{name}={n}" for name, n in sorted(self.facts[kind].items()))
            say(f"{kind}: {count} rounds in {self.seconds[kind]:.0f} s: {facts}")
        for kind, seed in self.failed:
            say(f"FAILED: scripts/soak --kind {kind} --seed {seed}")
        return 1 if self.failed else 0


def say(text: str, end: str = "\n") -> None:
    """Talk to the person who started this."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def arguments() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(prog="scripts/soak")
    parser.add_argument("minutes", nargs="?", type=float, default=5.0)
    parser.add_argument("--kind", action="append", choices=KINDS, dest="kinds")
    parser.add_argument("--seed", type=int, help="play this seed instead of random ones")
    parser.add_argument("--rounds", type=int, default=1, help="with --seed: and so many after it")
    return parser.parse_args()


def main(asked: Namespace) -> int:
    """Play, and return the exit status."""
    kinds, tally = asked.kinds or list(KINDS), Tally()
    if asked.seed is not None:
        for kind in kinds:
            for seed in range(asked.seed, asked.seed + asked.rounds):
                tally.play(kind, seed)
        return tally.close()
    end = monotonic() + 60 * asked.minutes
    while monotonic() < end:
        tally.play(tally.next(kinds), randbits(32))
    return tally.close()


if __name__ == "__main__":
    sys.exit(main(arguments()))
