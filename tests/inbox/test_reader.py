from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from aiohttp import ClientSession
import pytest

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox import reader, web
from custom_components.doorstep.inbox.feed import FeedDescriptor, FeedState, FeedUpdate
from custom_components.doorstep.inbox.reader import FeedReader, proves_domain, read_descriptor
from tests.simulators.tlog import Log
from tests.simulators.webserver import Reply, WebServer

from .test_feed import after
from .world import Feed

pytestmark = pytest.mark.usefixtures("socket_enabled")

NOW: Final = datetime.now(UTC)


class Served(Feed):
    """A feed on a real server on loopback."""

    def __init__(self, server: WebServer, count: int = 0) -> None:
        super().__init__()
        self.server = server
        self.log = Log("feed.example.gov/2026")
        self.grow(count)

    def grow(self, count: int, length: int = 10) -> None:
        for _ in range(count):
            number = self.log.size
            self.log.append(b"%010d" % number * (length // 10), b"{%d}" % number)
        files = self.log.files(NOW)
        self.server.files = {f"/log/{path}": data for path, data in files.items()}
        self.server.files["/feed.json"] = self.described({"log": self.server.url + "log/"})

    def state(self) -> FeedState:
        return FeedState(id="f", descriptor=FeedDescriptor.parse(self.server.files["/feed.json"]))

    def asked(self) -> list[str]:
        paths = [path.removeprefix("/log/") for path in self.server.paths]
        self.server.requests.clear()
        return paths


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with WebServer() as server:
        yield server


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with web.session() as session:
        yield session


async def key_of(session: ClientSession, state: FeedState) -> str:
    with pytest.raises(FeedError) as caught:
        await FeedReader(session).read(state, NOW)
    return caught.value.key


def datas(update: FeedUpdate) -> list[bytes]:
    return [entry.data for entry in update.entries]


async def test_a_poll_asks_for_what_is_new(server: WebServer, session: ClientSession) -> None:
    feed = Served(server, 300)
    state = feed.state()
    update = await FeedReader(session).read(state, NOW)
    assert datas(update) == feed.log.entries
    assert [entry.details for entry in update.entries] == feed.log.details
    assert feed.asked() == [
        "checkpoint",
        "tile/entries/000",
        "tile/entries/001.p/44",
        "details/000",
        "details/001.p/44",
    ]
    state = after(state, update)
    update = await FeedReader(session).read(state, NOW)
    assert (datas(update), feed.asked()) == ([], ["checkpoint"])
    feed.grow(6)
    update = await FeedReader(session).read(state, NOW)
    assert datas(update) == feed.log.entries[300:]
    assert feed.asked() == ["checkpoint", "tile/entries/001.p/50", "details/001.p/50"]


async def test_a_log_that_has_grown_meanwhile(server: WebServer, session: ClientSession) -> None:
    feed = Served(server, 3)
    state, checkpoint = feed.state(), server.files["/log/checkpoint"]
    feed.grow(253)
    server.files = {path: data for path, data in server.files.items() if ".p/" not in path}
    server.files["/log/checkpoint"] = checkpoint
    update = await FeedReader(session).read(state, NOW)
    assert datas(update) == feed.log.entries[:3]
    assert [entry.details for entry in update.entries] == feed.log.details[:3]
    assert feed.asked() == [
        "checkpoint",
        "tile/entries/000.p/3",
        "tile/entries/000",
        "details/000.p/3",
        "details/000",
    ]


async def test_without_details_files_there_are_none(
    server: WebServer, session: ClientSession
) -> None:
    feed = Served(server, 300)
    for path in [path for path in server.files if "details" in path]:
        del server.files[path]
    update = await FeedReader(session).read(feed.state(), NOW)
    assert {entry.details for entry in update.entries} == {b""}


@pytest.mark.parametrize(
    ("path", "reply", "key"),
    [
        ("checkpoint", Reply(status=404), "feed_not_found"),
        ("checkpoint", Reply(body=b"<html>", length=100_000_000), "feed_too_large"),
        ("checkpoint", Reply(body=b"<html>"), "note_malformed"),
        ("tile/entries/000", Reply(status=404), "feed_not_found"),
        ("tile/entries/000", Reply(status=500), "feed_http_status"),
        ("tile/entries/000", Reply(body=b"\xff\xff", length=100_000_000), "feed_too_large"),
        ("tile/entries/000", Reply(body=b"x" * 999), "bundle_malformed"),
        ("details/000", Reply(status=500), "feed_http_status"),
        ("details/000", Reply(body=b"x", length=2_000_000), "feed_too_large"),
        ("details/000", Reply(status=302, headers={"Location": "/"}), "feed_redirect"),
    ],
)
async def test_a_bad_file_ends_the_poll(
    server: WebServer, session: ClientSession, path: str, reply: Reply, key: str
) -> None:
    feed = Served(server, 256)
    server.replies[f"/log/{path}"] = reply
    assert await key_of(session, feed.state()) == key


async def test_a_backlog_beyond_the_budget_takes_several_polls(
    server: WebServer, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BUDGET", 30_000)
    monkeypatch.setattr(reader, "MAX_BUNDLE", 10_000)
    monkeypatch.setattr(reader, "MAX_DETAILS_FILE", 5_000)
    feed = Served(server)
    feed.grow(1000, length=30)
    state, one, seen = feed.state(), FeedReader(session), list[bytes]()
    sizes = []
    for _ in range(6):
        update = await one.read(state, NOW)
        sizes.append(sum(len(server.files[r.path]) for r in server.requests[1:]))
        server.requests.clear()
        seen += datas(update)
        if update.checkpoint:
            state = after(state, update)
        if len(seen) < 1000 and not update.checkpoint:
            assert not update.leaves
    assert seen == feed.log.entries
    assert max(sizes) <= 30_000
    assert state.read == state.size == 1000


async def test_a_fork_behind_a_backlog_is_found_before_anything_is_read(
    server: WebServer, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BUDGET", 20_000)
    monkeypatch.setattr(reader, "MAX_BUNDLE", 10_000)
    monkeypatch.setattr(reader, "MAX_DETAILS_FILE", 5_000)
    feed = Served(server)
    feed.grow(600, length=30)
    state, one = feed.state(), FeedReader(session)
    assert not (await one.read(state, NOW)).entries
    other = Served(server)
    other.log.append(b"other")
    other.log.key = feed.log.key
    other.grow(599, length=30)
    update = await one.read(state, NOW)
    assert (update.entries, update.checkpoint) == ((), None)
    with pytest.raises(FeedError, match="feed_forked"):
        await one.read(state, NOW)


async def test_a_backlog_survives_a_failed_poll(
    server: WebServer, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BUDGET", 20_000)
    monkeypatch.setattr(reader, "MAX_BUNDLE", 10_000)
    monkeypatch.setattr(reader, "MAX_DETAILS_FILE", 5_000)
    feed = Served(server)
    feed.grow(600, length=30)
    state, one = feed.state(), FeedReader(session)
    await one.read(state, NOW)
    feed.asked()
    server.replies["/log/checkpoint"] = Reply(status=500)
    with pytest.raises(FeedError):
        await one.read(state, NOW)
    del server.replies["/log/checkpoint"]
    await one.read(state, NOW)
    assert feed.asked()[:3] == ["checkpoint", "checkpoint", "tile/entries/001"]


async def test_a_server_that_drips_is_left(
    server: WebServer, session: ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "POLL_SECONDS", 0.3)
    feed = Served(server, 300)
    server.replies["/log/tile/entries/001.p/44"] = Reply(hang=True)
    one = FeedReader(session)
    with pytest.raises(FeedError, match=r"feed_slow: host=127\.0\.0\.1"):
        await one.read(feed.state(), NOW)
    feed.asked()
    server.replies.clear()
    monkeypatch.setattr(reader, "POLL_SECONDS", 30)
    assert datas(await one.read(feed.state(), NOW)) == feed.log.entries
    assert feed.asked()[:3] == ["checkpoint", "tile/entries/001.p/44", "tile/entries/000"]


async def test_a_descriptor_is_fetched(server: WebServer, session: ClientSession) -> None:
    feed = Served(server)
    descriptor = await read_descriptor(session, server.url + "feed.json")
    assert descriptor == feed.state().descriptor


@pytest.mark.parametrize(
    ("reply", "key"),
    [
        (Reply(body=b"<!doctype html><title>Not a feed</title>"), "json_malformed"),
        (Reply(body=b'{"version":1}'), "member_bad"),
        (Reply(body=b'{"version":1,"name":"', length=100_000_000), "feed_too_large"),
        (Reply(status=301, headers={"Location": "/other.json"}), "feed_redirect"),
    ],
)
async def test_what_is_not_a_feed(
    server: WebServer, session: ClientSession, reply: Reply, key: str
) -> None:
    server.replies["/feed.json"] = reply
    with pytest.raises(FeedError, match=key):
        await read_descriptor(session, server.url + "feed.json")


WELL_KNOWN: Final = "/.well-known/footage-agency.json"


@pytest.mark.parametrize(
    ("body", "proven"),
    [
        (b'{"keys":["a","b"]}', True),
        (b'{"keys":["a","b","c"]}', True),
        (b'{"keys":["a"]}', False),
        (b'{"keys":[]}', False),
        (b'{"keys":"a b"}', False),
        (b"{}", False),
        (None, False),
    ],
)
async def test_a_domain_proves_all_keys_or_nothing(
    server: WebServer, session: ClientSession, body: bytes | None, proven: bool
) -> None:
    if body is not None:
        server.files[WELL_KNOWN] = body
    assert await proves_domain(session, server.url + "police/", {"a", "b"}) is proven
    assert server.paths == [WELL_KNOWN]


async def test_no_keys_prove_nothing(server: WebServer, session: ClientSession) -> None:
    server.files[WELL_KNOWN] = b'{"keys":["a"]}'
    assert not await proves_domain(session, server.url, ())


async def test_a_site_that_fails_says_so(server: WebServer, session: ClientSession) -> None:
    server.replies[WELL_KNOWN] = Reply(status=500)
    with pytest.raises(FeedError, match="feed_http_status"):
        await proves_domain(session, server.url, {"a"})
