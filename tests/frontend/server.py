"""Serves the panel, the harness page and the test's own files on loopback: run as a child process.

Usage: python -m tests.frontend.server FOLDER, with the files that the harness calls /media/. Prints
its port.
"""

import json
from pathlib import Path
import socket
import sys
from typing import Final

from aiohttp import web

HERE: Final = Path(__file__).parent
COMPONENT: Final = HERE.parent.parent / "custom_components" / "doorstep"
WORDS: Final = COMPONENT / "translations" / "en.json"


async def page(_request: web.Request) -> web.FileResponse:
    """Answer every address of the panel with the harness, as Home Assistant does with its page."""
    return web.FileResponse(HERE / "harness.html")


async def words(_request: web.Request) -> web.Response:
    """Answer with the sentences that Home Assistant would send."""
    return web.json_response(json.loads(WORDS.read_text())["common"])


def main() -> None:
    app = web.Application()
    app.router.add_get("/words.json", words)
    app.router.add_get("/doorstep{path:.*}", page)
    app.router.add_static("/panel/", COMPONENT / "frontend")
    app.router.add_static("/harness/", HERE)
    app.router.add_static("/media/", Path(sys.argv[1]))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        web.run_app(app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
