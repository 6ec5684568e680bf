"""Delivery: tus 1.0.0, core and creation, to one address that a person was shown.

No redirect is followed, and the upload lives where the delivery address does. Nothing here
remembers anything: the courier asks, decides and writes down.
"""

from asyncio import Timeout, get_running_loop, timeout
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from ..errors import DeliveryError, FeedError
from ..inbox.web import check_url

PART: Final = 256 << 20
TAIL: Final = 64 << 10
STALL: Final = 60.0
_TIMEOUT: Final = ClientTimeout(total=None, sock_connect=10)
_VERSION: Final = {"Tus-Resumable": "1.0.0"}
_OK, _CREATED, _NO_CONTENT = 200, 201, 204
_OFFSET_DIGITS = 16
_GONE: Final = frozenset({403, 404, 410})
_REDIRECTS: Final = range(300, 400)
_REFUSALS: Final = range(400, 500)
# for now only: time-out, conflict and lock (another PATCH still open), gone (HEAD tells), too many
_PASSING: Final = frozenset({404, 408, 409, 410, 423, 425, 429})


class RefusedError(DeliveryError):
    """The receiver answers in a way that no repetition will change."""


def next_part(offset: int, size: int) -> int:
    """Say where the next PATCH that begins at `offset` ends; the last one is short.

    So all that stands between "nobody can use it yet" and "delivered" is one small request.
    """
    if offset < size - TAIL:
        return min(offset + PART, size - TAIL)
    return size


class Tus:
    """A client for the uploads at one delivery address.

    DeliveryError keys: `receiver_unreachable`, `receiver_busy` (both pass). RefusedError keys:
    `receiver_refused`, `receiver_redirects`, `receiver_elsewhere` (an upload URL on another
    scheme, host or port), `receiver_confused` (answers against the protocol).
    """

    def __init__(self, session: ClientSession, address: str) -> None:
        """Deliver to `address`; one that isn't allowed is a RefusedError."""
        self._session = session
        self._address = _checked(address)

    async def create(self, size: int, metadata: Mapping[str, str]) -> str:
        """Create an upload of `size` bytes; returns its URL."""
        encoded = (
            f"{name} {b64encode(value.encode()).decode()}" for name, value in metadata.items()
        )
        headers = {"Upload-Length": str(size), "Upload-Metadata": ",".join(encoded)}
        async with self._request("POST", self._address, headers) as answer:
            _expect(answer, _CREATED)
            return str(self._upload(answer.headers.get("Location", "")))

    async def offset(self, upload: str, size: int) -> int | None:
        """Ask how many bytes of `size` have arrived; None when the upload is gone."""
        async with self._request("HEAD", self._upload(upload), {}) as answer:
            if answer.status in _GONE:
                return None
            _expect(answer, _OK, _NO_CONTENT)
            if answer.headers.get("Upload-Length", str(size)) != str(size):
                raise RefusedError("receiver_confused")
            return _offset(answer)

    async def send(self, upload: str, begin: int, end: int, body: AsyncIterator[bytes]) -> None:
        """Send `body`, the bytes from `begin` to `end`; the receiver has to confirm just those."""
        headers = {
            "Upload-Offset": str(begin),
            "Content-Length": str(end - begin),
            "Content-Type": "application/offset+octet-stream",
        }
        async with self._request("PATCH", self._upload(upload), headers, body) as answer:
            _expect(answer, _NO_CONTENT)
            if _offset(answer) != end:
                raise RefusedError("receiver_confused")

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        url: URL,
        headers: Mapping[str, str],
        body: AsyncIterator[bytes] | None = None,
    ) -> AsyncIterator[ClientResponse]:
        try:
            async with (
                timeout(STALL) as patience,
                self._session.request(
                    method,
                    url,
                    headers={**_VERSION, **headers},
                    data=body and _watched(body, patience),
                    allow_redirects=False,
                    timeout=_TIMEOUT,
                ) as answer,
            ):
                yield answer
        except (ClientError, OSError) as error:  # a TimeoutError is an OSError
            raise DeliveryError("receiver_unreachable") from error

    def _upload(self, location: str) -> URL:
        """Resolve an upload's URL: it lives at the delivery address's scheme, host and port."""
        try:
            url = check_url(str(self._address.join(URL(location))))
        except (ValueError, FeedError) as error:
            raise RefusedError("receiver_elsewhere") from error
        here = self._address
        if not location or (url.scheme, url.host, url.port) != (here.scheme, here.host, here.port):
            raise RefusedError("receiver_elsewhere")
        return url


async def _watched(body: AsyncIterator[bytes], patience: Timeout) -> AsyncIterator[bytes]:
    """Give each part of the body as long as a whole request without one may take."""
    async for chunk in body:
        patience.reschedule(get_running_loop().time() + STALL)
        yield chunk


def _expect(answer: ClientResponse, *statuses: int) -> None:
    status = answer.status
    if status in statuses:
        return
    if status in _REDIRECTS:
        raise RefusedError("receiver_redirects")
    if status in _REFUSALS and status not in _PASSING:
        raise RefusedError("receiver_refused", status=status)
    raise DeliveryError("receiver_busy", status=status)


def _offset(answer: ClientResponse) -> int:
    text = answer.headers.get("Upload-Offset", "")
    if not (text.isascii() and text.isdigit() and len(text) <= _OFFSET_DIGITS):
        raise RefusedError("receiver_confused")
    return int(text)


def _checked(address: str) -> URL:
    try:
        return check_url(address)
    except FeedError as error:
        raise RefusedError("receiver_elsewhere") from error
