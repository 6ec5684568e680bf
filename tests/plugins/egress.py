"""The egress ledger: what the test process connects to, looks up and starts, test by test.

An audit hook (PEP 578) hears every connect, look-up and child command line of the process. Each
test's are compared with `tests/egress/<module>.json`; one that isn't written there fails the test.
So the suite itself shows that nothing leaves the house unless a test expects it to.

`pytest --egress-update <file>` writes what it saw instead of comparing (run each module alone, so
that shared fixtures start in each of them); read the difference before you commit it.
"""

import json
import os
from pathlib import Path
import re
import sys
from typing import Any, Final

import pytest

FOLDER: Final = Path(__file__).parent.parent / "egress"
_UPDATE: Final = "--egress-update"
_LOOKUPS: Final = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_SECRET_LIKE: Final = re.compile(r"[0-9a-f]{8,}|\d+")


class Ledger:
    """Collects lines for the test that runs now."""

    def __init__(self) -> None:
        self.lines: set[str] = set()

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        """Write a line for an audit event that reaches out of the process."""
        if event == "socket.connect":
            self.lines.add(f"connect {_address(args[1])}")
        elif event == "socket.sendto":
            self.lines.add(f"send {_address(args[1])}")
        elif event in _LOOKUPS:
            self.lines.add(f"look up {_text(args[0])}")
        elif event == "subprocess.Popen" or event in {"os.exec", "os.posix_spawn"}:
            self.lines.add(f"start {_command(args[1])}")
        elif event == "os.system":
            self.lines.add(f"start {_mask(_text(args[0]))}")


LEDGER: Final = Ledger()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_UPDATE, action="store_true", help="write the egress ledger anew")


def pytest_configure(config: pytest.Config) -> None:
    # a hook can't be taken out again, so the process has exactly one
    sys.addaudithook(LEDGER.hear)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Any:
    LEDGER.lines.clear()
    result = yield
    _settle(item, "set-up")
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    LEDGER.lines.clear()
    result = yield
    _settle(item, item.nodeid.partition("::")[2].partition("[")[0])
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Any:
    LEDGER.lines.clear()
    result = yield
    _settle(item, "tear-down")
    return result


def _settle(item: pytest.Item, part: str) -> None:
    """Compare what was heard with what is written, or write it."""
    heard = sorted(LEDGER.lines)
    if not heard:
        return
    file = FOLDER / f"{'.'.join(item.path.relative_to(FOLDER.parent).with_suffix('').parts)}.json"
    written: dict[str, list[str]] = json.loads(file.read_text()) if file.exists() else {}
    known = {*written.get(part, []), *_everywhere(written)}
    unknown = [line for line in heard if line not in known]
    if not unknown:
        return
    if item.config.getoption(_UPDATE):
        written[part] = sorted({*written.get(part, []), *heard})
        FOLDER.mkdir(exist_ok=True)
        file.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n")
        return
    lines = "\n".join(f"  {line}" for line in unknown)
    pytest.fail(f"egress that {file.name} does not know ({part}):\n{lines}", pytrace=False)


def _everywhere(written: dict[str, list[str]]) -> set[str]:
    """Lines that count for the whole module: children, and what stays on this machine.

    A recorder that tries again does so when it does, perhaps in the next test. What would leave
    the machine is known test by test only.
    """
    local = ("start ", "connect 127.0.0.1:", "connect unix", "send 127.0.0.1:")
    return {line for lines in written.values() for line in lines if line.startswith(local)}


def _address(address: Any) -> str:
    if isinstance(address, tuple):
        host = address[0]
        return f"{host}:*" if host in {"127.0.0.1", "::1"} else f"{host}:{address[1]}"
    return "unix socket"


def _text(value: Any) -> str:
    return os.fsdecode(value) if isinstance(value, bytes | os.PathLike) else str(value)


def _command(arguments: Any) -> str:
    """One line for a child: its name and arguments, without what changes from run to run."""
    words = [arguments] if isinstance(arguments, str | bytes) else list(arguments)
    name, *rest = [_text(word) for word in words]
    return " ".join([Path(name).name, *map(_mask, rest)])


def _mask(word: str) -> str:
    """Replace folders, and numbers that differ, by what they are."""
    word = re.sub(r"(?:(?<=^)|(?<=[=:' \"]))/(?:[^/\s]+/)*", "<folder>/", word)
    return _SECRET_LIKE.sub("N", word)[:400]
