"""The pre-roll: bounded in seconds and bytes, always decodable from its first fragment."""

from dataclasses import replace
from datetime import timedelta
import tracemalloc

from hypothesis import given, strategies as st

from custom_components.doorstep.footage.ring import Received, Ring, Stream

from .synthetic import (
    AUDIO,
    EPOCH,
    INIT_AV,
    VIDEO,
    a_fragment,
    init_segment,
    parsed,
    received,
    stream,
)

SECOND = timedelta(seconds=1)


def starts(items: list[Received]) -> list[int]:
    return [item.fragment.start for item in items]


def filled(ring: Ring, items: list[Received]) -> Ring:
    for item in items:
        ring.push(item)
    return ring


def test_empty() -> None:
    ring = Ring(10, 1000)
    assert (ring.seconds, ring.size, ring.since(EPOCH), ring.picture(EPOCH)) == (0, 0, [], [])
    assert not ring.covers(EPOCH)


def test_begins_with_a_key_frame() -> None:
    items = received(stream(), range(0, 2000, 500), keys=(1000,))
    ring = filled(Ring(10, 1 << 20), items)
    assert starts(ring.since(EPOCH)) == [1000, 1500]
    assert ring.size == sum(len(item.fragment.data) for item in items[2:])


def test_keeps_at_least_its_seconds_and_less_than_a_group_more() -> None:
    ring = filled(Ring(2, 1 << 20), received(stream(), range(0, 6000, 500), range(0, 6000, 1000)))
    assert (ring.seconds, ring.full) == (2, True)
    assert starts(ring.since(EPOCH)) == [4000, 4500, 5000, 5500]
    ring.push(received(stream_of(ring), [6000])[0])
    assert ring.seconds == 2.5


def stream_of(ring: Ring) -> Stream:
    return ring.since(EPOCH)[0].stream


def test_never_more_than_its_bytes() -> None:
    items = received(stream(), range(0, 5000, 500), range(0, 5000, 1000))
    each = len(items[0].fragment.data)
    ring = Ring(60, 5 * items[0].weight)
    assert not filled(ring, items[:5]).full
    filled(ring, items[5:])
    assert (ring.full, ring.seconds) == (True, 2)
    assert starts(ring.since(EPOCH)) == [3000, 3500, 4000, 4500]
    assert ring.size == 4 * each


def test_tiny_fragments_are_bounded_by_the_memory_they_take() -> None:
    """What a fragment takes besides its bytes counts: of tiny ones there are very many."""
    ring, one = Ring(60, 1 << 20), stream()
    tiny = [Received(a_fragment(n, 1, samples=1, size=1), one) for n in range(9000)]
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for n, item in enumerate(tiny):
        # as they come: bytes and objects of their own
        fragment = replace(item.fragment, start=n, data=bytes(bytearray(item.fragment.data)))
        ring.push(Received(fragment, one))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ring.full
    assert ring.size < 1 << 19
    assert 1 << 18 < after - before < 1 << 20


def test_no_bytes_no_group() -> None:
    ring = filled(Ring(60, 100), received(stream(), [0, 500]))
    assert (ring.size, ring.seconds, ring.full) == (0, 0, False)


def test_a_group_too_large_leaves_nothing() -> None:
    items = received(stream(), range(0, 3000, 500), (0, 2500))
    ring = filled(Ring(60, 3 * items[0].weight), items)
    assert starts(ring.since(EPOCH)) == [2500]


def test_another_stream_empties_it() -> None:
    ring = filled(Ring(60, 1 << 20), received(stream(), [0, 500]))
    filled(ring, received(stream(), [7000]))
    assert starts(ring.since(EPOCH)) == [7000]
    assert ring.size == len(ring.since(EPOCH)[0].fragment.data)
    assert not ring.full


def test_since_begins_at_the_last_key_frame_before() -> None:
    ring = filled(Ring(60, 1 << 20), received(stream(), range(0, 4000, 500), range(0, 4000, 1000)))
    assert starts(ring.since(EPOCH + 2 * SECOND)) == [2000, 2500, 3000, 3500]
    assert starts(ring.since(EPOCH + 2.9 * SECOND)) == [2000, 2500, 3000, 3500]
    assert starts(ring.since(EPOCH - SECOND))[0] == 0
    assert ring.since(EPOCH + 4 * SECOND) == []
    assert starts(ring.since(EPOCH + 3.9 * SECOND)) == [3000, 3500]


def test_covers() -> None:
    ring = filled(Ring(60, 1 << 20), received(stream(), [0]))
    assert ring.covers(EPOCH + 0.4 * SECOND)
    assert not ring.covers(EPOCH + 0.5 * SECOND)


def test_picture_is_the_group_up_to_the_instant_without_sound() -> None:
    init, _ = parsed(init_segment(VIDEO, AUDIO))
    one = stream(init)
    ring = Ring(60, 1 << 20)
    for item in received(one, range(0, 3000, 500), range(0, 3000, 1000)):
        ring.push(item)
        ring.push(Received(a_fragment(item.fragment.start, init=init, track=2), one))
    assert starts(ring.picture(EPOCH + 1.7 * SECOND)) == [1000, 1500]
    assert starts(ring.picture(EPOCH + 1.2 * SECOND)) == [1000]
    assert starts(ring.picture(EPOCH - SECOND)) == [0]
    # the stream was lost before the event: the last there was
    assert starts(ring.picture(EPOCH + 9 * SECOND)) == [2000, 2500]


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(1, 9)), max_size=40))
def test_bounds_hold_for_any_stream(kinds: list[tuple[bool, bool, int]]) -> None:
    one = stream(INIT_AV)
    ring = Ring(2, 3000)
    clock = 0
    for video, key, size in kinds:
        made = a_fragment(clock, init=INIT_AV, track=1 if video else 2, key=key, size=40 * size)
        clock += 500 * video
        ring.push(Received(made, one))
        held = ring.since(EPOCH - SECOND)
        assert ring.size == sum(len(item.fragment.data) for item in held) <= 3000
        assert not held or held[0].decodable
        keys = [item.fragment.start_seconds for item in held if item.decodable]
        assert len(keys) < 2 or clock / 1000 - keys[1] < 2
