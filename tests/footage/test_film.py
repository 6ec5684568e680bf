"""Which fragments make a film, where each begins in it, and what is said to be missing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
import json
from pathlib import Path

import pytest

from custom_components.doorstep.encoding import JSON
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.film import Film, plan
from custom_components.doorstep.footage.fragments import InitSegment
from custom_components.doorstep.footage.lines import encode
from custom_components.doorstep.footage.ring import Received, Stream
from custom_components.doorstep.footage.timeline import Timeline
from custom_components.doorstep.ledger.merkle import leaf_hash, root_hash

from .clips import seal
from .synthetic import (
    AUDIO,
    EPOCH,
    INIT,
    INIT_AV,
    VIDEO,
    TrackSpec,
    a_fragment,
    audio_entry,
    box,
    esds,
    init_segment,
    parsed,
    stream,
    video_entry,
)

SECOND = timedelta(seconds=1)
AVC = b"\x01\x64\x00\x1f\xff\xe1"


def after(seconds: float) -> datetime:
    return EPOCH + seconds * SECOND


def shots(
    one: Stream, first: int, starts: Iterable[int], keys: Sequence[int] = (), track: int = 1
) -> list[Received]:
    """Half seconds at `starts`; the size of their frames counts up from `first`."""
    make = partial(a_fragment, init=one.init, track=track)
    return [
        Received(make(start, key=not keys or start in keys, size=number), one)
        for number, start in enumerate(starts, first)
    ]


def laid(film: Film) -> list[tuple[int, int]]:
    """What a player finds: the number of each fragment, and where it begins."""
    _, found = parsed(b"".join(data for data, _ in Timeline(film).stream()))
    numbers = [int.from_bytes(one.data[20:24]) for one in found]
    assert numbers == list(range(1, len(found) + 1))
    return [(len(one.data[one.data.index(b"mdat") + 4 :]) // 5, one.start) for one in found]


def test_a_whole_clip(tmp_path: Path) -> None:
    clip = seal(tmp_path, shots(stream(), 1, [0, 500, 1000]))
    film = plan([clip], after(-10), after(10))
    assert laid(film) == [(1, 0), (2, 500), (3, 1000)]
    assert (film.start, film.end) == (EPOCH, after(1.5))
    assert film.init == INIT
    assert film.audio is None
    assert film.gaps == ()
    timeline = Timeline(film)
    pieces = list(timeline.stream())
    assert timeline.seconds == 1.5
    assert film.size == sum(video for _, video in pieces)
    assert pieces[0] == (INIT.data, 0)
    assert sum(len(data) for data, _ in pieces) == clip.size


@pytest.mark.parametrize(
    ("start", "end", "numbers"),
    [
        (1.0, 2.0, [3, 4]),
        (1.999, 2.001, [3, 4, 5]),
        (0.999, 1.0, [1, 2]),
        (1.5, 1.501, [3, 4]),
        (2.9, 99, [5, 6]),
        (0.0, 0.001, [1]),
    ],
)
def test_it_begins_with_a_key_frame_at_or_before(
    tmp_path: Path, start: float, end: float, numbers: list[int]
) -> None:
    keys = [0, 1000, 2000]
    clip = seal(tmp_path, shots(stream(), 1, range(0, 3000, 500), keys))
    film = plan([clip], after(start), after(end))
    assert laid(film) == [(number, 500 * n) for n, number in enumerate(numbers)]
    assert film.start == after((numbers[0] - 1) / 2)
    assert film.end == after(numbers[-1] / 2)


def test_clips_apart_are_laid_end_to_end(tmp_path: Path) -> None:
    first = seal(tmp_path, shots(stream(), 1, [0, 500]))
    second = seal(tmp_path, shots(stream(at=after(1.5)), 3, [0, 500]))
    third = seal(tmp_path, shots(stream(at=after(3.001)), 5, [0, 500]))
    film = plan([third, first, second], after(0), after(9))
    assert laid(film) == [(n, 500 * n - 500) for n in range(1, 7)]
    # half a second isn't missing by the recorder's count
    assert film.gaps == ((after(2.5), after(3.001)),)
    assert (film.start, film.end) == (EPOCH, after(4.001))
    # a start between two begins with the later one
    assert laid(plan([first, second], after(1.2), after(9))) == [(3, 0), (4, 500)]
    assert laid(plan([first, second], after(1.0), after(1.6))) == [(3, 0)]
    assert laid(plan([first, second], after(0.6), after(1.5))) == [(2, 0)]


@pytest.mark.parametrize("drift", [-0.249, -0.001, 0, 0.001, 0.25])
def test_what_two_clips_share_is_there_once(tmp_path: Path, drift: float) -> None:
    """A clip follows another from the last key frame on; its times may be known better."""
    keys = [0, 2000, 4000]
    first = seal(tmp_path, shots(stream(INIT_AV), 1, range(0, 5000, 500), keys))
    other = stream(INIT_AV, at=after(drift))
    second = seal(tmp_path, shots(other, 9, range(4000, 7000, 500), keys))
    film = plan([first, second], after(0), after(9))
    assert laid(film) == [(n, 500 * n - 500) for n in range(1, 15)]
    assert film.gaps == ()
    late = plan([first, second], after(4.3), after(9))
    assert laid(late) == [(n, 500 * n - 4500) for n in range(9, 15)]


def test_what_lies_within_another_clip_is_there_already(tmp_path: Path) -> None:
    long = seal(tmp_path, shots(stream(), 1, range(0, 3000, 500)))
    inner = seal(tmp_path, shots(stream(at=after(0.5)), 50, [0, 500]))
    begin = seal(tmp_path, shots(stream(), 60, [0, 500]))
    end = seal(tmp_path, shots(stream(at=after(2)), 70, [0, 500]))
    film = plan([inner, begin, long, end], after(0), after(9))
    assert laid(film) == [(n, 500 * n - 500) for n in range(1, 7)]


def test_a_restart_is_left_out_and_said(tmp_path: Path) -> None:
    items = shots(stream(), 1, [0, 500])
    items += shots(stream(at=after(5)), 3, [0, 500])
    items += shots(stream(at=after(6.3)), 5, [0, 500])
    clip = seal(tmp_path, items)
    film = plan([clip], after(0), after(9))
    # what the recorder doesn't call missing stays a picture that stands still
    starts = [0, 500, 1000, 1500, 2300, 2800]
    assert laid(film) == list(enumerate(starts, 1))
    assert film.gaps == ((after(1), after(5)), (after(6), after(6.3)))
    assert Timeline(film).seconds == 0
    # nor before the film, nor after it
    assert plan([clip], after(3), after(5.6)).gaps == ()
    assert laid(plan([clip], after(3), after(5.6))) == [(3, 0), (4, 500)]


def test_a_hole_is_as_long_as_the_recorder_says(tmp_path: Path) -> None:
    clip = seal(tmp_path, shots(stream(), 1, [0, 1000, 2001]))
    film = plan([clip], after(0), after(9))
    assert laid(film) == [(1, 0), (2, 1000), (3, 1500)]
    assert film.gaps == ((after(1.5), after(2.001)),)


def test_a_frozen_picture_is_said(tmp_path: Path) -> None:
    one = stream()
    frozen = Received(a_fragment(0, 3000, samples=1), one)
    clip = seal(tmp_path, [frozen, *shots(one, 2, [3000])])
    assert plan([clip], after(0), after(9)).gaps == ((EPOCH, after(3)),)


def test_a_jump_of_the_clock_misses_nothing(tmp_path: Path) -> None:
    clip = seal(tmp_path, shots(stream(), 1, [0, 500]))
    lines = [json.loads(line) for line in clip.lines.read_bytes().splitlines()]
    gap: dict[str, JSON] = {"gap": True, "track": 1, "reason": "clock-jump"}
    gap |= {"from": "2026-11-23T20:00:00Z", "to": "2026-11-23T20:00:00.500Z"}
    clip = rewrite(clip, [*lines[:2], gap, *lines[2:]])
    assert plan([clip], after(0), after(9)).gaps == ()
    gap |= {"reason": "missing", "track": 2}
    clip = rewrite(clip, [*lines[:2], gap, *lines[2:]])
    assert plan([clip], after(0), after(9)).gaps == ()
    gap |= {"track": 1}
    clip = rewrite(clip, [*lines[:2], gap, *lines[2:]])
    assert plan([clip], after(0), after(9)).gaps == ((EPOCH, after(0.5)),)


# --- sound


def both(one: Stream, first: int, seconds: Sequence[float], ahead: int = 0) -> list[Received]:
    """Half a second each of video and, `ahead` ms earlier and numbered from 100 up, of sound."""
    starts = [round(1000 * at) for at in seconds]
    video = shots(one, first, starts)
    sound = shots(one, first + 100, [start - ahead for start in starts], track=2)
    return [item for pair in zip(video, sound, strict=True) for item in pair]


def test_sound_keeps_its_distance(tmp_path: Path) -> None:
    first = seal(tmp_path, both(stream(INIT_AV), 1, [0, 0.5, 1], ahead=-100))
    second = seal(tmp_path, both(stream(INIT_AV, at=after(60)), 4, [0, 0.5], ahead=-200))
    film = plan([first, second], after(0.6), after(99))
    assert film.audio == INIT_AV.tracks[1]
    # the last picture stays until the sound, 0.1 s late, is over
    assert laid(film) == [
        *((2, 0), (102, 100), (3, 500), (103, 600)),
        *((4, 1100), (104, 1300), (5, 1600), (105, 1800)),
    ]
    assert film.size == sum(video for _, video in Timeline(film).stream())


def test_sound_is_heard_out_before_a_hole_too(tmp_path: Path) -> None:
    items = both(stream(INIT_AV), 1, [0, 0.5], ahead=-100)
    items += both(stream(INIT_AV, at=after(9)), 3, [0], ahead=-100)
    film = plan([seal(tmp_path, items)], after(0), after(99))
    assert laid(film) == [(1, 0), (101, 100), (2, 500), (102, 600), (3, 1100), (103, 1200)]


def test_half_a_second_between_clips_is_no_hole(tmp_path: Path) -> None:
    first = seal(tmp_path, both(stream(INIT_AV), 1, [0], ahead=-100))
    found = []
    for late in (0.5, 0.501):
        other = both(stream(INIT_AV, at=after(0.5 + late)), 2, [0], ahead=-100)
        found.append(laid(plan([first, seal(tmp_path, other)], after(0), after(99))))
    assert found[0] == [(1, 0), (101, 100), (2, 500), (102, 600)]
    assert found[1] == [(1, 0), (101, 100), (2, 600), (102, 700)]


def test_seconds_are_told_to_the_millisecond(tmp_path: Path) -> None:
    init, _ = parsed(init_segment(TrackSpec(timescale=90000)))
    one = stream(init)
    clip = seal(tmp_path, [Received(a_fragment(0, 45049, init=init), one)])
    timeline = Timeline(plan([clip], after(0), after(9)))
    assert len(list(timeline.stream())) == 2
    assert timeline.seconds == 0.501


def test_sound_of_what_is_not_shown_is_left_out(tmp_path: Path) -> None:
    clip = seal(tmp_path, both(stream(INIT_AV), 1, [0, 0.5, 1, 1.5], ahead=-100))
    # 101 is heard while the first picture is shown, but begins before
    assert laid(plan([clip], after(0.5), after(1))) == [(2, 0), (102, 100)]
    one = stream(INIT_AV)
    items = [*both(one, 1, [0]), *shots(one, 110, [500, 1000, 1500], track=2), *both(one, 2, [2])]
    film = plan([seal(tmp_path, items)], after(0), after(9))
    assert laid(film) == [(1, 0), (101, 0), (2, 500), (102, 500)]


def test_sound_of_clips_that_share_fragments_is_heard_once(tmp_path: Path) -> None:
    for ahead in (-130, 0):
        one = stream(INIT_AV)
        items = both(one, 1, [0, 0.5, 1, 1.5, 2], ahead)
        first, second = seal(tmp_path, items), seal(tmp_path, items[4:])
        film = plan([first, second], after(0), after(9))
        assert laid(film) == [
            pair for n in range(5) for pair in ((n + 1, 500 * n), (n + 101, 500 * n - ahead))
        ]


@pytest.mark.parametrize(
    ("early", "starts"),
    [
        (0, [500, 1000]),
        (10, [500, 1000]),  # so little later nobody hears
        (11, [989]),
    ],
)
def test_sound_that_was_heard_before_is_dropped(
    tmp_path: Path, early: int, starts: list[int]
) -> None:
    """Sound of the clip before goes on a while after the last picture."""
    one = stream(INIT_AV)
    first = [*shots(one, 1, [0]), *shots(one, 101, [early], track=2)]
    other = stream(INIT_AV, at=after(0.5))
    second = [*shots(other, 2, [0, 500]), *shots(other, 102, [0, 500], track=2)]
    film = plan([seal(tmp_path, first), seal(tmp_path, second)], after(0), after(9))
    found = [at for number, at in laid(film) if number > 101]
    assert found == [at + early if early < 11 else at + 11 for at in starts]
    assert [at for number, at in laid(film) if number < 100] == [0, 500, 1000]


def test_ticks_that_do_not_fit(tmp_path: Path) -> None:
    """Sound that the recorder rounded down by a tick is in."""
    init, _ = parsed(init_segment(VIDEO, replace(AUDIO, timescale=150)))
    one = stream(init)
    sound = [
        Received(a_fragment(start, 74, init=init, size=size, track=2), one)
        for start, size in ((0, 101), (74, 102), (148, 103))
    ]
    video = shots(one, 1, [0, 500, 1000])
    clip = seal(tmp_path, [item for pair in zip(video, sound, strict=True) for item in pair])
    film = plan([clip], after(0.5), after(9))
    assert laid(film) == [(2, 0), (102, 0), (3, 500), (103, 74)]


@pytest.mark.parametrize(
    ("inits", "heard"),
    [
        ((INIT_AV, INIT_AV), True),
        ((INIT, INIT_AV), False),
        ((INIT_AV, INIT), False),
        ((INIT, INIT), False),
        ((INIT_AV, parsed(init_segment(VIDEO, replace(AUDIO, timescale=900)))[0]), False),
        (
            (INIT_AV, parsed(init_segment(VIDEO, replace(AUDIO, entry=audio_entry(b"ulaw"))))[0]),
            False,
        ),
        (
            (
                INIT_AV,
                parsed(
                    init_segment(
                        VIDEO,
                        replace(AUDIO, entry=audio_entry(b"mp4a", esds(0x40, b"\x05\x02\x14\x10"))),
                    )
                )[0],
            ),
            False,
        ),
    ],
)
def test_sound_only_where_all_have_the_same(
    tmp_path: Path, inits: tuple[InitSegment, InitSegment], heard: bool
) -> None:
    clips = [
        seal(tmp_path, both(stream(init, at=after(10 * n)), 1, [0]))
        if len(init.tracks) > 1
        else seal(tmp_path, shots(stream(init, at=after(10 * n)), 1, [0]))
        for n, init in enumerate(inits)
    ]
    film = plan(clips, after(0), after(99))
    assert (film.audio is not None) == heard
    assert (len(laid(film)) == 4) == heard
    assert film.init.data == inits[0].data


# --- what can't be one film


def entry(
    name: bytes = b"avc1", config: bytes = AVC, size: bytes = b"\0\0\0\0", more: bytes = b""
) -> bytes:
    return box(name, bytes(24), size, bytes(50), box(b"avcC", config), more)


@pytest.mark.parametrize(
    "other",
    [
        TrackSpec(entry=entry(config=AVC + b"\1")),
        TrackSpec(entry=entry(size=b"\1\0\0\0")),
        TrackSpec(entry=entry(size=b"\0\0\0\1")),
        TrackSpec(entry=entry(name=b"avc3")),
        TrackSpec(timescale=500),
        TrackSpec(trex=(1, 0, 0)),
        TrackSpec(entry=video_entry(b"hvc1", box(b"hvcC", bytes(23)))),
    ],
)
def test_pictures_of_another_kind(tmp_path: Path, other: TrackSpec) -> None:
    init, _ = parsed(init_segment(other))
    first = seal(tmp_path, shots(stream(), 1, [0]))
    second = seal(tmp_path, shots(stream(init, at=after(10)), 1, [0]))
    third = seal(tmp_path, shots(stream(init, at=after(20)), 1, [0]))
    with pytest.raises(StorageError) as caught:
        plan([first, second, third], after(0), after(99))
    assert caught.value.key == "export_mixed"
    assert caught.value.placeholders == {"at": "2026-11-23T20:00:10Z"}
    assert len(laid(plan([first, second, third], after(5), after(99)))) == 2


def test_what_only_the_container_says_is_no_other_kind(tmp_path: Path) -> None:
    wordy = bytearray(entry(more=box(b"fiel", b"\1\0")))
    wordy[8 + 28] = 72  # dots to the inch
    init, _ = parsed(init_segment(TrackSpec(entry=bytes(wordy))))
    first = seal(tmp_path, shots(stream(), 1, [0]))
    second = seal(tmp_path, shots(stream(init, at=after(10)), 2, [0]))
    assert laid(plan([first, second], after(0), after(99))) == [(1, 0), (2, 500)]


def test_clips_of_other_times_are_not_even_read(tmp_path: Path) -> None:
    clips = [seal(tmp_path, shots(stream(at=after(at)), 1, [0])) for at in (0, 10, 20)]
    for clip in (clips[0], clips[2]):
        clip.lines.unlink()
    assert laid(plan(clips, after(0.5), after(20))) == [(1, 0)]


def test_clips_of_pictures(tmp_path: Path) -> None:
    init, _ = parsed(init_segment(TrackSpec(entry=video_entry(b"mp4v", esds(0x6C)))))
    clip = seal(tmp_path, shots(stream(init), 1, [0]))
    with pytest.raises(StorageError, match=r"^export_pictures$"):
        plan([clip], after(0), after(9))


def test_nothing_there(tmp_path: Path) -> None:
    clip = seal(tmp_path, shots(stream(), 1, [0, 2000]))
    for clips, start, end in (
        ([], 0, 9),
        ([clip], 2.5, 9),
        ([clip], -9, 0),
        ([clip], 0.5, 2.0),
    ):
        with pytest.raises(StorageError, match=r"^export_empty$"):
            plan(clips, after(start), after(end))


# --- what isn't as sealed


def rewrite(clip: Clip, lines: Sequence[JSON]) -> Clip:
    """Seal a clip anew with other lines."""
    raw = [encode(line) for line in lines]
    clip.lines.write_bytes(b"".join(line + b"\n" for line in raw))
    return replace(clip, root=root_hash([leaf_hash(line) for line in raw]).hex())


def refused(clip: Clip) -> None:
    with pytest.raises(StorageError) as caught:
        laid(plan([clip], after(0), after(9)))
    assert caught.value.key == "clip_unreadable"
    assert caught.value.placeholders == {"clip": clip.id}


def test_what_is_not_as_sealed_is_refused(tmp_path: Path) -> None:
    clip = seal(tmp_path, shots(stream(), 1, [0, 500]))
    whole = clip.video.read_bytes()
    for place in (0, len(INIT.data) - 1, len(INIT.data), len(whole) - 1):
        data = bytearray(whole)
        data[place] ^= 1
        clip.video.write_bytes(data)
        refused(clip)
    clip.video.write_bytes(whole[:-1])
    refused(clip)
    clip.video.unlink()
    refused(clip)
    clip.video.write_bytes(whole)
    assert len(laid(plan([clip], after(0), after(9)))) == 2
    refused(replace(clip, root="0" * 64))


@pytest.mark.parametrize(
    "gap",
    [
        {"gap": True},
        {"gap": True, "track": 1, "reason": "missing", "from": 1, "to": 2},
        {"gap": True, "track": 1, "reason": "missing", "from": "x", "to": "y"},
    ],
)
def test_lines_that_make_no_sense_are_refused(tmp_path: Path, gap: JSON) -> None:
    clip = seal(tmp_path, shots(stream(), 1, [0, 500]))
    lines = [json.loads(line) for line in clip.lines.read_bytes().splitlines()]
    refused(rewrite(clip, [*lines[:2], gap, *lines[2:]]))


def test_a_fragment_that_is_none_is_refused(tmp_path: Path) -> None:
    clip = seal(tmp_path, shots(stream(), 1, [0, 500]))
    lines = [json.loads(line) for line in clip.lines.read_bytes().splitlines()]
    half = lines[1]["length"] // 2
    whole = clip.video.read_bytes()
    cut = lines[1] | {"length": half}
    begin = cut["offset"]
    cut["sha256"] = sha256(whole[begin : begin + half]).hexdigest()
    clip.video.write_bytes(whole[: begin + half])
    refused(rewrite(clip, [lines[0], cut, lines[-1] | {"fragments": 1}]))
