from collections.abc import AsyncIterator
from ipaddress import ip_address
import socket
import time
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from aiohttp.resolver import ThreadedResolver
import pytest
from yarl import URL

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox import web
from tests.simulators.webserver import Reply, WebServer

from .world import error_key

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere but in tests."""
    monkeypatch.setattr(web, "TEST_MODE", False)


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with web.session() as session:
        yield session


async def key_of(session: ClientSession, url: str, cap: int = 1000) -> str:
    with pytest.raises(FeedError) as caught:
        await web.fetch(session, URL(url), cap)
    return caught.value.key


@pytest.mark.parametrize(
    "url",
    [
        "https://feed.example.gov/feed.json",
        "https://feed.example.gov:8443/a/b?c=d",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
    ],
)
@pytest.mark.usefixtures("strict")
def test_public_https_may_be_asked(url: str) -> None:
    assert str(web.check_url(url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "feed.example.gov",
        "/feed.json",
        "//feed.example.gov/",
        "http://feed.example.gov/",
        "ftp://feed.example.gov/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://user@feed.example.gov/",
        "https://user:secret@feed.example.gov/",
        "https://:secret@feed.example.gov/",
        "https://feed.example.gov/#fragment",
        "https://feed.example.gov:0/",
        "https://feed.example.gov:99999/",
        "https://[::1",
        "https://feed.example.gov/" + "a" * 2000,
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.1.1/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
    ],
)
@pytest.mark.usefixtures("strict")
def test_anything_else_may_not(url: str) -> None:
    assert error_key(web.check_url, url) == "url_not_allowed"


def test_test_mode_adds_http_and_loopback_only() -> None:
    assert web.check_url("http://127.0.0.1:8123/").host == "127.0.0.1"
    assert web.check_url("http://[::1]/").host == "::1"
    for url in ("http://10.0.0.1/", "ftp://127.0.0.1/", "http://0.0.0.0/"):
        assert error_key(web.check_url, url) == "url_not_allowed"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::808:808", True),
        ("2002:808:808::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("127.0.0.1", False),
        ("169.254.0.1", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("::7f00:1", False),
        ("fc00::1", False),
        ("fe80::1%eth0", False),
        ("fec0::1", False),
        ("ff0e::1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:224.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b:1::808:808", False),
        ("2002:7f00:1::1", False),
        ("2001:0:808:808::", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert web.is_public(ip_address(address)) is public


async def _resolve(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    async def found(*_: Any) -> list[dict[str, Any]]:
        return [{"host": address} for address in addresses]

    monkeypatch.setattr(ThreadedResolver, "resolve", found)
    resolver = web.PublicResolver()
    results = await resolver.resolve("feed.example.gov", 443, socket.AF_UNSPEC)
    await resolver.close()
    return [result["host"] for result in results]


@pytest.mark.usefixtures("strict")
async def test_private_addresses_of_a_name_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    found = await _resolve(monkeypatch, "10.0.0.1", "8.8.8.8", "::1", "2606:4700::1111")
    assert found == ["8.8.8.8", "2606:4700::1111"]


@pytest.mark.usefixtures("strict")
async def test_a_name_with_private_addresses_only_leads_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(OSError, match="no public address"):
        await _resolve(monkeypatch, "127.0.0.1", "192.168.0.1")


async def test_in_test_mode_loopback_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await _resolve(monkeypatch, "127.0.0.1", "192.168.0.1") == ["127.0.0.1"]


async def test_the_sessions_resolver_is_asked(
    session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def found(*_: Any) -> list[dict[str, Any]]:
        return [{"host": "10.0.0.1"}]

    monkeypatch.setattr(ThreadedResolver, "resolve", found)
    assert await key_of(session, "https://feed.example.gov/") == "feed_unreachable"


async def test_what_is_asked_is_the_same_in_every_home(
    server: WebServer, session: ClientSession
) -> None:
    server.replies["/a"] = Reply(
        body=b"hello", headers={"Set-Cookie": "home=1", "ETag": '"1"', "Last-Modified": "now"}
    )
    for _ in range(2):
        assert await web.fetch(session, URL(server.url + "a"), 5) == b"hello"
    for request in server.requests:
        assert request.method == "GET"
        assert request.headers == {
            "host": f"127.0.0.1:{server.port}",
            "user-agent": "Doorstep",
            "accept-encoding": "identity",
            "accept": "*/*",
        }


@pytest.mark.parametrize(
    ("reply", "key"),
    [
        (Reply(status=301, headers={"Location": "http://127.0.0.1:1/"}), "feed_redirect"),
        (Reply(status=302, headers={"Location": "https://10.0.0.1/"}), "feed_redirect"),
        (Reply(status=304), "feed_redirect"),
        (Reply(status=404), "feed_not_found"),
        (Reply(status=204), "feed_http_status"),
        (Reply(status=500), "feed_http_status"),
        (Reply(body=b"x" * 1001), "feed_too_large"),
    ],
)
async def test_other_answers_are_errors(
    server: WebServer, session: ClientSession, reply: Reply, key: str
) -> None:
    server.replies["/a"] = reply
    assert await key_of(session, server.url + "a") == key
    assert server.paths == ["/a"]


async def test_a_hundred_megabytes_are_cut_at_the_cap(
    server: WebServer, session: ClientSession
) -> None:
    server.replies["/feed.json"] = Reply(body=b'{"name":"', length=100_000_000)
    started = time.monotonic()
    assert await key_of(session, server.url + "feed.json", web.MAX_DESCRIPTOR) == "feed_too_large"
    assert time.monotonic() - started < 1


async def test_a_compressed_bomb_stays_small(server: WebServer, session: ClientSession) -> None:
    headers = {"Content-Encoding": "gzip"}
    server.replies["/a"] = Reply(body=b"not even gzip", headers=headers)
    assert await web.fetch(session, URL(server.url + "a"), 1000) == b"not even gzip"


async def test_a_server_that_never_answers(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "TIMEOUT", ClientTimeout(total=0.2))
    server.replies["/a"] = Reply(hang=True)
    async with web.session() as session:
        assert await key_of(session, server.url + "a") == "feed_unreachable"


async def test_nobody_listens(server: WebServer, session: ClientSession) -> None:
    await server.stop()
    assert await key_of(session, server.url) == "feed_unreachable"


async def test_a_url_that_may_not_be_asked_is_not(session: ClientSession) -> None:
    assert await key_of(session, "https://10.0.0.1/") == "url_not_allowed"
