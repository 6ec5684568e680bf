"""The demonstration server: serves the feed, takes uploads, answers good ones with a receipt."""

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
import queue
import ssl
import sys
import threading
import traceback
from typing import Final
from urllib.parse import urlsplit

from . import receipt, requests
from .desk import Desk
from .encoding import text_member
from .errors import AgencyError
from .uploads import Upload, Uploads
from .web import Handler, Site

REFRESH: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to serve. Without a port it is that of the base URL; with a certificate it is TLS."""

    host: str
    port: int | None
    max_bytes: int
    certificate: Path | None = None
    key: Path | None = None


class _Http(ThreadingHTTPServer):
    """Threads that end with the program, and no addresses of homes in any output."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the base class' signature
        """Report a fault of ours; a home that hangs up is none."""
        error = sys.exception()
        if not isinstance(error, OSError):
            print("A fault while answering a request:", *traceback.format_exception(error))


class Server:
    """The demonstration server of one agency."""

    def __init__(self, desk: Desk, settings: Settings) -> None:
        """Bind the port; nothing is answered before `start`. Raises AgencyError."""
        self._desk = desk
        self._arrived: queue.Queue[Upload | None] = queue.Queue()
        self._ended = threading.Event()
        self._uploads = Uploads(desk.incoming, settings.max_bytes)
        site = Site(
            desk.public,
            self._uploads,
            text_member(desk.delivery, "tus", "delivery"),
            self._accepts,
            self._arrived.put,
        )
        handler = type("SiteHandler", (Handler,), {"site": site})
        port = settings.port or urlsplit(desk.text("base_url")).port or 443
        try:
            self._http = _Http((settings.host, port), handler)
        except OSError as error:
            raise AgencyError(f"cannot listen on {settings.host}:{port}: {error}") from error
        if settings.certificate:
            self._secure(settings.certificate, settings.key)
        self._threads = [
            threading.Thread(target=self._http.serve_forever, args=(0.1,)),
            threading.Thread(target=self._open_all),
            threading.Thread(target=self._refresh_regularly),
        ]

    def start(self) -> None:
        """Begin to answer, and take up what an earlier run left unopened."""
        for upload in self._uploads.complete():
            self._arrived.put(upload)
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Return when `stop` was called."""
        self._ended.wait()

    def stop(self) -> None:
        """End everything that was started."""
        self._ended.set()
        self._arrived.put(None)
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join()

    def _secure(self, certificate: Path, key: Path | None) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(certificate, key)
        except OSError as error:
            raise AgencyError(f"cannot use the certificate {certificate}: {error}") from error
        # A client that connects and says nothing must stall its own thread only.
        self._http.socket = context.wrap_socket(
            self._http.socket, server_side=True, do_handshake_on_connect=False
        )

    def _accepts(self, urn: str) -> bool:
        try:
            requests.find(self._desk, urn)
        except AgencyError:
            return False
        return True

    def _open_all(self) -> None:
        while upload := self._arrived.get():
            try:
                print(receipt.take_in(self._desk, upload), flush=True)
            except (AgencyError, OSError) as error:
                print(f"Could not take in an upload: {error}", flush=True)

    def _refresh_regularly(self) -> None:
        while not self._ended.is_set():
            try:
                requests.refresh(self._desk)
            except (AgencyError, OSError) as error:
                print(f"Could not cosign the log: {error}", flush=True)
            self._ended.wait(REFRESH.total_seconds())


def run(desk: Desk, settings: Settings) -> int:
    """Serve until a Ctrl-C."""
    server = Server(desk, settings)
    server.start()
    base = desk.text("base_url")
    print(f"Serving {desk.text('name')} on {settings.host}. Homes are given {base}feed.json")
    print(f"Packages that arrive are opened into {desk.evidence}. Ctrl-C ends it.", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.wait()
    server.stop()
    return 0
