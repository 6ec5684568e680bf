"""The parser: bytes in any portions, fragments out, one kind of error."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.doorstep.errors import CameraError
from custom_components.doorstep.footage.ffmpeg import Form
from custom_components.doorstep.footage.fragments import (
    MAX_INIT,
    MAX_MEDIA,
    MAX_SAMPLES,
    Fragment,
    FragmentParser,
    rewritten,
)

from .synthetic import (
    AUDIO,
    INIT,
    NOT_SYNC,
    VIDEO,
    TrackSpec,
    a_fragment,
    audio_entry,
    box,
    esds,
    fragment,
    full,
    init_segment,
    parsed,
    u32,
    video_entry,
)

type Fragmented = Callable[..., bytes]


def test_real_stream(fragmented: Fragmented) -> None:
    init, fragments = parsed(fragmented())
    assert [(track.id, track.kind, track.timescale) for track in init.tracks] == [
        (1, "video", init.video.timescale),
        (2, "audio", 8000),
    ]
    assert init.video.codec.startswith("avc1.42c0")
    assert init.tracks[1].codec == "mp4a.40.2"
    video = [one for one in fragments if one.track is init.video]
    assert video[0].start == 0
    assert all(one.end_seconds == two.start_seconds for one, two in pairwise(video))
    assert video[-1].end_seconds == pytest.approx(4.0, abs=0.2)
    assert sum(one.samples for one in video) == 40
    keys = [one.start_seconds for one in video if one.key]
    assert keys == pytest.approx([0, 1.1, 2.1, 3.1], abs=0.1)
    assert all(one.key for one in fragments if one.track is not init.video)


@pytest.mark.parametrize("name", ["hevc", "intra", "bframes"])
def test_other_video(fragmented: Fragmented, name: str) -> None:
    init, fragments = parsed(fragmented(name, Form()))
    assert [track.kind for track in init.tracks] == ["video"]
    assert fragments[0].key
    assert sum(one.duration_seconds for one in fragments) == pytest.approx(4.0, abs=0.25)


def test_hevc_is_named_hvc1(fragmented: Fragmented) -> None:
    init, _ = parsed(fragmented("hevc", Form()))
    assert init.video.codec.startswith("hvc1.1.6.L")
    assert b"hvc1" in init.data
    assert b"hev1" not in init.data


def test_key_frames_only_are_asked_for_in_larger_portions(fragmented: Fragmented) -> None:
    _, tiny = parsed(fragmented("intra", Form()))
    _, sparse = parsed(fragmented("intra", Form(sparse=True)))
    assert {one.samples for one in tiny} == {1}
    assert all(one.key and one.duration_seconds >= 0.4 for one in sparse[:-1])


def test_g711_needs_the_other_container(fragmented: Fragmented) -> None:
    init, fragments = parsed(fragmented("g711", Form("mov", audio=True)))
    assert init.tracks[1].codec == "ulaw"
    sound = [one for one in fragments if one.track.kind == "audio"]
    assert sum(one.duration_seconds for one in sound) == pytest.approx(4.0, abs=0.1)


@given(st.data())
def test_any_portions_give_the_same(data: st.DataObject) -> None:
    stream = init_segment(VIDEO, AUDIO) + fragment(0) + fragment(0, track=2) + fragment(500)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    parser = FragmentParser()
    found: list[Fragment] = []
    for start, end in pairwise([0, *cuts, len(stream)]):
        found += [one for _, one in parser.feed(stream[start:end])]
    assert (parser.init, found) == parsed(stream)


@given(st.data())
def test_damage_is_a_camera_error_or_nothing(data: st.DataObject) -> None:
    stream = bytearray(init_segment(VIDEO, AUDIO) + fragment(0) + fragment(0, track=2))
    for at in data.draw(st.lists(st.integers(0, len(stream) - 1), min_size=1, max_size=4)):
        stream[at] = data.draw(st.integers(0, 255))
    try:
        found = list(FragmentParser().feed(bytes(stream)))
        for _, one in found:
            rewritten(one, 5, 1)
    except CameraError as error:
        assert error.key == "camera_bad_stream"  # noqa: PT017 - success is allowed too


@given(st.binary(max_size=200))
def test_noise_is_a_camera_error_or_nothing(noise: bytes) -> None:
    for stream in (noise, init_segment(VIDEO) + box(b"moof", noise) + box(b"mdat", noise)):
        try:
            assert list(FragmentParser().feed(stream)) == []
        except CameraError as error:
            assert error.key == "camera_bad_stream"  # noqa: PT017 - success is allowed too


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(init_segment(), id="no track"),
        pytest.param(init_segment(AUDIO), id="no video"),
        pytest.param(init_segment(VIDEO, VIDEO), id="two videos"),
        pytest.param(init_segment(VIDEO, replace(AUDIO, id=1)), id="same id"),
        pytest.param(init_segment(TrackSpec(timescale=0)), id="no time scale"),
        pytest.param(init_segment(TrackSpec(handler=b"subt")), id="subtitles"),
        pytest.param(init_segment(TrackSpec(entry=b"")), id="no sample entry"),
        pytest.param(init_segment(TrackSpec(entry=video_entry(config=b""))), id="no config"),
        pytest.param(init_segment(VIDEO)[12:], id="no ftyp"),
        pytest.param(init_segment(VIDEO) * 2, id="two inits"),
        pytest.param(box(b"ftyp") + box(b"moov", bytes(5)), id="trailing bytes"),
        pytest.param(box(b"ftyp") + box(b"moov", u32(99), b"mvhd"), id="child too long"),
        pytest.param(u32(MAX_INIT + 1) + b"moov", id="moov too large"),
        pytest.param(u32(MAX_MEDIA + 1) + b"mdat", id="mdat too large"),
        pytest.param(u32(MAX_INIT + 1) + b"free", id="anything too large"),
        pytest.param(u32(7) + b"free", id="smaller than a header"),
        pytest.param(box(b"mdat"), id="mdat alone"),
        pytest.param(INIT.data + box(b"mdat"), id="mdat without moof"),
        pytest.param(INIT.data + box(b"moof") + box(b"free"), id="moof without mdat"),
        pytest.param(fragment(0), id="moof without moov"),
        pytest.param(INIT.data + fragment(0, track=2), id="unknown track"),
    ],
)
def test_refused(stream: bytes) -> None:
    finished = stream + box(b"moof") + box(b"mdat")
    with pytest.raises(CameraError) as caught:
        list(FragmentParser().feed(finished))
    assert caught.value.key == "camera_bad_stream"


def moof(*boxes: bytes, header: bytes = full(b"tfhd", 0, 0x20000, u32(1))) -> bytes:
    time = full(b"tfdt", 0, 0, u32(0))
    return box(b"moof", full(b"mfhd", 0, 0, u32(1)), box(b"traf", header, time, *boxes))


def run_of(count: int, flags: int = 0, *fields: int) -> bytes:
    return full(b"trun", 0, flags, u32(count, *fields))


@pytest.mark.parametrize(
    ("index", "media"),
    [
        pytest.param(moof(), b"", id="no samples"),
        pytest.param(moof(run_of(1, 0x200, 3)), b"ab", id="samples longer than media"),
        pytest.param(moof(run_of(1, 0x200, 1)), b"ab", id="samples shorter than media"),
        pytest.param(moof(run_of(2, 0x200, 1)), b"ab", id="fewer sizes than samples"),
        pytest.param(moof(run_of(MAX_SAMPLES + 1)), b"", id="too many samples"),
        pytest.param(moof(run_of(1, 0x201, 3, 2)), b"ab", id="media elsewhere"),
        pytest.param(
            moof(run_of(1, 0x200, 2), header=full(b"tfhd", 0, 1, u32(1, 0, 0))),
            b"ab",
            id="absolute offset",
        ),
        pytest.param(box(b"moof"), b"", id="no traf"),
        pytest.param(box(b"moof", box(b"traf"), box(b"traf")), b"", id="two tracks in one"),
        pytest.param(
            moof(run_of(1, 0x200, 2), header=full(b"tfhd", 0, 0x8, u32(1))), b"ab", id="short tfhd"
        ),
    ],
)
def test_refused_fragment(index: bytes, media: bytes) -> None:
    with pytest.raises(CameraError) as caught:
        parsed(INIT.data + index + box(b"mdat", media))
    assert caught.value.key == "camera_bad_stream"


def test_refused_input_is_described() -> None:
    with pytest.raises(CameraError, match="what=no init segment"):
        parsed(box(b"moov"))


def test_defaults_of_the_track_are_overridden_by_fragment_then_sample() -> None:
    init, _ = parsed(init_segment(TrackSpec(trex=(40, 2, NOT_SYNC))))
    stream = init.data + moof(run_of(3)) + box(b"mdat", bytes(6))
    (one,) = parsed(stream)[1]
    assert (one.duration, one.last, one.samples, one.key) == (120, 40, 3, False)

    header = full(b"tfhd", 0, 0x3A, u32(1, 1, 50, 3, 0))
    (one,) = parsed(init.data + moof(run_of(2), header=header) + box(b"mdat", bytes(6)))[1]
    assert (one.duration, one.key) == (100, True)

    first = run_of(2, 0x104, NOT_SYNC, 60, 61)
    (one,) = parsed(init.data + moof(first, header=header) + box(b"mdat", bytes(6)))[1]
    assert (one.duration, one.last, one.key) == (121, 61, False)


def test_several_runs_of_samples() -> None:
    runs = [run_of(2, 0x300, 10, 1, 11, 2), run_of(1, 0xF00, 12, 4, 0, 99)]
    (one,) = parsed(INIT.data + moof(*runs) + box(b"mdat", b"abcdefg"))[1]
    assert (one.duration, one.samples, one.last) == (33, 3, 12)


def test_other_boxes_are_passed_over() -> None:
    stream = INIT.data + box(b"styp") + fragment(0) + box(b"mfra", b"x") + fragment(500)
    assert [one.start for one in parsed(stream)[1]] == [0, 500]


def test_long_headers() -> None:
    init, _ = parsed(init_segment(TrackSpec(id=9, timescale=90000, version=1)))
    assert (init.video.id, init.video.timescale) == (9, 90000)


def test_box_fields_end_with_the_box() -> None:
    one = box(b"trak", full(b"tkhd", 0, 0, u32(0)), box(b"mdia"))
    with pytest.raises(CameraError, match="short tkhd box"):
        parsed(box(b"ftyp") + box(b"moov", one, box(b"mvex")))


@pytest.mark.parametrize("version", [0, 1])
def test_rewriting_changes_decode_time_and_number_only(version: int) -> None:
    one = a_fragment(1234, version=version)
    again = rewritten(one, 4321, 2**32 + 9)
    assert len(again) == len(one.data)
    (read,) = parsed(INIT.data + again)[1]
    assert (read.start, read.duration, read.key) == (4321, one.duration, one.key)
    assert again[20:24] == u32(9)
    assert rewritten(read, 1234, 7) == one.data


@pytest.mark.parametrize(("version", "start"), [(0, -1), (0, 1 << 32), (1, 1 << 64)])
def test_rewriting_refuses_what_does_not_fit(version: int, start: int) -> None:
    with pytest.raises(CameraError):
        rewritten(a_fragment(0, version=version), start, 1)


def hevc(entry: bytes) -> bytes:
    return video_entry(entry, box(b"hvcC", bytes.fromhex("0121400000009000000000005d")))


@pytest.mark.parametrize(
    ("entry", "codec"),
    [
        (video_entry(), "avc1.64001f"),
        (video_entry(b"avc3"), "avc1.64001f"),
        (hevc(b"hvc1"), "hvc1.1.2.H93.90"),
        (hevc(b"hev1"), "hvc1.1.2.H93.90"),
        (
            video_entry(b"hvc1", box(b"hvcC", bytes.fromhex("01c26000000000000000000000"))),
            "hvc1.C2.6.L0",
        ),
        (video_entry(b"av01"), "av01"),
        (video_entry(b"mp4v"), "mp4v"),
        (video_entry(b"mp4v", esds(0x6C)), "mp4v.6c"),
        (video_entry(b"mp4v", esds(0x20)), "mp4v.20"),
    ],
)
def test_video_codecs(entry: bytes, codec: str) -> None:
    init, _ = parsed(init_segment(TrackSpec(entry=entry)))
    assert init.video.codec == codec
    assert b"hev1" not in init.data


@pytest.mark.parametrize(
    ("entry", "codec"),
    [
        (audio_entry(b"mp4a", esds()), "mp4a.40.2"),
        (audio_entry(b"mp4a", esds(0x40, b"\x05\x02\x28\x00")), "mp4a.40.5"),
        (audio_entry(b"mp4a", esds(0x40, b"\x05\x02\xf8\x00")), "mp4a.40"),
        (audio_entry(b"mp4a", esds(0x6B, b"\x06\x01\x02\x00")), "mp4a.6b"),
        (audio_entry(b"mp4a", full(b"esds", 0, 0, b"\x03\x03\x00\x01\x00\x05\x00")), "mp4a"),
        (audio_entry(b"mp4a", full(b"esds", 0, 0, b"\x03\x80\x80")), "mp4a"),
        (audio_entry(b"mp4a", full(b"esds", 0, 0, b"\x03\xff\xff\xff\xff")), "mp4a"),
        (audio_entry(b"mp4a"), "mp4a"),
        (audio_entry(b"ulaw"), "ulaw"),
        (audio_entry(b"fl  "), "fl"),
    ],
)
def test_audio_codecs(entry: bytes, codec: str) -> None:
    init, _ = parsed(init_segment(VIDEO, TrackSpec(id=2, handler=b"soun", entry=entry)))
    assert init.tracks[1].codec == codec
