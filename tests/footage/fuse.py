"""A kill at any write: the process is no more, what was written stays."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

from custom_components.doorstep.footage import files
from custom_components.doorstep.ledger.database import Database


class Killed(BaseException):
    """What nothing catches."""


class Fuse:
    """Lets `left` writes happen, then kills; None: all."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed

    def guard(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: object, **options: object) -> object:
            self.burn()
            return real(*args, **options)

        return guarded


@contextmanager
def fused() -> Iterator[Fuse]:
    """Guard every write of a library: names and times of files, and transactions."""
    fuse = Fuse()
    with ExitStack() as stack:
        stack.enter_context(patch.object(files, "sync"))
        for owner, name in (
            (os, "utime"),
            (Database, "transaction"),
            (Path, "unlink"),
            (Path, "rename"),
            (Path, "replace"),
        ):
            guarded = fuse.guard(getattr(owner, name))
            stack.enter_context(patch.object(owner, name, guarded))
        yield fuse
