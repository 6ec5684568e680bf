"""The operator of a log, with the log's own key, shows another history."""

from pathlib import Path
import time

import pytest

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox.feed import STOPPING, TrustedFeed
from tests.inbox.world import ME, NOW, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path).settled()
    for _ in range(300):
        world.feed.log.append(b"noise")
    world.ask()
    world.poll()
    return world


def refused(world: World) -> str:
    """Poll; the feed must stop and nothing else may change."""
    before = world.inbox.feed_state(world.feed_id), world.inbox.requests(NOW), world.errands()
    with pytest.raises(FeedError) as caught:
        world.poll()
    assert caught.value.key in STOPPING
    after = world.inbox.feed_state(world.feed_id), world.inbox.requests(NOW), world.errands()
    assert after == before
    world.inbox.feed_failed(world.feed_id, caught.value, NOW)
    [view] = world.inbox.feeds(NOW)
    assert (view.state, view.reason) == ("stopped", caught.value.key)
    [request] = world.inbox.requests(NOW)
    assert world.inbox.may_approve(request.handle, NOW) == "why_feed_stopped"
    assert world.inbox.proof(request.handle).index == 301
    return caught.value.key


@pytest.mark.parametrize("size", [0, 1, 256, 301])
def test_a_shorter_history(world: World, size: int) -> None:
    world.feed.log.rewrite(world.feed.log.entries[:size], world.feed.log.details[:size])
    assert refused(world) == "feed_rolled_back"


def test_an_entry_taken_out_and_another_put_in(world: World) -> None:
    entries, details = world.feed.log.entries, world.feed.log.details
    world.feed.log.rewrite([*entries[:-1], b"nothing was asked"], [*details[:-1], b""])
    assert refused(world) == "feed_forked"


def test_a_longer_history_over_a_changed_past(world: World) -> None:
    entries = [*world.feed.log.entries, *[b"more"] * 300]
    entries[7] = b"changed"
    world.feed.log.rewrite(entries, [b""] * len(entries))
    assert refused(world) == "feed_forked"


def test_an_entry_slipped_into_the_past(world: World) -> None:
    entries = [*world.feed.log.entries[:5], b"slipped in", *world.feed.log.entries[5:]]
    world.feed.log.rewrite(entries, [b""] * len(entries))
    assert refused(world) == "feed_forked"


def test_the_same_history_after_a_person_said_so(world: World) -> None:
    entries, details = [*world.feed.log.entries], [*world.feed.log.details]
    world.feed.log.rewrite(entries[:10], details[:10])
    refused(world)
    world.feed.log.rewrite(entries, details)
    world.inbox.resume_feed(world.feed_id, ME, NOW)
    world.poll()
    [request] = world.inbox.requests(NOW)
    assert world.inbox.may_approve(request.handle, NOW) is None


def test_a_restart_forgets_nothing(world: World) -> None:
    world.restart()
    world.feed.log.rewrite(world.feed.log.entries[:-1], world.feed.log.details[:-1])
    assert refused(world) == "feed_rolled_back"


@pytest.mark.parametrize(
    "bundle",
    [
        b"\xff\xff" * 5_000_000,
        b"\0\0" * 5_000_000,
        b"[" * 10_000_000,
        (b"\xff\xff" + b"[" * 65_535) * 150,
        b'{"a":' * 2_000_000,
    ],
    ids=["lengths", "empties", "brackets", "full entries", "objects"],
)
def test_ten_megabytes_of_anything_are_refused_fast(world: World, bundle: bytes) -> None:
    world.feed.log.append(b"noise")
    trusted = TrustedFeed(world.inbox.feed_state(world.feed_id))
    trusted.update_checkpoint(world.feed.log.checkpoint(NOW), NOW)
    started = time.process_time()
    with pytest.raises(FeedError):
        trusted.update_bundle(bundle)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "payload",
    [b"[" * 48_000, b'{"a":' * 9_000, b'{"' + b'\\"' * 24_000, b'{"v":' + b"9" * 48_000 + b"}"],
    ids=["brackets", "objects", "quotes", "digits"],
)
def test_entries_made_to_be_slow_are_not(world: World, payload: bytes) -> None:
    header = {"alg": "EdDSA", "kid": world.signer.thumbprint, "typ": "footage-request+jws"}
    token = world.signer.sign_raw(header, payload)
    for _ in range(150):
        world.feed.log.append(token)
    started = time.process_time()
    assert sum(world.poll().counts.values()) == 150
    assert time.process_time() - started < 5
