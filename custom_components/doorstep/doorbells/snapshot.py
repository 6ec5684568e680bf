"""One picture from a camera's snapshot address, asked for as the camera wants to be asked."""

from dataclasses import dataclass
from http import HTTPStatus
import re
from typing import Final, cast

from aiohttp import (
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DigestAuthMiddleware,
    encode_basic_auth,
)
from aiohttp.hdrs import AUTHORIZATION, WWW_AUTHENTICATE
from yarl import URL

from ..errors import CameraError

PATIENCE: Final = 10.0
"""Seconds for the whole exchange: a camera that sleeps must not hold up an event."""

MAX_PICTURE: Final = 16 << 20
"""Bytes; more than any doorbell's sensor makes of one JPEG."""

_CHUNK: Final = 1 << 16
_JPEG: Final = b"\xff\xd8\xff"
_REFUSALS: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_DIGEST = re.compile(r"(?:^|,)\s*(digest\s.*)", re.IGNORECASE | re.DOTALL)
_BASIC = re.compile(r"(?:^|,)\s*basic\b", re.IGNORECASE)


async def fetch_snapshot(
    session: ClientSession, url: str, username: str | None = None, password: str | None = None
) -> bytes:
    """GET a JPEG of at most MAX_PICTURE bytes; redirects are not followed.

    CameraError keys: `camera_unauthorized`, `camera_timeout`, `snapshot_failed`,
    `snapshot_not_jpeg`, `snapshot_status`, `snapshot_too_large`. None of them names the address:
    many cameras want their password in it.
    """
    if username and ":" in username:
        # neither Basic nor Digest can say such a name
        raise CameraError("camera_unauthorized")
    login = (_Login(username, password or ""),) if username else ()
    try:
        async with session.get(
            url,
            allow_redirects=False,
            middlewares=login,
            timeout=ClientTimeout(total=PATIENCE),
        ) as response:
            return await _picture(response)
    except TimeoutError:
        raise CameraError("camera_timeout") from None
    except ClientError, OSError, ValueError:
        raise CameraError("snapshot_failed") from None


async def _picture(response: ClientResponse) -> bytes:
    if response.status in _REFUSALS:
        raise CameraError("camera_unauthorized")
    if response.status != HTTPStatus.OK:
        raise CameraError("snapshot_status", status=response.status)
    jpeg = bytearray()
    async for part in response.content.iter_chunked(_CHUNK):
        jpeg += part
        if not jpeg.startswith(_JPEG[: len(jpeg)]):
            break
        if len(jpeg) > MAX_PICTURE:
            raise CameraError("snapshot_too_large")
    if not jpeg.startswith(_JPEG):
        raise CameraError("snapshot_not_jpeg")
    return bytes(jpeg)


@dataclass(frozen=True, slots=True)
class _Challenge:
    """As much of a response as the answer to a Digest challenge needs."""

    url: URL
    headers: dict[str, str]
    status: int = HTTPStatus.UNAUTHORIZED


@dataclass(frozen=True, slots=True)
class _Login:
    """Says who asks once the camera wants to know: by Digest wherever it is offered."""

    username: str
    password: str

    async def __call__(self, request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        response = await handler(request)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        offered = response.headers.getall(WWW_AUTHENTICATE, [])
        if digest := next(filter(None, map(_DIGEST.search, offered)), None):
            return await self._digest(request, handler, response, digest[1])
        if any(map(_BASIC.search, offered)):
            response.release()
            request.headers[AUTHORIZATION] = encode_basic_auth(self.username, self.password)
            return await handler(request)
        return response

    async def _digest(
        self,
        request: ClientRequest,
        handler: ClientHandlerType,
        response: ClientResponse,
        challenge: str,
    ) -> ClientResponse:
        # aiohttp's middleware looks at the first challenge only, and would ask once more for it
        stand_in = cast("ClientResponse", _Challenge(request.url, {"www-authenticate": challenge}))
        unheard = [stand_in]

        async def answer(request: ClientRequest) -> ClientResponse:
            if unheard:
                return unheard.pop()
            response.release()
            return await handler(request)

        try:
            answered = await DigestAuthMiddleware(self.username, self.password)(request, answer)
        except ClientError:
            response.close()
            raise
        return response if answered is stand_in else answered
