"""What processes take, as the kernel counts it."""

from pathlib import Path

_PROC = Path("/proc")


def cpu(pid: int) -> float:
    """Seconds of CPU that a process' threads have taken which are there now."""
    total = 0
    for task in (_PROC / str(pid) / "task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def pss(pid: int) -> int:
    """Bytes of memory of a process; what several share counts in parts (smaps_rollup)."""
    lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def children(pid: int, name: str = "ffmpeg") -> list[int]:
    """List the direct children of a process whose name is NAME."""
    lists = [task / "children" for task in (_PROC / str(pid) / "task").iterdir()]
    found = [int(child) for each in lists for child in each.read_text().split()]
    return [child for child in found if (_PROC / str(child) / "comm").read_text().strip() == name]
