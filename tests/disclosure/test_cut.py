"""The cut: what was sealed, inside the window, in a file that ordinary players play."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
import io
from itertools import pairwise
from pathlib import Path
import subprocess
from typing import Any

import aics_tlog
import av
import orjson
import pytest

from custom_components.doorstep.disclosure import cut
from custom_components.doorstep.disclosure.cut import CutPlan, Window
from custom_components.doorstep.disclosure.seal import prove
from custom_components.doorstep.errors import DoorstepError, ReleaseError, StorageError
from custom_components.doorstep.footage.clip import Clip
from scripts.children import tool

from .clips import DOORBELL, START, Sealer, encode, ffmpeg, inner, split
from .conftest import WINDOW


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def written(plan: CutPlan, folder: Path) -> Path:
    path = folder / "cut.mp4"
    with path.open("wb") as file:
        digest = cut.write(plan, file)
    assert digest == cut.digest(plan) == sha256(path.read_bytes()).hexdigest()
    assert path.stat().st_size == plan.bytes
    return path


def probe(path: Path) -> Any:
    """What ffprobe says of the file and its streams."""
    command = [tool("ffprobe"), "-v", "error", "-of", "json", "-show_format", "-show_streams"]
    done = subprocess.run([*command, str(path)], check=True, capture_output=True)
    assert not done.stderr
    return orjson.loads(done.stdout)


def plays(path: Path) -> None:
    """Decode everything, with every warning an error."""
    command = [ffmpeg(), "-nostdin", "-v", "warning", "-xerror", "-i", str(path)]
    done = subprocess.run([*command, "-f", "null", "-"], check=True, capture_output=True)
    assert not done.stderr


def shown(path: Path) -> list[float]:
    """When each picture is shown, in seconds."""
    with av.open(str(path)) as container:
        return [float(frame.time or 0) for frame in container.decode(video=0)]


def heard(path: Path) -> tuple[float, float]:
    """When sound begins and ends, in seconds."""
    with av.open(str(path)) as container:
        frames = [f for f in container.decode(audio=0) if f.time is not None]
        return float(frames[0].time or 0), float(frames[-1].time or 0)


def sealed_pieces(path: Path) -> list[bytes]:
    """The fragments at the end of a cut: what the one outer `mdat` holds."""
    boxes = split(path.read_bytes())
    assert [kind for kind, _ in boxes] == [b"ftyp", b"moov", b"mdat"]
    parts = split(boxes[2][1][8:])
    assert [kind for kind, _ in parts] == [b"moof", b"mdat"] * (len(parts) // 2)
    return [moof + mdat for (_, moof), (_, mdat) in zip(parts[::2], parts[1::2], strict=True)]


# --- what is chosen


def test_it_begins_with_the_first_key_frame_inside_the_window(clip: Clip) -> None:
    plan = cut.plan(clip, WINDOW, audio=False)
    assert (plan.start, plan.end) == (START + seconds(41), START + seconds(55))
    assert plan.seconds == 14.0
    assert not plan.audio
    assert plan.fragments[0].key
    assert len(plan.fragments) == 28


def test_the_borders_belong_to_the_window(clip: Clip) -> None:
    exact = Window(START + seconds(41), START + seconds(55))
    plan = cut.plan(clip, exact, audio=False)
    assert (plan.start, plan.end) == (exact.start, exact.end)
    tick = timedelta(milliseconds=1)
    inside = cut.plan(clip, Window(exact.start + tick, exact.end - tick), audio=False)
    assert (inside.start, inside.end) == (START + seconds(42), START + seconds(54.5))


def test_a_window_around_the_clip_takes_all_video(clip: Clip) -> None:
    around = Window(START - seconds(600), START + seconds(600))
    plan = cut.plan(clip, around, audio=False)
    assert (plan.start, plan.seconds) == (START, 60.0)


@pytest.mark.parametrize(("start", "end"), [(-20, -10), (41.1, 41.9), (60, 70), (58.5, 59.3)])
def test_nothing_decodable_inside_is_refused(clip: Clip, start: float, end: float) -> None:
    with pytest.raises(ReleaseError) as caught:
        cut.plan(clip, Window(START + seconds(start), START + seconds(end)), audio=False)
    assert caught.value.key == "cut_empty"


def test_after_a_jump_of_the_clock_it_goes_on_with_a_key_frame(
    sealer: Sealer, tmp_path: Path
) -> None:
    # one fragment in the middle of a group claims to be from another time
    odd = next(line for line in sealer.lines if line.get("start") == 45 * 10240 + 5120)
    odd["utc"] = "2026-11-14T23:00:00Z"
    late = next(line for line in sealer.lines if line.get("start") == 47 * 10240)
    late["utc"] = "2026-11-14T23:00:00Z"
    plan = cut.plan(sealer.write(tmp_path), WINDOW, audio=False)
    starts = {one.start / 10240 for one in plan.fragments}
    assert {45.0, 46.0, 46.5, 48.0}.issubset(starts)
    assert not {45.5, 47.0, 47.5} & starts
    path = written(plan, tmp_path)
    plays(path)
    assert plan.seconds == 14.0
    assert shown(path)[-1] == pytest.approx(13.9, abs=0.001)


# --- what it is


@pytest.mark.parametrize("audio", [False, True])
def test_ordinary_players_play_it_from_its_own_start(
    clip: Clip, tmp_path: Path, *, audio: bool
) -> None:
    path = written(cut.plan(clip, WINDOW, audio=audio), tmp_path)
    plays(path)
    facts = probe(path)
    assert float(facts["format"]["duration"]) == 14.0
    assert float(facts["format"]["start_time"]) == 0.0
    assert [s["codec_type"] for s in facts["streams"]] == ["video", "audio"][: 1 + audio]
    assert facts["streams"][0]["nb_frames"] == "140"
    times = shown(path)
    assert times == pytest.approx([n / 10 for n in range(140)], abs=0.001)


def test_sound_and_picture_stay_together(clip: Clip, tmp_path: Path) -> None:
    plan = cut.plan(clip, WINDOW, audio=True)
    assert plan.audio
    first = next(one for one in plan.fragments if one.track == 2)
    # B-frames: the first picture is shown 0.2 s after its decode time of 41 s
    assert heard(written(plan, tmp_path))[0] == pytest.approx(first.start / 16000 - 41.2, abs=0.001)
    assert first.start / 16000 >= 41.2


def test_sound_ends_with_the_picture(clip: Clip, tmp_path: Path) -> None:
    # the window holds more sound than decodable video
    window = Window(START + seconds(40.2), START + seconds(55.95))
    plan = cut.plan(clip, window, audio=True)
    last = [one for one in plan.fragments if one.track == 2][-1]
    # decoded until 55.5, shown until 55.7
    assert 55.2 < (last.start + last.duration) / 16000 <= 55.7
    assert float(probe(written(plan, tmp_path))["format"]["duration"]) == 14.5


def test_no_audio_leaves_no_trace_of_the_track(clip: Clip, tmp_path: Path) -> None:
    path = written(cut.plan(clip, WINDOW, audio=False), tmp_path)
    moov = split(path.read_bytes())[1][1]
    kinds = [kind for kind, _ in split(moov[8:])]
    assert kinds == [b"mvhd", b"trak"]
    assert inner(moov, b"trak", b"mdia", b"hdlr")[16:20] == b"vide"


def test_names_a_camera_wrote_into_the_file_stay_at_home(
    clip: Clip, recording: bytes, tmp_path: Path
) -> None:
    assert b"Smith front door" in recording
    for audio in (False, True):
        assert b"Smith" not in written(cut.plan(clip, WINDOW, audio=audio), tmp_path).read_bytes()


@pytest.mark.parametrize("audio", [False, True])
def test_every_released_fragment_is_byte_for_byte_what_was_sealed(
    clip: Clip, sealer: Sealer, tmp_path: Path, *, audio: bool
) -> None:
    plan = cut.plan(clip, WINDOW, audio=audio)
    pieces = sealed_pieces(written(plan, tmp_path))
    leaves = [plan.lines.marks[one.index] for one in plan.fragments]
    assert pieces == [sealer.pieces[leaf] for leaf in leaves]
    assert plan.span == (leaves[0], leaves[-1])
    assert leaves == sorted(leaves)


@pytest.mark.parametrize("bframes", [0, 3])
def test_streams_with_and_without_b_frames(bframes: int, tmp_path: Path) -> None:
    clip = Sealer(encode(seconds=6, bframes=bframes, audio=False)).write(tmp_path)
    window = Window(START + seconds(1.5), START + seconds(5))
    path = written(cut.plan(clip, window, audio=True), tmp_path)
    plays(path)
    assert shown(path) == pytest.approx([n / 10 for n in range(30)], abs=0.001)
    assert float(probe(path)["format"]["duration"]) == 3.0


def test_a_gap_in_the_recording_is_a_pause_in_the_cut(sealer: Sealer, tmp_path: Path) -> None:
    # the fragments of second 45 never came
    lost = [n for n, line in enumerate(sealer.lines) if line.get("start") in {460800, 465920}]
    assert len(lost) == 2
    sealer.drop(lost)
    sealer.lines.insert(
        lost[0],
        {
            "gap": True,
            "track": 1,
            "from": "2026-11-14T20:00:45Z",
            "to": "2026-11-14T20:00:46Z",
            "reason": "stalled",
        },
    )
    plan = cut.plan(sealer.write(tmp_path), WINDOW, audio=False)
    path = written(plan, tmp_path)
    plays(path)
    times = shown(path)
    assert len(times) == 130
    assert times[-1] == pytest.approx(13.9, abs=0.001)
    assert max(b - a for a, b in pairwise(times)) == pytest.approx(1.1)
    assert lost[0] in plan.leaves


# --- what proves it


def test_an_independent_verifier_accepts_every_line(clip: Clip) -> None:
    plan = cut.plan(clip, WINDOW, audio=True)
    root = bytes.fromhex(clip.root)
    lines = prove(plan.lines.raw, plan.leaves).splitlines()
    assert len(lines) == len(plan.fragments) + 2
    for text in lines:
        line = orjson.loads(text)
        proof = [bytes.fromhex(node) for node in line["proof"]]
        leaf = line["line"].encode()
        assert aics_tlog.verify_leaf_inclusion(leaf, line["index"], line["size"], proof, root)
        assert line["root"] == clip.root
        assert leaf == plan.lines.raw[line["index"]]
    assert orjson.loads(orjson.loads(lines[-1])["line"])["end"] == "post-roll"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_proofs_hold_for_trees_of_any_shape(size: int) -> None:
    lines = [b"%d" % n for n in range(size)]
    tree = aics_tlog.MerkleTree(lines)
    for leaf, text in enumerate(prove(lines, range(size)).splitlines()):
        line = orjson.loads(text)
        assert [bytes.fromhex(node) for node in line["proof"]] == tree.inclusion_proof(leaf)
        assert line["root"] == tree.root().hex()


def test_only_lines_of_what_is_released_go_with_it(clip: Clip) -> None:
    plan = cut.plan(clip, WINDOW, audio=False)
    told = [orjson.loads(plan.lines.raw[leaf]) for leaf in plan.leaves]
    assert "init" in told[0]
    assert "end" in told[-1]
    assert {line["track"] for line in told[1:-1]} == {1}
    assert min(line["utc"] for line in told[1:-1]) >= "2026-11-14T20:00:40.200Z"


def test_a_header_that_names_the_doorbell_stays_at_home(sealer: Sealer, tmp_path: Path) -> None:
    sealer.lines[0]["doorbell"] = DOORBELL
    plan = cut.plan(sealer.write(tmp_path), WINDOW, audio=False)
    assert DOORBELL.encode() in plan.lines.raw[0]
    assert 0 not in plan.leaves
    assert DOORBELL.encode() not in prove(plan.lines.raw, plan.leaves)


def test_a_header_without_a_local_name_goes_with_it(clip: Clip) -> None:
    assert cut.plan(clip, WINDOW, audio=False).leaves[0] == 0


def test_gaps_outside_the_cut_stay_at_home(sealer: Sealer, tmp_path: Path) -> None:
    gap = {"gap": True, "from": "2026-11-14T20:00:30Z", "to": "2026-11-14T20:00:31Z", "reason": "x"}
    sealer.lines.insert(1, gap | {"track": 1})
    sealer.lines.insert(170, gap | {"track": 2})
    sealer.lines.insert(175, gap | {"track": 1})
    sealer.lines.insert(len(sealer.lines) - 1, gap | {"track": 1})
    plan = cut.plan(sealer.write(tmp_path), WINDOW, audio=False)
    told = [orjson.loads(plan.lines.raw[leaf]) for leaf in plan.leaves]
    assert [leaf for leaf, line in zip(plan.leaves, told, strict=True) if "gap" in line] == [175]


# --- what is refused


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_a_flipped_byte_in_a_released_fragment_is_found(clip: Clip) -> None:
    plan = cut.plan(clip, WINDOW, audio=False)
    for one in (plan.fragments[0], plan.fragments[10], plan.fragments[-1]):
        for at in (one.offset, one.offset + one.length - 1):
            flip(clip.video, at)
            for act in (lambda: cut.plan(clip, WINDOW, audio=False), lambda: cut.digest(plan)):
                with pytest.raises(ReleaseError) as caught:
                    act()
                assert caught.value.key == "fragment_differs"
            flip(clip.video, at)
    assert cut.plan(clip, WINDOW, audio=False) == plan


def test_a_flipped_byte_in_the_init_segment_is_found(clip: Clip) -> None:
    flip(clip.video, 700)
    with pytest.raises(ReleaseError, match="fragment_differs"):
        cut.plan(clip, WINDOW, audio=False)


@pytest.mark.parametrize("line", [0, 1, 100, -2, -1])
def test_a_flipped_byte_in_any_line_is_found(clip: Clip, line: int) -> None:
    lines = clip.lines.read_bytes().split(b"\n")[:-1]
    changed = lines[line].replace(b"2026", b"2027").replace(b"post-roll", b"post-rolL")
    assert changed != lines[line]
    lines[line] = changed
    clip.lines.write_bytes(b"\n".join([*lines, b""]))
    with pytest.raises(ReleaseError) as caught:
        cut.plan(clip, WINDOW, audio=False)
    assert caught.value.key == "seal_differs"


@pytest.mark.parametrize("text", [b"", b"\n", b"{}\n", b"no json\n", b"[]\n{}\n", b"\xff"])
def test_lines_that_are_no_seal_are_refused(clip: Clip, text: bytes) -> None:
    clip.lines.write_bytes(text)
    with pytest.raises(ReleaseError, match="seal_unreadable"):
        cut.plan(clip, WINDOW, audio=False)


def test_a_shortened_video_is_found(clip: Clip) -> None:
    clip.video.write_bytes(clip.video.read_bytes()[:-200_000])
    with pytest.raises(ReleaseError, match="fragment_differs"):
        cut.plan(clip, WINDOW, audio=False)


@pytest.mark.parametrize("name", ["video", "lines"])
def test_a_missing_file_is_said(clip: Clip, name: str) -> None:
    getattr(clip, name).unlink()
    with pytest.raises(ReleaseError) as caught:
        cut.plan(clip, WINDOW, audio=False)
    assert caught.value.key == "clip_missing"
    assert caught.value.placeholders == {"clip": clip.id}


@pytest.mark.parametrize("name", ["video", "lines"])
def test_a_file_that_cannot_be_read_is_the_disks_fault(clip: Clip, name: str) -> None:
    getattr(clip, name).unlink()
    getattr(clip, name).mkdir()
    with pytest.raises(StorageError, match="clip_unreadable"):
        cut.plan(clip, WINDOW, audio=False)


def test_a_disk_that_fails_while_reading_is_a_storage_error(
    clip: Clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = cut.plan(clip, WINDOW, audio=False)

    class Failing(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "I/O error")

    monkeypatch.setattr(Path, "open", lambda *_: Failing())
    with pytest.raises(StorageError, match="clip_unreadable"):
        cut.digest(plan)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda init: init.replace(b"moov", b"moox"),
        lambda init: init.replace(b"ftyp", b"ftyx"),
        lambda init: init.replace(b"mvex", b"mvxx"),
        lambda init: init.replace(b"stsd", b"stsx"),
        lambda init: init.replace(b"mvhd", b"mvhx"),
        lambda init: init[:-4],
        lambda _: b"",
    ],
)
def test_a_sealed_but_broken_init_segment_is_refused(
    recording: bytes, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    sealer = Sealer(recording)
    sealer.replace_init(spoil)
    with pytest.raises(DoorstepError) as caught:
        cut.plan(sealer.write(tmp_path), WINDOW, audio=False)
    assert caught.value.key == "clip_broken"
