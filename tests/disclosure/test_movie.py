"""The index of a cut: odd but legal fragments are understood, everything else is refused."""

from collections.abc import Iterator
from contextlib import suppress
import struct

from hypothesis import example, given, strategies as st
import pytest

from custom_components.doorstep.disclosure.movie import index
from custom_components.doorstep.disclosure.samples import Piece, Run, read_piece, track_defaults
from custom_components.doorstep.errors import ReleaseError

from .clips import Sealer, inner, split

DEFAULTS = {1: (512, 100, 0), 2: (1024, 50, 0x10000)}


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), name) + body


def full(name: bytes, flags: int, *words: int, version: int = 0) -> bytes:
    return box(name, struct.pack(f">I{len(words)}I", version << 24 | flags, *words))


def fragment(*runs: bytes, header: bytes | None = None, media: int = 200) -> bytes:
    traf = box(b"traf", header or full(b"tfhd", 0x20000, 1), *runs)
    return box(b"moof", full(b"mfhd", 0, 7), traf) + box(b"mdat", bytes(media))


def test_defaults_of_the_track_fill_what_a_fragment_leaves_out() -> None:
    piece = read_piece(fragment(full(b"trun", 0, 2)), 900, DEFAULTS)
    assert piece.runs == (Run(2, 512, 100, key=True, offset=0),)
    assert (piece.track, piece.start, piece.count) == (1, 900, 2)
    data = fragment(full(b"trun", 0, 2))
    assert (piece.length, data[piece.media :]) == (len(data), bytes(200))


def test_a_fragment_overrides_the_defaults_of_its_track() -> None:
    flags = 0x1 | 0x2 | 0x8 | 0x10 | 0x20
    header = full(b"tfhd", flags, 1, 0, 0, 9, 333, 40, 0x10000)
    piece = read_piece(fragment(full(b"trun", 0x1, 5, 99), header=header), 0, DEFAULTS)
    assert piece.runs == (Run(5, 333, 40, key=False, offset=0),)


def test_a_sample_overrides_the_defaults_of_its_fragment() -> None:
    run = full(b"trun", 0xF00, 2, 10, 120, 0, 7, 20, 80, 0x10000, 9)
    piece = read_piece(fragment(run), 0, DEFAULTS)
    assert piece.runs == (Run(1, 10, 120, key=True, offset=7), Run(1, 20, 80, key=False, offset=9))


def test_the_first_sample_may_have_flags_of_its_own() -> None:
    run = full(b"trun", 0x205, 2, 0, 0x10000, 150, 50)
    piece = read_piece(fragment(run), 0, DEFAULTS)
    assert [run.key for run in piece.runs] == [False, True]


def test_composition_offsets_may_be_negative() -> None:
    for version, offset in ((1, -1), (0, 0xFFFFFFFF)):
        run = full(b"trun", 0x800, 2, 0xFFFFFFFF, 0, version=version)
        assert read_piece(fragment(run), 0, DEFAULTS).runs[0].offset == offset


def test_several_runs_follow_one_another() -> None:
    piece = read_piece(fragment(full(b"trun", 0, 1), full(b"trun", 0, 1)), 0, DEFAULTS)
    assert piece.count == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        fragment(),
        fragment(full(b"trun", 0, 0)),
        fragment(full(b"trun", 0, 3)),
        fragment(full(b"trun", 0, 1)),
        fragment(full(b"trun", 0x200, 2, 100)),
        fragment(full(b"trun", 0x200, 1, 100, 100)),
        fragment(full(b"trun", 0, 65537), header=full(b"tfhd", 0x10, 1, 0), media=0),
        fragment(full(b"trun", 0, 2), header=full(b"tfhd", 0, 3)),
        fragment(full(b"trun", 0, 2), header=full(b"tfhd", 0x10, 1)),
        fragment(full(b"trun", 0, 2)) + box(b"free"),
        box(b"mdat") + box(b"moof"),
        box(b"moof") + box(b"mdat"),
        fragment(full(b"trun", 0, 2)).replace(b"traf", b"trax"),
    ],
)
def test_what_is_no_fragment_is_refused(data: bytes) -> None:
    with pytest.raises(ReleaseError) as caught:
        read_piece(data, 0, DEFAULTS)
    assert caught.value.key == "clip_broken"


SOUND = fragment(full(b"trun", 0x305, 2, 0, 0, 10, 150, 10, 50))


@given(st.integers(0, len(SOUND) - 1), st.integers(0, 255))
@example(0, 0)
def test_a_spoilt_fragment_is_read_or_refused(at: int, value: int) -> None:
    data = bytearray(SOUND)
    data[at] = value
    with suppress(ReleaseError):
        read_piece(bytes(data), 0, DEFAULTS)


# --- the index


def tables(head: bytes, track: int = 0) -> dict[bytes, bytes]:
    """The sample tables of one track, by name; without their box headers."""
    moov = split(head)[1][1]
    trak = [data for kind, data in split(moov[8:]) if kind == b"trak"][track]
    found = dict(split(inner(trak, b"mdia", b"minf", b"stbl")[8:]))
    found |= dict(split(inner(trak, b"edts")[8:]))
    return {kind: data[8:] for kind, data in found.items()}


def rows(table: bytes, columns: int) -> list[tuple[int, ...]]:
    count = struct.unpack_from(">I", table, 4)[0]
    values = struct.unpack_from(f">{count * columns}I", table, 8)
    return [values[at : at + columns] for at in range(0, len(values), columns)]


def piece(start: int, *runs: Run, track: int = 1, length: int = 1000) -> Piece:
    return Piece(track=track, start=start, length=length, media=100, runs=runs)


@pytest.fixture
def init(recording: bytes) -> bytes:
    return Sealer(recording).init


def head_and_media(head: bytes) -> tuple[bytes, bytes]:
    """Split what stands before the fragments into index and the head of the outer `mdat`."""
    length = sum(len(data) for _, data in split(head[: head.rindex(b"mdat") - 4]))
    return head[:length], head[length:]


def test_tables_say_where_each_sample_is(init: bytes) -> None:
    key, other = Run(1, 1024, 60, key=True, offset=0), Run(1, 1024, 30, key=False, offset=0)
    head = index(init, [piece(0, key, other, other), piece(3072, other), piece(4096, key)], 0.0)
    found, media = head_and_media(head)
    told = tables(found)
    assert rows(told[b"stts"], 2) == [(5, 1024)]
    assert rows(told[b"stss"], 1) == [(1,), (5,)]
    assert struct.unpack(">8I", told[b"stsz"]) == (0, 0, 5, 60, 30, 30, 30, 60)
    assert rows(told[b"stsc"], 3) == [(1, 3, 1), (2, 1, 1)]
    begin = len(head) + 100
    count, *offsets = struct.unpack(">4xI3Q", told[b"co64"])
    assert (count, offsets) == (3, [begin, begin + 1000, begin + 2000])
    assert media == struct.pack(">I4s", 3008, b"mdat")
    assert b"ctts" not in told


def test_equal_samples_take_no_room(init: bytes) -> None:
    told = tables(head_and_media(index(init, [piece(0, Run(8000, 1, 1, True, 0))], 0.0))[0])
    assert struct.unpack(">3I", told[b"stsz"]) == (0, 1, 8000)
    assert rows(told[b"stts"], 2) == [(8000, 1)]
    assert b"stss" not in told


def test_a_hole_keeps_the_last_sample_on_the_screen(init: bytes) -> None:
    run = Run(2, 1024, 10, key=True, offset=0)
    told = tables(head_and_media(index(init, [piece(0, run), piece(12048, run)], 0.0))[0])
    assert rows(told[b"stts"], 2) == [(1, 1024), (1, 11024), (2, 1024)]


def test_fragments_that_overlap_do_not_turn_time_back(init: bytes) -> None:
    run = Run(1, 1024, 10, key=True, offset=0)
    told = tables(head_and_media(index(init, [piece(0, run), piece(524, run)], 0.0))[0])
    assert rows(told[b"stts"], 2) == [(1, 524), (1, 1024)]
    told = tables(head_and_media(index(init, [piece(5000, run), piece(0, run)], 0.0))[0])
    assert rows(told[b"stts"], 2) == [(1, 0), (1, 1024)]


def test_sound_that_starts_later_waits(init: bytes) -> None:
    video = piece(10240, Run(10, 1024, 10, key=True, offset=0))
    late = piece(24000, Run(4, 1000, 10, key=True, offset=0), track=2)
    found = head_and_media(index(init, [video, late], 1.0))[0]
    assert struct.unpack(">4xIQqIQqI", tables(found, 1)[b"elst"]) == (
        *(2, 500, -1, 65536),
        *(250, 0, 65536),
    )
    assert struct.unpack(">4xIQqI", tables(found, 0)[b"elst"]) == (1, 1000, 0, 65536)
    moov = split(found)[1][1]
    assert struct.unpack_from(">II", inner(moov, b"mvhd"), 20) == (1000, 1000)


def test_b_frames_start_with_the_first_picture(init: bytes) -> None:
    runs = (Run(1, 1024, 10, True, 2048), Run(1, 1024, 10, False, -5), Run(1, 1024, 10, False, -5))
    told = tables(head_and_media(index(init, [piece(10240, *runs)], 1.2))[0])
    assert struct.unpack(">4xIQqI", told[b"elst"]) == (1, 300, 2048, 65536)
    assert told[b"ctts"] == struct.pack(">IIIiIi", 1 << 24, 2, 1, 2048, 2, -5)


def test_more_than_4_gib_need_a_longer_header(init: bytes) -> None:
    run = Run(1, 1024, 10, key=True, offset=0)
    big = [piece(n * 1024, run, length=1 << 31) for n in range(3)]
    head = index(init, big, 0.0)
    assert head.endswith(struct.pack(">I4sQ", 1, b"mdat", (3 << 31) + 16))
    *_, last = struct.unpack(">4xI3Q", tables(head_and_media(head)[0])[b"co64"])
    assert last == len(head) + (2 << 31) + 100


def test_headers_with_long_times_are_understood(init: bytes) -> None:
    def long_times(data: bytes, name: bytes, between: int) -> bytes:
        """The box with version 1: 64-bit times and duration."""
        at = data.find(name) - 4
        if at < 0:
            return data
        size = struct.unpack_from(">I", data, at)[0]
        body = data[at + 8 : at + size]
        middle = body[12 : 12 + between]
        rest = body[12 + between + 4 :]
        made = box(name, b"\1\0\0\0", bytes(16), middle, bytes(8), rest)
        return data[:at] + made + data[at + size :]

    ftyp, moov = (data for _, data in split(init))
    parts = []
    for kind, data in split(moov[8:]):
        if kind == b"mvhd":
            parts.append(long_times(data, b"mvhd", 4))
        elif kind == b"trak":
            head, media = (part for _, part in split(data[8:]))
            inside = b"".join(long_times(p, b"mdhd", 4) for _, p in split(media[8:]))
            parts.append(box(b"trak", long_times(head, b"tkhd", 8), box(b"mdia", inside)))
        else:
            parts.append(data)
    run = Run(10, 1024, 10, key=True, offset=0)
    found = head_and_media(index(ftyp + box(b"moov", *parts), [piece(10240, run)], 1.0))[0]
    moov = split(found)[1][1]
    assert struct.unpack_from(">IQ", inner(moov, b"mvhd"), 28) == (1000, 1000)
    assert struct.unpack_from(">IIQ", inner(moov, b"trak", b"tkhd"), 28) == (1, 0, 1000)
    assert struct.unpack_from(">IQ", inner(moov, b"trak", b"mdia", b"mdhd"), 28) == (10240, 10240)


def spoilt(init: bytes) -> Iterator[bytes]:
    at = init.index(b"mdhd")
    yield init[: at + 16] + bytes(4) + init[at + 20 :]
    for name in (b"moov", b"ftyp", b"mvhd", b"tkhd", b"mdhd", b"hdlr", b"minf", b"stbl", b"stsd"):
        yield init.replace(name, b"xxxx")


def test_a_broken_init_segment_is_refused(init: bytes) -> None:
    only = [piece(0, Run(1, 1024, 10, key=True, offset=0))]
    for data in spoilt(init):
        with pytest.raises(ReleaseError) as caught:
            index(data, only, 0.0)
        assert caught.value.key == "clip_broken"


def test_a_cut_too_long_for_its_headers_is_refused(init: bytes) -> None:
    with pytest.raises(ReleaseError, match="clip_broken"):
        index(init, [piece(0, Run(65536, 1 << 31, 10, key=True, offset=0))], 0.0)


@given(st.data())
def test_any_init_segment_is_understood_or_refused(data: st.DataObject) -> None:
    init = bytearray(INIT)
    init[data.draw(st.integers(0, len(init) - 1))] = data.draw(st.integers(0, 255))
    only = [piece(0, Run(1, 1024, 10, key=True, offset=0))]
    with suppress(ReleaseError):
        track_defaults(bytes(init))
    with suppress(ReleaseError):
        index(bytes(init), only, 0.0)


def _init() -> bytes:
    """A small, whole init segment of one track."""
    stbl = box(b"stbl", full(b"stsd", 0, 0))
    media = box(b"mdia", full(b"mdhd", 0, 0, 0, 1000, 0, 0), box(b"hdlr"), box(b"minf", stbl))
    track = box(b"trak", full(b"tkhd", 3, 0, 0, 1, 0, 0, 0, 0), media)
    extends = box(b"mvex", full(b"trex", 0, 1, 1, 0, 0, 0))
    moov = box(b"moov", full(b"mvhd", 0, 0, 0, 1000, 0, 0), track, extends)
    return box(b"ftyp", b"isom") + moov


INIT = _init()
