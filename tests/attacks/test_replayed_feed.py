"""What was once true is shown again, in another place or at another time."""

from datetime import timedelta
from pathlib import Path

import pytest

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox.feed import TrustedFeed
from tests.inbox.world import AGENCY, DAY, ME, NOW, Feed, World, read


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path).settled()


def test_an_old_entry_logged_again_asks_nobody_again(world: World) -> None:
    world.ask()
    [handle] = world.poll().opened
    world.inbox.decline(handle, ME, NOW)
    before = world.errands()
    world.feed.log.append(world.feed.log.entries[1], world.feed.log.details[1])
    applied = world.poll()
    assert (applied.opened, applied.counts) == ((), {"request_known": 1})
    assert world.inbox.request(handle, NOW).state == "declined"
    assert world.errands() == before


def test_another_feed_that_repeats_everything_changes_nothing(world: World) -> None:
    request = world.ask()
    world.follow_up("withdraw", request)
    world.poll()
    copy = Feed("copy.example.gov/2026")
    copy.log.rewrite(world.feed.log.entries, world.feed.log.details)
    applied = world.poll(copy)
    assert applied.opened == ()
    assert applied.counts == {"statement_old": 1, "request_known": 2}
    assert world.view(request).state == "withdrawn"


def test_a_withdrawn_request_does_not_rise_in_a_feed_without_its_withdrawal(world: World) -> None:
    world.ask()
    entry, details = world.feed.log.entries[1], world.feed.log.details[1]
    world.follow_up("withdraw", world.signer.opens(entry))
    world.poll()
    copy = Feed("copy.example.gov/2026")
    copy.log.append(entry, details)
    assert world.poll(copy).opened == ()


def test_a_request_of_last_month_does_not_open(world: World) -> None:
    request = world.ask()
    late = World(world.folder / "late")
    late.now = NOW + 30 * DAY
    late.feed, late.feed_id = world.feed, late.follow(world.feed)
    late.poll()
    late.confirm()
    assert late.state(request) == ("listed", "expired")


def test_an_old_statement_does_not_bring_old_keys_back(world: World) -> None:
    old = world.feed.log.entries[0]
    world.statement({"policy_url": "https://police.example.gov/p2"})
    world.poll()
    copy = Feed("copy.example.gov/2026")
    copy.log.append(old)
    assert world.poll(copy).counts == {"statement_old": 1}
    assert world.inbox.agency(AGENCY).statement.sequence == 2


def test_yesterdays_checkpoint_over_todays_files_is_not_news(world: World) -> None:
    world.ask()
    files = world.feed.log.files(NOW)
    world.poll()
    world.ask()
    world.poll()
    state = world.inbox.feed_state(world.feed_id)
    log = f"https://{world.feed.log.origin}/"
    with pytest.raises(FeedError, match="feed_rolled_back"):
        read(TrustedFeed(state), files, NOW, log)


def test_a_frozen_feed_goes_stale(world: World) -> None:
    world.ask()
    [handle] = world.poll().opened
    frozen = world.feed.log.files(NOW)
    world.now = NOW + 2 * DAY + timedelta(seconds=1)
    state = world.inbox.feed_state(world.feed_id)
    update = read(TrustedFeed(state), frozen, world.now, f"https://{world.feed.log.origin}/")
    world.inbox.apply(update, world.home, world.now)
    assert world.inbox.feeds(world.now)[0].state == "stale"
    assert world.inbox.may_approve(handle, world.now) == "why_feed_stale"


def test_a_checkpoint_from_the_future_keeps_nothing_fresh(world: World) -> None:
    with pytest.raises(FeedError, match="feed_untimed"):
        world.poll(cosigned=NOW + 30 * DAY)
    world.poll(cosigned=NOW + timedelta(minutes=10))
    assert world.inbox.feeds(NOW)[0].fresh_at == NOW + timedelta(minutes=10)
