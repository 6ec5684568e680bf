"""HTTP of the demonstration server: static files of the feed, and tus 1.0.0 below `/uploads/`."""

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
import os
from pathlib import Path
import threading
from typing import Final
from urllib.parse import unquote, urlsplit

from .errors import AgencyError
from .uploads import Upload, Uploads, parse_metadata, receive

VERSION: Final = "1.0.0"
_PATIENCE: Final = 30
_TYPES: Final = {".json": "application/json", ".jws": "application/jose"}
_BLOCK: Final = 1 << 16


class Site:
    """What the handlers of all connections share."""

    def __init__(
        self,
        public: Path,
        uploads: Uploads,
        address: str,
        accepts: Callable[[str], bool],
        arrived: Callable[[Upload], None],
    ) -> None:
        """Take the folder to serve, the uploads, and the URL below which they are addressed.

        ACCEPTS says whether packages for a request (its URN) are wanted; ARRIVED is told of each
        complete upload.
        """
        self.public = public.resolve()
        self.uploads = uploads
        self.address = address
        self.path = urlsplit(address).path
        self.accepts = accepts
        self.arrived = arrived
        self.busy: set[str] = set()
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    """One connection. `site` is set by a subclass that the server makes."""

    site: Site
    protocol_version = "HTTP/1.1"
    server_version = "agency"
    sys_version = ""
    timeout = _PATIENCE

    def do_GET(self) -> None:
        """Answer with a file."""
        self._send_file(body=True)

    def do_HEAD(self) -> None:
        """Answer with the offset of an upload, or with the size of a file."""
        if not self._is_upload():
            self._send_file(body=False)
        elif upload := self._upload():
            headers = {
                "Upload-Offset": str(upload.offset),
                "Upload-Length": str(upload.length),
                "Cache-Control": "no-store",
            }
            self._answer(HTTPStatus.OK, headers)

    def do_OPTIONS(self) -> None:
        """Say what of tus is spoken here."""
        headers = {
            "Tus-Version": VERSION,
            "Tus-Extension": "creation",
            "Tus-Max-Size": str(self.site.uploads.max_bytes),
        }
        self._answer(HTTPStatus.NO_CONTENT, headers)

    def do_POST(self) -> None:
        """Create an upload."""
        length = self.headers.get("Upload-Length", "")
        if urlsplit(self.path).path != self.site.path:
            self._refuse(HTTPStatus.NOT_FOUND, "nothing is taken here")
        elif self._speaks_tus():
            if not _is_number(length):
                self._refuse(HTTPStatus.BAD_REQUEST, "Upload-Length is missing or no number")
            elif int(length) > self.site.uploads.max_bytes:
                self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the package is too large")
            else:
                self._create(int(length))

    def do_PATCH(self) -> None:
        """Take bytes of an upload."""
        if not self._speaks_tus() or (upload := self._upload()) is None:
            return
        with self.site.lock:
            taken = upload.id in self.site.busy
            self.site.busy.add(upload.id)
        if taken:
            self._refuse(HTTPStatus.LOCKED, "another request writes to this upload")
            return
        try:
            self._patch(upload)
        finally:
            self.site.busy.discard(upload.id)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Keep addresses of homes out of any log."""

    def _create(self, length: int) -> None:
        try:
            metadata = parse_metadata(self.headers.get("Upload-Metadata", ""))
            if not self.site.accepts(metadata.get("request", "")):
                self._refuse(HTTPStatus.FORBIDDEN, "no open request of this agency is named")
                return
            upload = self.site.uploads.create(length, metadata)
        except AgencyError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        self._answer(HTTPStatus.CREATED, {"Location": f"{self.site.address}{upload.id}"})

    def _patch(self, upload: Upload) -> None:
        length = self.headers.get("Content-Length", "")
        offset = self.headers.get("Upload-Offset", "")
        kind = self.headers.get("Content-Type")
        if kind != "application/offset+octet-stream":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "tus wants its own content type")
        elif not _is_number(length):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "Content-Length is missing")
        elif not _is_number(offset) or int(offset) != upload.offset:
            self._refuse(HTTPStatus.CONFLICT, f"the offset is {upload.offset}")
        elif int(offset) + int(length) > upload.length:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "more than was announced")
        else:
            receive(upload, self.rfile, int(length))
            complete = upload.complete
            self._answer(HTTPStatus.NO_CONTENT, {"Upload-Offset": str(upload.offset)})
            if complete:
                self.site.arrived(upload)

    def _is_upload(self) -> bool:
        return urlsplit(self.path).path.startswith(self.site.path)

    def _upload(self) -> Upload | None:
        """Return the upload that the path names, or answer 404."""
        name = urlsplit(self.path).path.removeprefix(self.site.path)
        upload = self.site.uploads.find(name) if self._is_upload() else None
        if upload is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such upload")
        return upload

    def _speaks_tus(self) -> bool:
        if self.headers.get("Tus-Resumable") == VERSION:
            return True
        self._refuse(HTTPStatus.PRECONDITION_FAILED, f"Tus-Resumable: {VERSION} is wanted")
        return False

    def _send_file(self, *, body: bool) -> None:
        path = self._file()
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such file")
            return
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES.get(path.suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(size))
            self.send_header("Cache-Control", "no-cache")
            self.end_headers()
            while body and (block := file.read(_BLOCK)):
                self.wfile.write(block)

    def _file(self) -> Path | None:
        """Return the public file that the path names, if there is one."""
        name = unquote(urlsplit(self.path).path).lstrip("/")
        try:
            path = (self.site.public / name).resolve()
        except OSError, ValueError:
            return None
        return path if path.is_relative_to(self.site.public) and path.is_file() else None

    def _answer(self, status: HTTPStatus, headers: dict[str, str], text: str = "") -> None:
        self.send_response(status)
        self.send_header("Tus-Resumable", VERSION)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        # What the client still sends is not read: the connection cannot be used again.
        self.close_connection = True
        self._answer(status, {"Connection": "close", "Content-Type": "text/plain"}, f"{text}\n")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15  # noqa: PLR2004 - petabytes
