"""Every request the inbox makes: plain GETs that look alike from every home, to public hosts only.

Nothing here may carry a cookie, a credential or a condition; redirects are refused, and a name that
leads into a private network leads nowhere.
"""

from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
import os
import socket
from typing import Final

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from ..errors import FeedError

# read once: nothing that runs later can loosen it
TEST_MODE: Final = os.environ.get("DOORSTEP_TEST_MODE") == "1"
MAX_DESCRIPTOR: Final = 64 * 1024
TIMEOUT: Final = ClientTimeout(total=60, sock_connect=10)
_CHUNK: Final = 1 << 16
_OK: Final = 200
_NOT_FOUND: Final = 404
_REDIRECTS: Final = range(300, 400)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_MAX_URL: Final = 2000


def check_url(text: str) -> URL:
    """Return the URL if Doorstep may ever ask it: https, a host that is not a private address.

    No credentials, no fragment. In test mode http and loopback pass too. Otherwise a FeedError
    (`url_not_allowed`).
    """
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError as error:
        raise FeedError("url_not_allowed") from error
    schemes = {"https", "http"} if TEST_MODE else {"https"}
    if len(text) > _MAX_URL or url.scheme not in schemes or not host or not port:
        raise FeedError("url_not_allowed")
    if url.user is not None or url.password is not None or url.fragment:
        raise FeedError("url_not_allowed")
    try:
        literal = ip_address(host)
    except ValueError:
        return url
    if not _allowed(literal):
        raise FeedError("url_not_allowed")
    return url


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is global unicast, also after unwrapping what IPv6 carries of IPv4."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _allowed(address: IPv4Address | IPv6Address) -> bool:
    return is_public(address) or (TEST_MODE and address.is_loopback)


class PublicResolver(AbstractResolver):
    """The system's resolver without the addresses that don't belong to the public Internet."""

    def __init__(self) -> None:
        """Ask the system."""
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of `host`; none at all is an OSError."""
        found = await self._system.resolve(host, port, family)
        public = [result for result in found if _allowed(ip_address(result["host"]))]
        if not public:
            msg = "no public address"
            raise OSError(msg)
        return public

    async def close(self) -> None:
        """Nothing to close."""


def connector() -> TCPConnector:
    """Return a connector that reaches public addresses only."""
    return TCPConnector(resolver=PublicResolver())


def session() -> ClientSession:
    """Return a session whose requests are the same in every home."""
    return ClientSession(
        connector=connector(),
        cookie_jar=DummyCookieJar(),
        headers={"User-Agent": "Doorstep", "Accept-Encoding": "identity"},
        auto_decompress=False,
        trust_env=False,
        timeout=TIMEOUT,
    )


async def fetch(session: ClientSession, url: URL, cap: int) -> bytes:
    """GET `url`, at most `cap` bytes.

    FeedError keys: `url_not_allowed`, `feed_unreachable`, `feed_redirect`, `feed_not_found` (404),
    `feed_http_status`, `feed_too_large`.
    """
    host = check_url(str(url)).host
    try:
        async with session.get(url, allow_redirects=False) as response:
            _check_status(response, host)
            return b"".join([part async for part in _body(response, host, cap)])
    except (ClientError, TimeoutError, OSError) as error:
        raise FeedError("feed_unreachable", host=host) from error


def _check_status(response: ClientResponse, host: str | None) -> None:
    if response.status in _REDIRECTS:
        raise FeedError("feed_redirect", host=host)
    if response.status == _NOT_FOUND:
        raise FeedError("feed_not_found", host=host)
    if response.status != _OK:
        raise FeedError("feed_http_status", host=host, status=response.status)


async def _body(response: ClientResponse, host: str | None, cap: int) -> AsyncIterator[bytes]:
    size = 0
    async for part in response.content.iter_chunked(_CHUNK):
        size += len(part)
        if size > cap:
            raise FeedError("feed_too_large", host=host, cap=cap)
        yield part
