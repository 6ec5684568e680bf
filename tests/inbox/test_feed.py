from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from aics_tlog import leaf_hash
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings, strategies as st
import pytest

from custom_components.doorstep.errors import FeedError
from custom_components.doorstep.inbox.feed import (
    MAX_BUNDLE,
    STOPPING,
    FeedDescriptor,
    FeedState,
    FeedUpdate,
    Tile,
    TrustedFeed,
    is_stale,
)
from custom_components.doorstep.ledger.merkle import CompactRange
from tests.simulators.tlog import Log

from .world import NOW, Feed, error_key, read

MINUTE: Final = timedelta(minutes=1)


def filled(count: int, *, witnessed: bool = False) -> Feed:
    feed = Feed(witnessed=witnessed)
    for number in range(count):
        feed.log.append(b"entry %d" % number, b'{"n":%d}' % number)
    return feed


def state_of(feed: Feed, patch: dict[str, Any] | None = None) -> FeedState:
    return FeedState(id="f", descriptor=FeedDescriptor.parse(feed.described(patch)))


def poll(feed: Feed, state: FeedState, now: Any = NOW) -> FeedUpdate:
    return read(TrustedFeed(state), feed.log.files(NOW), now, f"https://{feed.log.origin}/")


def after(state: FeedState, update: FeedUpdate) -> FeedState:
    """What the store would hand out next."""
    assert update.checkpoint is not None
    return FeedState(
        id=state.id,
        descriptor=state.descriptor,
        size=update.checkpoint.size,
        peaks=update.peaks,
        read=state.read + len(update.entries),
        unread=(*state.unread, *update.leaves)[len(update.entries) :],
    )


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 600])
def test_a_whole_feed_is_read(count: int) -> None:
    feed = filled(count)
    update = poll(feed, state_of(feed))
    assert [entry.data for entry in update.entries] == feed.log.entries
    assert [entry.details for entry in update.entries] == feed.log.details
    assert [entry.index for entry in update.entries] == list(range(count))
    assert update.checkpoint is not None
    assert (update.checkpoint.size, update.checkpoint.root) == (count, feed.log.root)
    assert list(update.leaves) == [leaf_hash(entry) for entry in feed.log.entries]
    assert CompactRange.from_bytes(count, update.peaks).root() == feed.log.root
    assert (update.feed, update.fresh_at, update.witnessed) == ("f", NOW, False)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=2, max_size=5))
def test_however_it_grows_the_same_is_read(steps: list[int]) -> None:
    feed = Feed()
    state, seen = state_of(feed), []
    for step in steps:
        for _ in range(step):
            feed.log.append(b"e%d" % feed.log.size)
        update = poll(feed, state)
        state = after(state, update)
        seen += [entry.data for entry in update.entries]
    assert seen == feed.log.entries


def test_nothing_new_is_nothing_to_fetch() -> None:
    feed = filled(300)
    state = after(state_of(feed), poll(feed, state_of(feed)))
    trusted = TrustedFeed(state)
    trusted.update_checkpoint(feed.log.checkpoint(NOW), NOW)
    assert trusted.next_tile is None
    assert list(trusted.unread) == []
    assert trusted.update(()).checkpoint is not None


def test_before_a_checkpoint_nothing_is_wanted() -> None:
    trusted = TrustedFeed(state_of(filled(3)))
    with pytest.raises(AssertionError):
        _ = trusted.next_tile


def test_a_backlog_is_hashed_first_and_read_later() -> None:
    feed = filled(600)
    files, log = feed.log.files(NOW), f"https://{feed.log.origin}/"
    state = state_of(feed)
    first = TrustedFeed(state)
    first.update_checkpoint(files["checkpoint"], NOW)
    first.update_bundle(files["tile/entries/000"])
    assert len(first.backlog) == 256
    assert list(first.unread) == []
    nothing = first.update(())
    assert (nothing.checkpoint, nothing.leaves, nothing.fresh_at) == (None, (), None)
    assert nothing.peaks == state.peaks
    second = TrustedFeed(state, first.backlog)
    second.update_checkpoint(files["checkpoint"], NOW)
    assert second.next_tile == Tile(1)
    second.update_bundle(files["tile/entries/001"])
    assert second.next_tile == Tile(2, 88)
    second.update_bundle(files["tile/entries/002.p/88"])
    assert second.backlog == []
    assert list(second.unread) == [Tile(0), Tile(1), Tile(2, 88)]
    part = second.entries(Tile(0), files["tile/entries/000"], files["details/000"])
    state = after(state, second.update(part))
    assert (state.size, state.read, len(state.unread)) == (600, 256, 344)
    rest = read(TrustedFeed(state), files, NOW, log)
    assert [entry.data for entry in rest.entries] == feed.log.entries[256:]


def test_unread_entries_wait_while_a_new_backlog_is_hashed() -> None:
    feed = filled(300)
    whole = poll(feed, state_of(feed))
    state = after(state_of(feed), FeedUpdate(
        feed="f", checkpoint=whole.checkpoint, leaves=whole.leaves, peaks=whole.peaks,
        entries=whole.entries[:10], fresh_at=NOW, witnessed=False,
    ))  # fmt: skip
    for number in range(300, 700):
        feed.log.append(b"entry %d" % number)
    files = feed.log.files(NOW)
    trusted = TrustedFeed(state)
    trusted.update_checkpoint(files["checkpoint"], NOW)
    assert trusted.next_tile == Tile(1)
    assert list(trusted.unread) == [Tile(0), Tile(1, 44)]
    entries = trusted.entries(Tile(1, 44), files["tile/entries/001"], b"")
    assert [entry.index for entry in entries] == list(range(256, 300))
    assert entries[0].details == b""


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda data: data[:-1], "bundle_malformed"),
        (lambda data: data + b"\0", "bundle_malformed"),
        (lambda data: data[: len(data) // 2], "bundle_malformed"),
        (lambda _: b"", "bundle_malformed"),
        (lambda _: b"\0\0" * 257, "bundle_malformed"),
        (lambda _: b"\0\0" * 2, "bundle_malformed"),
        (lambda _: b"\0\0" * (MAX_BUNDLE // 2 + 1), "bundle_malformed"),
        (lambda _: b"<html>" * 100, "bundle_malformed"),
        (lambda data: data[:2] + b"E" + data[3:], "feed_forked"),
        (lambda _: b"\0\0" * 3, "feed_forked"),
    ],
)
def test_a_bad_bundle_is_refused(change: Callable[[bytes], bytes], key: str) -> None:
    feed = filled(3)
    files = feed.log.files(NOW)
    trusted = TrustedFeed(state_of(feed))
    trusted.update_checkpoint(files["checkpoint"], NOW)
    bundle = change(files["tile/entries/000.p/3"])
    assert error_key(trusted.update_bundle, bundle) == key
    assert trusted.backlog == []


@given(st.binary(max_size=200))
def test_any_bundle_gives_entries_or_our_error(data: bytes) -> None:
    feed = filled(3)
    trusted = TrustedFeed(state_of(feed))
    trusted.update_checkpoint(feed.log.checkpoint(NOW), NOW)
    with pytest.raises(FeedError):
        trusted.update_bundle(data)


def test_a_full_bundle_serves_for_a_partial_one() -> None:
    feed = filled(3)
    checkpoint = feed.log.checkpoint(NOW)
    for number in range(3, 256):
        feed.log.append(b"entry %d" % number)
    trusted = TrustedFeed(state_of(feed))
    trusted.update_checkpoint(checkpoint, NOW)
    full = feed.log.files(NOW)["tile/entries/000"]
    trusted.update_bundle(full)
    assert len(trusted.entries(Tile(0, 3), full, b"a\n\n")) == 3


def test_entries_that_changed_after_they_were_verified_are_refused() -> None:
    feed = filled(3)
    files = feed.log.files(NOW)
    trusted = TrustedFeed(state_of(feed))
    trusted.update_checkpoint(files["checkpoint"], NOW)
    trusted.update_bundle(files["tile/entries/000.p/3"])
    other = filled(0)
    for entry in (b"entry 0", b"other", b"entry 2"):
        other.log.append(entry)
    changed = other.log.files(NOW)["tile/entries/000.p/3"]
    with pytest.raises(FeedError, match="bundle_changed: index=1"):
        trusted.entries(Tile(0, 3), changed, b"")


def test_details_are_cut_by_line_and_length() -> None:
    feed = filled(3)
    files = feed.log.files(NOW)
    trusted = TrustedFeed(state_of(feed))
    trusted.update_checkpoint(files["checkpoint"], NOW)
    bundle = files["tile/entries/000.p/3"]
    trusted.update_bundle(bundle)
    lines = b"x" * 4096 + b"\n" + b"x" * 4097
    found = trusted.entries(Tile(0, 3), bundle, lines)
    assert [len(entry.details) for entry in found] == [4096, 0, 0]


def test_a_smaller_log_is_a_rollback() -> None:
    feed = filled(5)
    state = after(state_of(feed), poll(feed, state_of(feed)))
    feed.log.rewrite(feed.log.entries[:4], feed.log.details[:4])
    with pytest.raises(FeedError, match="feed_rolled_back: size=4, known=5"):
        poll(feed, state)
    assert "feed_rolled_back" in STOPPING


@pytest.mark.parametrize("more", [0, 1, 300])
def test_another_history_is_a_fork(more: int) -> None:
    feed = filled(5)
    state = after(state_of(feed), poll(feed, state_of(feed)))
    entries = [*feed.log.entries[:2], b"other", *feed.log.entries[3:], *[b"new"] * more]
    feed.log.rewrite(entries, [b""] * len(entries))
    assert error_key(poll, feed, state) == "feed_forked"
    assert "feed_forked" in STOPPING


def test_a_shrinking_backlog_is_a_rollback_too() -> None:
    feed = filled(600)
    trusted = TrustedFeed(state_of(feed))
    files = feed.log.files(NOW)
    trusted.update_checkpoint(files["checkpoint"], NOW)
    trusted.update_bundle(files["tile/entries/000"])
    again = TrustedFeed(state_of(feed), trusted.backlog)
    feed.log.rewrite(feed.log.entries[:100], feed.log.details[:100])
    assert error_key(again.update_checkpoint, feed.log.checkpoint(NOW), NOW) == "feed_rolled_back"


def test_a_log_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.doorstep.inbox.feed.MAX_ENTRIES", 3)
    feed = filled(3)
    TrustedFeed(state_of(feed)).update_checkpoint(feed.log.checkpoint(NOW), NOW)
    feed.log.append(b"more")
    trusted = TrustedFeed(state_of(feed))
    assert error_key(trusted.update_checkpoint, feed.log.checkpoint(NOW), NOW) == "feed_too_long"


def test_a_checkpoint_of_another_key_is_refused() -> None:
    feed = filled(2)
    note = feed.log.checkpoint(NOW, key=Ed25519PrivateKey.generate())
    assert error_key(TrustedFeed(state_of(feed)).update_checkpoint, note, NOW) == "note_signature"
    other = Feed("other.example.gov/2026")
    other.log.key = feed.log.key
    trusted = TrustedFeed(state_of(feed))
    assert error_key(trusted.update_checkpoint, other.log.checkpoint(NOW), NOW) == "note_signature"
    assert error_key(trusted.update_checkpoint, b"<html></html>", NOW) == "note_malformed"
    assert error_key(trusted.update_checkpoint, b"x" * 100_000, NOW) == "note_malformed"
    assert "note_signature" in STOPPING
    assert "note_malformed" not in STOPPING


def test_cosignatures_from_the_future_do_not_count() -> None:
    feed = filled(2)
    note = feed.log.checkpoint(NOW)
    early = NOW - 10 * MINUTE
    TrustedFeed(state_of(feed)).update_checkpoint(note, early)
    too_early = early - timedelta(seconds=1)
    assert error_key(TrustedFeed(state_of(feed)).update_checkpoint, note, too_early) == (
        "feed_untimed"
    )


def test_without_any_cosignature_there_is_no_time() -> None:
    feed = filled(2)
    text, signatures = feed.log.checkpoint(NOW).decode().split("\n\n")
    bare = f"{text}\n\n{signatures.splitlines()[0]}\n".encode()
    assert error_key(TrustedFeed(state_of(feed)).update_checkpoint, bare, NOW) == "feed_untimed"


def test_witnesses_are_counted_without_the_operator() -> None:
    feed = filled(2, witnessed=True)
    update = poll(feed, state_of(feed))
    assert update.witnessed
    text, signatures = feed.log.checkpoint(NOW).decode().split("\n\n")
    alone = f"{text}\n\n" + "".join(f"{line}\n" for line in signatures.splitlines()[:2])
    trusted = TrustedFeed(state_of(feed))
    with pytest.raises(FeedError, match="feed_quorum: found=0, quorum=1"):
        trusted.update_checkpoint(alone.encode(), NOW)
    assert "feed_quorum" in STOPPING
    TrustedFeed(state_of(feed, {"quorum": 0})).update_checkpoint(alone.encode(), NOW)


def test_the_newest_cosignature_is_the_feeds_time() -> None:
    feed = filled(2, witnessed=True)
    late, early = feed.log.checkpoint(NOW), feed.log.checkpoint(NOW - MINUTE)
    mixed = b"\n".join([*late.splitlines()[:6], early.splitlines()[6], b""])
    files = {**feed.log.files(NOW), "checkpoint": mixed}
    update = read(TrustedFeed(state_of(feed)), files, NOW, f"https://{feed.log.origin}/")
    assert (update.fresh_at, update.witnessed) == (NOW, True)


@pytest.mark.parametrize(
    ("age", "stale"),
    [
        (timedelta(0), False),
        (timedelta(hours=48), False),
        (timedelta(hours=48, seconds=1), True),
        (-10 * MINUTE, False),
        (-11 * MINUTE, True),
    ],
)
def test_staleness(age: timedelta, stale: bool) -> None:
    assert is_stale(NOW - age, NOW) is stale


def test_a_feed_without_a_time_is_stale() -> None:
    assert is_stale(None, NOW)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0), "000"),
        (Tile(0, 3), "000.p/3"),
        (Tile(999), "999"),
        (Tile(1000), "x001/000"),
        (Tile(1234067, 8), "x001/x234/067.p/8"),
    ],
)
def test_paths_of_tiles(tile: Tile, path: str) -> None:
    assert str(tile.url("https://a/b/", "details")) == f"https://a/b/details/{path}"


WITNESSED = Feed(witnessed=True)
OTHER_KEY = Log("x.example/1").vkey


@pytest.mark.parametrize(
    ("patch", "key"),
    [
        ({"version": 2}, "member_bad"),
        ({"version": None}, "member_bad"),
        ({"version": True}, "member_bad"),
        ({"name": ""}, "member_bad"),
        ({"name": "x" * 201}, "member_bad"),
        ({"operator": None}, "member_bad"),
        ({"log": "https://a.example/2026"}, "member_bad"),
        ({"log": "ftp://a.example/2026/"}, "member_bad"),
        ({"log": "https://10.0.0.1/2026/"}, "member_bad"),
        ({"log_vkey": "x"}, "key_malformed"),
        ({"log_vkey": WITNESSED.log.witnesses[0]}, "member_bad"),
        ({"witnesses": [1]}, "member_bad"),
        ({"witnesses": ["x"]}, "key_malformed"),
        ({"witnesses": {}}, "member_bad"),
        ({"witnesses": [OTHER_KEY]}, "member_bad"),
        ({"witnesses": WITNESSED.log.witnesses * 2}, "member_bad"),
        ({"witnesses": WITNESSED.log.witnesses * 33}, "member_bad"),
        ({"quorum": 2}, "member_bad"),
        ({"quorum": -1}, "member_bad"),
        ({"mirrors": ["http//"]}, "member_bad"),
        ({"mirrors": [1]}, "member_bad"),
        ({"mirrors": None}, "member_bad"),
    ],
)
def test_a_bad_descriptor_is_refused(patch: dict[str, Any], key: str) -> None:
    assert error_key(FeedDescriptor.parse, WITNESSED.described(patch)) == key


def test_a_descriptor_is_read() -> None:
    mirrors = ["https://m.example/"]
    descriptor = FeedDescriptor.parse(WITNESSED.described({"mirrors": mirrors, "new": 1}))
    assert descriptor.name == "Requests"
    assert descriptor.operator == "Example City"
    assert descriptor.log == "https://feed.example.gov/2026/"
    assert str(descriptor.log_key) == WITNESSED.log.vkey
    assert [str(key) for key in descriptor.witnesses] == WITNESSED.log.witnesses
    assert (descriptor.quorum, descriptor.mirrors) == (1, tuple(mirrors))


def test_what_is_no_descriptor_is_refused() -> None:
    assert error_key(FeedDescriptor.parse, b"<!doctype html>") == "json_malformed"
    assert error_key(FeedDescriptor.parse, b" " * 70_000) == "feed_too_large"


@given(st.binary(max_size=80))
def test_any_descriptor_gives_our_error(data: bytes) -> None:
    with pytest.raises(FeedError):
        FeedDescriptor.parse(data)


@pytest.mark.parametrize(
    "patch",
    [
        {"log": "https://b.example/"},
        {"quorum": 0},
        {"witnesses": [], "quorum": 0},
        {"log_vkey": Feed().log.vkey},
    ],
)
def test_what_only_a_person_may_change(patch: dict[str, Any]) -> None:
    known = FeedDescriptor.parse(WITNESSED.described())
    assert not known.same_keys(FeedDescriptor.parse(WITNESSED.described(patch)))


def test_what_an_operator_may_change() -> None:
    known = FeedDescriptor.parse(WITNESSED.described())
    patch = {"name": "N", "operator": "O", "mirrors": ["https://m.example/"]}
    assert known.same_keys(FeedDescriptor.parse(WITNESSED.described(patch)))
