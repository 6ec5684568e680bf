"""Doorstep to try out: a simulated doorbell, an agency, a real Home Assistant, all on loopback.

Everything it makes lies in `.develop/` (or the folder that DEVELOP_FOLDER names); the second start
finds what the first has set up.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Sequence
import contextlib
from dataclasses import asdict, dataclass
import fcntl
import json
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time
from typing import Any, Final, Self
import urllib.request

from .children import LOOPBACK, ROOT, Child, HouseError, free_port, is_free, wait_for_port
from .doorbell import Doorbell
from .house import HomeAssistant

FOLDER: Final = Path(os.environ.get("DEVELOP_FOLDER", ROOT / ".develop"))
STATE: Final = FOLDER / "house.json"
AGENCY: Final = FOLDER / "agency"
# A demonstration on loopback; these are printed anyway.
USER: Final = "owner"
PASSWORD: Final = "doorstep"  # noqa: S105 - shown to whoever plays here
CAMERA: Final = {"user": "door", "password": "bell"}
HOME: Final = (52.3731, 4.8922)
AREA: Final = f"{HOME[0]},{HOME[1]},200"
JURISDICTION: Final = f"{HOME[0]},{HOME[1]},5000"
ASK: Final = (
    *("ask", str(AGENCY), "--around", AREA, "--last", "30m", "--case", "24-118"),
    *("--incident", "theft", "--summary", "A bicycle was taken from a front garden."),
    *("--officer", "A. Jansen", "--supervisor", "B. de Vries"),
)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What was chosen at the first start and has to stay."""

    doorbell: int
    agency: int
    webhook: str

    @classmethod
    def load(cls) -> Self | None:
        """Return those of an earlier start that was finished, if there was one."""
        if not STATE.exists():
            return None
        return cls(**json.loads(STATE.read_text())["numbers"])


class Development:
    """The parts that run, and how to end them."""

    def __init__(self, port: int) -> None:
        """Prepare; nothing runs yet."""
        for name in ("home", "doorbell"):
            (FOLDER / name).mkdir(parents=True, exist_ok=True)
        known = Numbers.load()
        self.numbers = known or Numbers(free_port(), free_port(), "")
        self.fresh = known is None
        self.took: dict[str, float] = {}
        env = {"DOORSTEP_TEST_MODE": "1"}
        self.home = HomeAssistant(FOLDER / "home", port=port, env=env, home=HOME)
        self.doorbell = Doorbell(FOLDER / "doorbell", port=self.numbers.doorbell, **CAMERA)
        serve = [sys.executable, "-u", "-m", "agency", "serve", str(AGENCY)]
        self.agency = Child("the agency", serve, FOLDER / "agency.log", {"PYTHONPATH": str(ROOT)})

    async def start(self) -> None:
        """Start all parts at once, then set Doorstep up if that was not done before."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._timed("doorbell", self.doorbell.start()))
                group.create_task(self._timed("agency", self._start_agency()))
                group.create_task(self._timed("Home Assistant", self._start_home()))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
        if self.fresh:
            await self._timed("setting Doorstep up", self._set_up())
        self._save()

    async def stop(self) -> None:
        """End all parts."""
        await asyncio.gather(self.home.stop(), self.doorbell.stop(), self.agency.stop())

    async def watch(self, ended: asyncio.Event) -> None:
        """Print what arrives at the agency until ENDED is set. Raises HouseError if a part dies."""
        with self.agency.log.open() as log:
            log.seek(0, 2)
            while not ended.is_set():
                for child in (self.home.child, self.doorbell.child, self.agency):
                    child.check()
                print(log.read(), end="", flush=True)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), 0.5)

    async def _timed(self, name: str, work: Awaitable[None]) -> None:
        begun = time.monotonic()
        await work
        self.took[name] = time.monotonic() - begun

    async def _start_agency(self) -> None:
        port = self.numbers.agency
        if not (AGENCY / "agency.json").exists():
            shutil.rmtree(AGENCY, ignore_errors=True)
            url = f"http://{LOOPBACK}:{port}/"
            where = ("--base-url", url, "--jurisdiction-around", JURISDICTION)
            await _agency("init", str(AGENCY), "--name", "Example Police", *where)
        await _agency("statement", str(AGENCY))
        await self.agency.start()
        await wait_for_port(self.agency, port)

    async def _start_home(self) -> None:
        await self.home.start()
        await self.home.wait_ready()
        if self.fresh:
            await self.home.onboard(USER, PASSWORD)
        else:
            await self.home.log_in(USER, PASSWORD)

    async def _set_up(self) -> None:
        library = FOLDER / "home" / ".cache" / "doorstep"
        entry = await self.home.flow("doorstep", {"library": str(library)}, {})
        entry_id = entry["result"]["entry_id"]
        bell = {
            "name": "Front door",
            "url": self.doorbell.url,
            "username": self.doorbell.user,
            "password": self.doorbell.password,
        }
        answers: tuple[dict[str, object], ...] = (
            {"next_step_id": "direct"},
            {**bell},
            {},
            {"audio": True},
        )
        made = await self.home.subentry_flow(entry_id, "doorbell", *answers)
        webhook = made["placeholders"]["url"].rpartition("/")[2]
        feed = {"url": f"http://{LOOPBACK}:{self.numbers.agency}/feed.json"}
        await self.home.subentry_flow(entry_id, "feed", feed, {})
        self.numbers = Numbers(self.numbers.doorbell, self.numbers.agency, webhook)

    def _save(self) -> None:
        webhook = f"{self.home.url}/api/webhook/{self.numbers.webhook}"
        state = {"numbers": asdict(self.numbers), "webhook": webhook, "port": self.home.port}
        STATE.write_text(json.dumps(state))
        STATE.chmod(0o600)


def told(parts: Development, port: int, seconds: float) -> str:
    """Return what to print once everything runs."""
    took = ", ".join(f"{name} {spent:.1f} s" for name, spent in parts.took.items())
    hook = f"{parts.home.url}/api/webhook/{parts.numbers.webhook}"
    return f"""
Doorstep runs after {seconds:.1f} s ({took}).

  Home Assistant    http://localhost:{port}      user: {USER}   password: {PASSWORD}
  Doorstep's desk   http://localhost:{port}/doorstep
  the agency        http://{LOOPBACK}:{parts.numbers.agency}/feed.json
  the doorbell      {parts.doorbell.url}      to add one yourself; it takes any user

Try, in another terminal:
  scripts/develop press      rings the bell; its clip is closed about 20 s later
  scripts/develop motion     motion for three seconds
  scripts/develop ask        the agency asks for the last 30 minutes around the home
then confirm the agency at the desk, look at the request, approve or decline it. A package that you
approve is delivered after a moment in which it can be undone, and appears opened and checked in
  {_short(AGENCY)}/evidence/

The same by hand:
  curl -X POST '{hook}?event=ring'        (motion_on, motion_off)
  .venv-ha/bin/python -m agency {" ".join(_quoted(word) for word in ASK)}
  .venv-ha/bin/python -m agency --help

Logs: home/console.log, agency.log and doorbell/go2rtc.log in {_short(FOLDER)}/
Ctrl-C ends everything.
"""


async def run(port: int, begun: float) -> None:
    """Start everything, wait for Ctrl-C or SIGTERM, end everything."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    parts = Development(port)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    starting = asyncio.create_task(parts.start())
    stopping = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            print(told(parts, port, time.monotonic() - begun), flush=True)
            await parts.watch(ended)
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        await parts.stop()


def press(*events: str) -> int:
    """Report events to the webhook of the doorbell that runs, three seconds apart."""
    hook = _running()["webhook"]
    for number, event in enumerate(events):
        if number:
            time.sleep(3)
        call = urllib.request.Request(f"{hook}?event={event}", method="POST")  # noqa: S310 - ours
        with urllib.request.urlopen(call, timeout=10) as answer:  # noqa: S310 - ours
            print(f"{event}: {answer.status}")
    return 0


def ask() -> int:
    """Let the agency publish a request around the home, and Doorstep read it at once."""
    port = int(_running()["port"])
    code = subprocess.call([sys.executable, "-m", "agency", *ASK], cwd=ROOT)
    if code == 0:
        asyncio.run(_read_now(port))
    return code


async def _read_now(port: int) -> None:
    """Reload Doorstep, which reads its feeds when it starts and every five minutes else."""
    home = HomeAssistant(FOLDER / "home", port=port)
    try:
        await home.log_in(USER, PASSWORD)
        [entry] = await home.api("GET", "/api/config/config_entries/entry?domain=doorstep")
        await home.api("POST", f"/api/config/config_entries/entry/{entry['entry_id']}/reload")
    finally:
        await home.stop()
    print("Reloaded Doorstep, so that it reads now: look at the desk.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/develop", description=__doc__)
    parser.add_argument("act", nargs="?", choices=("press", "motion", "ask"), help="on what runs")
    parser.add_argument("--port", type=int, default=8123, help="of Home Assistant (%(default)s)")
    parser.add_argument("--reset", action="store_true", help="forget what earlier starts made")
    chosen = parser.parse_args(arguments)
    acts: dict[str, Callable[[], int]] = {
        "press": lambda: press("ring"),
        "motion": lambda: press("motion_on", "motion_off"),
        "ask": ask,
    }
    try:
        return acts[chosen.act]() if chosen.act else _develop(chosen.port, reset=chosen.reset)
    except (HouseError, OSError) as error:
        print(f"develop: {error}", file=sys.stderr)
        return 1


def _develop(port: int, *, reset: bool) -> int:
    begun = time.monotonic()
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HouseError("it runs already; end that one first") from error
        if not is_free(port):
            raise HouseError(f"port {port} is taken; choose another with --port")
        if reset or not STATE.exists():
            _forget()
        asyncio.run(run(port, begun))
    return 0


def _forget() -> None:
    """Remove what an earlier or unfinished start made, but the encoded picture."""
    STATE.unlink(missing_ok=True)
    for path in (FOLDER / "home", AGENCY):
        shutil.rmtree(path, ignore_errors=True)


def _running() -> dict[str, Any]:
    if not STATE.exists():
        raise HouseError("start scripts/develop first")
    state: dict[str, Any] = json.loads(STATE.read_text())
    return state


def _quoted(word: str) -> str:
    name = _short(word)
    return f'"{name}"' if " " in name else name


def _short(path: Path | str) -> str:
    return str(path).replace(f"{ROOT}/", "")


async def _agency(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agency", *arguments),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise HouseError(f"agency {arguments[0]}: {said.decode()}")


if __name__ == "__main__":
    sys.exit(main())
