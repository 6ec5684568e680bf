"""The recorder is killed at any line or byte, also while it repairs what the last one left."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import BinaryIO
from unittest.mock import patch

from custom_components.doorstep.footage import clip as clips, writer
from custom_components.doorstep.footage.clip import Clip, load
from custom_components.doorstep.footage.event import OpenClip, RecorderSettings
from custom_components.doorstep.footage.files import append, write_atomically
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import ClipLines
from custom_components.doorstep.footage.ring import Received, Stream
from custom_components.doorstep.footage.writer import ClipWriter
from tests.footage.synthetic import EPOCH, INIT, INIT_AV, a_fragment, stream

from .death import Death, Way, run

_LATEST: dict[Way, int] = {"line": 25_000, "byte": 40_000, "time": 150_000}
_DOORBELLS = ("front", "back")


class Notes:
    """What the recorder told others, one line each, before it died."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.touch()

    def say(self, word: str, clip_id: str, value: str) -> None:
        """Write at once; a size limit that kills may leave half a line."""
        with self._file.open("ab", buffering=0) as file:
            file.write(f"\n{word} {clip_id} {value} .".encode())

    def said(self, word: str) -> dict[str, str]:
        """What was said last under a word, by clip."""
        lines = [line.split(" ") for line in self._file.read_text().split("\n")]
        return {line[1]: line[2] for line in lines if line[0] == word and line[-1] == "."}


def play(dice: Random, folder: Path) -> Counter[str]:
    """Record, die, record again; then all there is has to be whole."""
    library, notes = folder / "library", Notes(folder / "notes")
    deaths = 0
    for _ in range(dice.randint(2, 6)):
        death, plan = Death.drawn(dice, _LATEST), dice.getrandbits(32)
        deaths += not run(lambda: _record(Random(plan), library, notes), death)  # noqa: B023 - run at once
        if dice.random() < 0.4:
            death = Death.drawn(dice, {"line": 3_000, "time": 20_000})
            deaths += not run(lambda: _open(library, notes).close(), death)
    found = _judge(library, notes)
    assert found == _judge(library, notes), "a second start changes something"
    return Counter(deaths=deaths, clips=len(found))


def _open(library: Path, notes: Notes) -> Library:
    now = EPOCH + timedelta(days=2)
    return Library(library, lambda clip: notes.say("sealed", clip.id, clip.root), lambda: now)


def _record(dice: Random, folder: Path, notes: Notes) -> None:
    """A recorder's life: clips, pictures, now and then a clip that somebody deletes."""
    vars(clips)["append"] = vars(writer)["append"] = _in_portions(dice)
    _tell_of_fragments(notes)
    library = _open(folder, notes)
    for _ in range(dice.randint(1, 5)):
        clip = _clip(dice, folder)
        if clip is None:
            continue
        library.add(clip)
        notes.say("kept", clip.id, clip.root)
        if dice.random() < 0.3:
            victim = dice.choice(library.clips())
            notes.say("deleting", victim.id, "person")
            library.delete(victim.id, "person")
            notes.say("deleted", victim.id, "person")


def _clip(dice: Random, folder: Path) -> Clip | None:
    sound = dice.random() < 0.5
    at = EPOCH + timedelta(seconds=dice.randint(0, 86_000))
    settings = RecorderSettings(post_roll=600, audio=sound)
    one = OpenClip(folder, dice.choice(_DOORBELLS), ("ring", at), settings, lambda: at)
    made = stream(INIT_AV if sound else INIT, at=at)
    for n in range(dice.randint(0, 12)):
        if dice.random() < 0.1:  # the camera comes back
            made = stream(made.init, at=at + timedelta(seconds=3))
        for item in _items(dice, made, n * 500 + 3000 * (dice.random() < 0.1)):
            one.feed(item)
    one.stop()
    clip = asyncio.run(one.run()).clip
    if clip is not None and dice.random() < 0.5:
        write_atomically(clip.picture, dice.randbytes(dice.randint(1, 5000)))
    return clip


def _items(dice: Random, made: Stream, start: int) -> list[Received]:
    key, size = dice.random() < 0.6, dice.randint(1, 400)
    tracks = (1, 2) if made.init is INIT_AV else (1,)
    return [
        Received(a_fragment(start, init=made.init, track=track, key=key, size=size), made)
        for track in tracks
    ]


def _tell_of_fragments(notes: Notes) -> None:
    """Note how many fragments a clip has on disk: from its first picture on, none may be lost."""
    write = ClipWriter.write

    def told(self: ClipWriter, item: Received) -> None:
        write(self, item)
        if self._lines.footage:
            notes.say("wrote", self._files.clip, str(len(self._lines.fragments)))

    patch.object(ClipWriter, "write", told).start()


def _in_portions(dice: Random) -> Callable[[BinaryIO, bytes], None]:
    def portions(file: BinaryIO, data: bytes) -> None:
        """Let the kill come between any two bytes, too."""
        at = dice.randint(0, len(data))
        for part in (data[:at], data[at:]):
            append(file, part)

    return portions


def _judge(folder: Path, notes: Notes) -> dict[str, str]:
    """Open the library as the next start does; returns the roots of its clips."""
    library = _open(folder, notes)
    assert library.unreadable == ()
    there = {clip.id: clip for clip in library.clips(limit=1000)}
    for clip in there.values():
        _check_clip(clip)
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    left = {name for name in names if name.endswith(".partial")}
    assert not left, left
    assert {name[:-4] for name in names if name.endswith(".mp4")} == there.keys()
    assert {name[:-6] for name in names if name.endswith(".jsonl")} == there.keys()
    assert {name[:-4] for name in names if name.endswith(".jpg")} <= there.keys()
    roots = {clip.id: clip.root for clip in there.values()}
    sealed, kept = notes.said("sealed"), notes.said("kept")
    deleted, deleting = notes.said("deleted"), notes.said("deleting")
    assert roots.items() <= sealed.items(), "a clip that was never sealed so"
    assert kept.keys() <= roots.keys() | deleting.keys(), "a clip is lost"
    assert all(roots[clip] == kept[clip] for clip in kept.keys() & roots.keys())
    for clip_id, count in notes.said("wrote").items():
        assert clip_id in roots or clip_id in deleting, "recorded, and lost"
        assert clip_id in deleting or _fragments(there[clip_id]) >= int(count)
    for clip_id in deleted:
        gone = library.deletion(clip_id)
        assert gone is not None
        assert gone.reason == "person"
        assert clip_id not in roots
    library.close()
    return roots


def _fragments(clip: Clip) -> int:
    return len(ClipLines.parse(clip.lines.read_bytes()).fragments)


def _check_clip(clip: Clip) -> None:
    assert load(clip.files) == clip
    lines = ClipLines.parse(clip.lines.read_bytes())
    assert lines.root() == clip.root
    data = clip.video.read_bytes()
    assert len(data) == lines.size == clip.size
    for line in lines.fragments:
        assert sha256(data[line.offset :][: line.length]).hexdigest() == line.sha256
    assert clip.lines.stat().st_size == sum(len(line) + 1 for line in lines.raw)
