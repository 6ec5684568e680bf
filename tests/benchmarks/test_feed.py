"""Reading a feed: 1,000 new entries of 20,000, each verified, against hashing alone."""

from itertools import count
from pathlib import Path

import pytest

from custom_components.doorstep.inbox.feed import FeedDescriptor, FeedState, FeedUpdate, TrustedFeed
from custom_components.doorstep.ledger.merkle import CompactRange, leaf_hash
from tests.inbox.world import FAR, NOW, PLACE, Feed, World, read
from tests.simulators import documents

from .conftest import Stopwatch

pytestmark = pytest.mark.benchmark(group="feed")

OLD, NEW = 19_000, 1_000


@pytest.fixture(scope="module")
def feed() -> Feed:
    made = Feed()
    padding = b"x" * 1200
    for number in range(OLD + NEW):
        made.log.append(f"entry {number} ".encode() + padding, b"details")
    return made


@pytest.fixture(scope="module")
def files(feed: Feed) -> dict[str, bytes]:
    return dict(feed.log.files(NOW))


@pytest.fixture(scope="module")
def state(feed: Feed) -> FeedState:
    tree = CompactRange()
    for entry in feed.log.entries[:OLD]:
        tree.append(leaf_hash(entry))
    descriptor = FeedDescriptor.parse(feed.described())
    return FeedState(
        id="feed", descriptor=descriptor, size=OLD, peaks=tree.to_bytes(), read=OLD, unread=()
    )


def test_read_1000_new_of_20000(
    feed: Feed, files: dict[str, bytes], state: FeedState, stopwatch: Stopwatch
) -> None:
    log = f"https://{feed.log.origin}/"

    def poll() -> FeedUpdate:
        return read(TrustedFeed(state), files, NOW, log)

    update = stopwatch.time(poll, amount=NEW, unit="entries", rounds=20)
    assert [entry.data for entry in update.entries] == feed.log.entries[OLD:]


def test_hash_1000_entries(feed: Feed, stopwatch: Stopwatch) -> None:
    def each() -> list[bytes]:
        return [leaf_hash(entry) for entry in feed.log.entries[OLD:]]

    stopwatch.time(each, amount=NEW, unit="entries", rounds=20)


@pytest.mark.parametrize("far", [False, True], ids=["here", "elsewhere"])
def test_take_in_200_signed_requests(tmp_path: Path, stopwatch: Stopwatch, far: bool) -> None:
    """JWS, geometry, rules, states and ledger: everything up to the commit."""
    numbers = count()

    def prepared() -> tuple[World, FeedUpdate]:
        world = World(tmp_path / str(next(numbers))).settled()
        place = FAR if far else PLACE
        for _ in range(200):
            world.ask({"geometry": documents.square(*place, 300.0)})
        return world, world.fetch()

    def take_in(made: tuple[World, FeedUpdate]) -> None:
        world, update = made
        world.inbox.apply(update, world.home, world.now)

    stopwatch.time(take_in, setup=prepared, amount=200, unit="requests", rounds=3)
