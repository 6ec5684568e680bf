"""One round: a kind and a seed, played in a process and a folder of its own."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
from random import Random
import shutil
import signal
from tempfile import mkdtemp
from time import monotonic

from . import (
    cuts,
    disk,
    flapping,
    fuzz,
    kills,
    mutants,
    network,
    recorder,
    recordings,
    transactions,
)
from .death import Death, fork

type Facts = Mapping[str, int]

_PATIENCE = 400


@dataclass(frozen=True, slots=True)
class Kind:
    """How a round is played; `prepare` is done once, for all rounds; `share` of a soak's time."""

    play: Callable[[Random, Path], Facts]
    prepare: Callable[[], object] = bool
    share: float = 1.0


KINDS: dict[str, Kind] = {
    "kills": Kind(kills.play, kills.prepare),
    "recordings": Kind(recordings.play),
    "cuts": Kind(cuts.play, kills.prepare),
    "fuzz": Kind(fuzz.play, fuzz.prepare),
    "transactions": Kind(transactions.play),
    "mutants": Kind(mutants.play, share=2.0),
    "network": Kind(network.play),
    "recorder": Kind(recorder.play, recorder.prepare),
    "disk": Kind(disk.play),
    "flapping": Kind(flapping.play, flapping.prepare),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a round: its seconds, what it counted, or else where its remains lie."""

    seconds: float
    facts: Facts
    remains: Path | None


def play(kind: str, seed: int) -> Outcome:
    """Play a round; what goes wrong is printed, and its folder is kept."""
    KINDS[kind].prepare()
    folder, begun = Path(mkdtemp(prefix=f"doorstep-{kind}-{seed}-")), monotonic()
    told = folder / "outcome.json"

    def job() -> None:
        os.setpgrp()
        signal.alarm(_PATIENCE)
        place = folder / "round"
        place.mkdir()
        told.write_text(json.dumps(KINDS[kind].play(Random(seed), place)))

    child = fork(job, Death())
    os.waitpid(child, 0)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    seconds = monotonic() - begun
    if not told.exists():
        return Outcome(seconds, {}, folder)
    facts: Facts = json.loads(told.read_text())
    shutil.rmtree(folder)
    return Outcome(seconds, facts, None)
