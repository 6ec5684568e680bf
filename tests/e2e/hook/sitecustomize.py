"""Python loads this at its start: the egress ledger of the Home Assistant that a story boots.

Each connect, look-up and child command line becomes a line of the file that DOORSTEP_EGRESS names.
"""

import os
import sys


def _hear(event: str, args: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"} and isinstance(args[1], tuple):
        _write(f"{event.removeprefix('socket.')} {args[1][0]}")
    elif event in {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}:
        _write(f"look up {args[0]}")
    elif event == "subprocess.Popen":
        _write(f"start {args[1]}")


def _write(line: str) -> None:
    os.write(_FILE, f"{line}\n".encode())


if path := os.environ.get("DOORSTEP_EGRESS"):
    _FILE = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    sys.addaudithook(_hear)
