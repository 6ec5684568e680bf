"""Feeds that are added, stop, go stale, change and go."""

from dataclasses import replace
from datetime import timedelta

import pytest

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox.feed import FeedDescriptor

from .world import DAY, HOUR, ME, NOW, Feed, World, error_key


def opened(world: World) -> str:
    world.ask()
    [handle] = world.poll().opened
    return handle


def test_a_feed_is_shown_as_it_is(world: World) -> None:
    [view] = world.inbox.feeds(NOW)
    assert (view.id, view.url) == (world.feed_id, world.feed.url)
    assert (view.state, view.reason, view.read_at, view.size) == ("ok", None, None, 0)
    assert view.descriptor.operator == "Example City"
    assert view.fingerprint == view.descriptor.log_key.fingerprint
    world.statement()
    world.poll()
    [view] = world.inbox.feeds(NOW)
    assert (view.state, view.read_at, view.fresh_at, view.size) == ("ok", NOW, NOW, 1)
    assert not view.independent_witness
    [entry] = [e for e in world.ledger.entries() if e.kind == "feed_added"]
    assert entry.facts == {
        "key": view.fingerprint,
        "log": "feed.example.gov/2026",
        "channel": "panel",
    }


def test_an_independent_witness_is_shown(world: World) -> None:
    other = Feed("other.example.gov/2026", witnessed=True)
    world.poll(other)
    assert [view.independent_witness for view in world.inbox.feeds(NOW)] == [False, True]


def test_the_same_feed_is_added_once(world: World) -> None:
    world.settled()
    assert world.follow(world.feed) == world.feed_id
    assert len(world.inbox.feeds(NOW)) == 1
    assert world.inbox.feed_state(world.feed_id).size == 1


def test_a_removed_feed_is_quiet_and_comes_back_where_it_was(world: World) -> None:
    handle = opened(world.settled())
    late = world.fetch()
    world.inbox.remove_feed(world.feed_id, ME, NOW)
    assert world.inbox.feeds(NOW) == []
    assert world.inbox.may_approve(handle, NOW) == "why_feed_removed"
    assert error_key(world.inbox.apply, late, world.home, NOW) == "feed_removed"
    assert world.inbox.proof(handle).index == 1
    assert world.follow(world.feed) == world.feed_id
    assert world.inbox.may_approve(handle, NOW) is None
    assert world.inbox.feed_state(world.feed_id).read == 2


def test_stale_feeds_can_be_read_and_declined_but_not_approved(world: World) -> None:
    handle = opened(world.settled())
    world.now = NOW + 2 * DAY
    assert world.inbox.may_approve(handle, world.now) is None
    world.now += timedelta(seconds=1)
    assert world.inbox.may_approve(handle, world.now) == "why_feed_stale"
    assert world.inbox.may_deliver(handle, world.now) == "why_feed_stale"
    [view] = world.inbox.feeds(world.now)
    assert (view.state, view.reason) == ("stale", "feed_stale")
    assert world.inbox.request(handle, world.now).stale
    world.inbox.decline(handle, ME, world.now)


def test_a_fresh_checkpoint_without_entries_ends_it(world: World) -> None:
    handle = opened(world.settled())
    world.now = NOW + 3 * DAY
    world.poll(cosigned=NOW)
    assert world.inbox.may_approve(handle, world.now) == "why_feed_stale"
    world.poll()
    assert world.inbox.may_approve(handle, world.now) is None


def test_an_older_checkpoint_of_the_same_tree_makes_nothing_younger_or_older(world: World) -> None:
    world.settled()
    world.poll(cosigned=NOW - HOUR)
    [view] = world.inbox.feeds(NOW)
    assert view.fresh_at == NOW


def test_a_clock_that_fell_back_is_no_freshness(world: World) -> None:
    handle = opened(world.settled())
    assert world.inbox.may_approve(handle, NOW - HOUR) == "why_feed_stale"


def test_a_failed_poll_is_shown_until_the_next_good_one(world: World) -> None:
    handle = opened(world.settled())
    world.inbox.feed_failed(world.feed_id, FeedError("feed_unreachable", host="h"), NOW)
    [view] = world.inbox.feeds(NOW)
    assert (view.state, view.reason) == ("error", "feed_unreachable")
    assert world.inbox.may_approve(handle, NOW) is None
    world.poll()
    assert world.inbox.feeds(NOW)[0].state == "ok"


def test_a_stopped_feed_waits_for_a_person(world: World) -> None:
    handle = opened(world.settled())
    late = world.fetch()
    before = world.inbox.feed_state(world.feed_id)
    world.inbox.feed_failed(world.feed_id, FeedError("feed_forked", size=2), NOW)
    world.inbox.feed_failed(world.feed_id, FeedError("feed_unreachable", host="h"), NOW)
    world.inbox.feed_failed(world.feed_id, FeedError("feed_rolled_back", host="h"), NOW)
    [view] = world.inbox.feeds(NOW)
    assert (view.state, view.reason) == ("stopped", "feed_forked")
    assert world.inbox.may_approve(handle, NOW) == "why_feed_stopped"
    assert world.errands().count(("feed_stopped", world.feed_id)) == 1
    assert world.kinds().count("feed_stopped") == 1
    assert error_key(world.inbox.apply, late, world.home, NOW) == "feed_stopped"
    assert world.inbox.feed_state(world.feed_id) == before
    world.restart()
    assert world.inbox.feeds(NOW)[0].state == "stopped"
    world.inbox.resume_feed(world.feed_id, ME, NOW)
    assert world.inbox.feeds(NOW)[0].state == "ok"
    assert world.inbox.may_approve(handle, NOW) is None
    world.poll()
    assert "feed_resumed" in world.kinds()


def test_an_update_counts_once(world: World) -> None:
    world.settled()
    world.ask()
    update = world.fetch()
    assert world.inbox.apply(update, world.home, NOW).opened
    before = world.kinds()
    assert error_key(world.inbox.apply, update, world.home, NOW) == "feed_read_meanwhile"
    world.ask()
    both = world.fetch()
    world.poll()
    assert error_key(world.inbox.apply, both, world.home, NOW) == "feed_read_meanwhile"
    assert len(world.inbox.requests(NOW)) == 2
    assert world.kinds()[: len(before)] == before


def test_an_update_without_a_tree_reads_what_is_verified(world: World) -> None:
    world.settled()
    world.ask()
    whole = world.fetch()
    world.inbox.apply(replace(whole, entries=()), world.home, NOW)
    state = world.inbox.feed_state(world.feed_id)
    assert (state.size, state.read, len(state.unread)) == (2, 1, 1)
    pending = replace(whole, checkpoint=None, leaves=(), fresh_at=None)
    assert world.inbox.apply(pending, world.home, NOW).opened
    beyond = replace(pending, entries=(replace(whole.entries[0], index=2),))
    assert error_key(world.inbox.apply, beyond, world.home, NOW) == "feed_read_meanwhile"


def test_an_operator_may_rename_a_feed_but_not_change_its_keys(world: World) -> None:
    renamed = FeedDescriptor.parse(world.feed.described({"name": "New name"}))
    world.inbox.renew_feed(world.feed_id, renamed, NOW)
    assert world.inbox.feeds(NOW)[0].descriptor.name == "New name"
    other = Feed(world.feed.log.origin)
    changed = FeedDescriptor.parse(other.described())
    assert error_key(world.inbox.renew_feed, world.feed_id, changed, NOW) == "feed_key_changed"
    assert world.inbox.feeds(NOW)[0].descriptor.name == "New name"


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_leaves_are_kept_in_bundles(world: World, size: int) -> None:
    while world.feed.log.size < size:
        world.feed.log.append(b"noise %d" % world.feed.log.size)
        if world.feed.log.size % 100 == 1:
            world.poll()
    world.poll()
    with world.database.read() as tx:
        rows = tx.execute("SELECT bundle, length(hashes) FROM feed_leaves ORDER BY bundle")
        stored = [tuple(row) for row in rows]
    assert [number for number, _ in stored] == list(range(-(-size // 256)))
    assert sum(length for _, length in stored) == size * 32
    assert max(length for _, length in stored) <= 256 * 32


def test_unknown_feeds(world: World) -> None:
    assert error_key(world.inbox.feed_state, "none") == "feed_unknown"
    assert error_key(world.inbox.remove_feed, "none", ME, NOW) == "feed_unknown"
    error = FeedError("feed_unreachable")
    assert error_key(world.inbox.feed_failed, "none", error, NOW) == "feed_unknown"
    assert error_key(world.inbox.resume_feed, "none", ME, NOW) == "feed_unknown"
