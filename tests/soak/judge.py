"""What has to be true of a library's folder at a start: what is claimed is there, and the reverse.

A clip may end early or lack frames only where its lines say so, and where what happened to it
explains it; what happened, those who recorded it noted down.
"""

from collections import Counter
from collections.abc import Iterator, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
import json
from pathlib import Path
from random import Random
import subprocess
from unittest.mock import patch

from custom_components.doorstep.encoding import parse_time
from custom_components.doorstep.footage.clip import Clip, load
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import ClipLines
from custom_components.doorstep.footage.ring import Received
from custom_components.doorstep.footage.verify import verify
from custom_components.doorstep.footage.writer import ClipWriter
from scripts.children import tool

INDEX = "index.db"
_MISSING = 0.5  # seconds of media that may be missing unsaid
_STEP = 1.0  # seconds UTC may move against media time unsaid


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

    def of_fragments(self) -> None:
        """From here on note how many fragments a clip has on disk: none of them may be lost."""
        write = ClipWriter.write

        def told(writer: ClipWriter, item: Received) -> None:
            write(writer, item)
            if writer._lines.footage:
                self.say("wrote", writer._files.clip, str(len(writer._lines.fragments)))

        patch.object(ClipWriter, "write", told).start()


@dataclass
class Circumstances:
    """What explains a library's losses: clips that somebody `harmed`, and how clips may `end`.

    A library that lost its index `forgot` why clips went. On a full disk so many fragments may have
    to `give way` to a clip's last line. What is `played` is real film. Each clip counts once among
    the `endings`.
    """

    ends: frozenset[str] = frozenset()
    harmed: set[str] = field(default_factory=set)
    forgot: bool = False
    gives_way: int = 0
    played: bool = False
    endings: Counter[str] = field(default_factory=Counter)
    _known: set[str] = field(default_factory=set)

    def new(self, clip: Clip, ending: str | None) -> bool:
        """Count a clip; whether it is seen for the first time."""
        known = clip.id in self._known
        self._known.add(clip.id)
        self.endings[str(ending)] += not known
        return not known


def tidy(dice: Random, library: Library, notes: Notes) -> None:
    """Delete a clip, throw one away or bring one back, and note it before and after."""
    there, binned = library.clips(), library.binned()
    way = dice.choice(("delete", "bin", "bin", "restore", "restore"))
    if way == "restore" and binned:
        victim = dice.choice(binned)[0].id
        notes.say("bin", victim, "restoring")
        library.restore(victim)
        notes.say("bin", victim, "restored")
    elif way == "bin" and there:
        victim = dice.choice(there).id
        notes.say("bin", victim, "binning")
        library.throw_away(victim)
        notes.say("bin", victim, "binned")
    elif way == "delete" and (there or binned):
        victim = dice.choice([*there, *(clip for clip, _ in binned)]).id
        notes.say("deleting", victim, "person")
        library.delete(victim, "person")
        notes.say("deleted", victim, "person")


def open_library(folder: Path, notes: Notes, now: datetime | None = None) -> Library:
    """Open a library that notes down what it seals."""
    return Library(
        folder,
        lambda clip: notes.say("sealed", clip.id, clip.root),
        lambda: now or datetime.now(UTC),
    )


def judge(
    folder: Path, notes: Notes, told: Circumstances | None = None, now: datetime | None = None
) -> dict[str, str]:
    """Open the library as the next start does; returns the roots of its clips."""
    told = told or Circumstances()
    library = open_library(folder, notes, now)
    there = {clip.id: clip for clip in library.clips(limit=100_000)}
    unreadable = {path.name.partition(".")[0] for path in library.unreadable}
    assert unreadable <= told.harmed, "a clip that nobody harmed is unreadable"
    sealed = notes.said("sealed")
    for clip in there.values():
        _check_clip(clip, told)
        assert verify(clip, sealed.get(clip.id)) is None
    binned = {clip.id for clip, _ in library.binned()}
    _check_names(folder, set(there), binned, unreadable)
    roots = {clip.id: clip.root for clip in there.values()}
    _check_notes(library, roots, notes, told)
    _check_bin(roots.keys(), binned, notes, told)
    for clip_id, count in notes.said("wrote").items():
        left = len(_lines(there[clip_id]).fragments) if clip_id in there else 0
        if clip_id not in notes.said("deleting").keys() | told.harmed | binned:
            assert left + told.gives_way >= int(count), f"recorded, and lost: {clip_id}"
    library.close()
    return roots


def _check_names(folder: Path, there: set[str], binned: set[str], unreadable: set[str]) -> None:
    """Every file is that of a clip which is claimed, or of one that is said to be unreadable."""
    files = [path for path in folder.glob("*/*/*") if path.is_file()]
    parts: dict[str, set[str]] = {}
    for path in files:
        clip, _, part = path.name.partition(".")
        if clip not in unreadable:
            parts.setdefault(clip, set()).add(part)
    assert not [path for path in files if path.name.endswith(".partial")]
    assert parts.keys() == there | binned, parts.keys() ^ (there | binned)
    for clip, found in parts.items():
        lines = {"jsonl", "jsonl.deleted"} & found
        assert lines == {"jsonl.deleted" if clip in binned else "jsonl"}, (clip, found)
        assert "mp4" in found, clip
    assert all(path.name.startswith(INDEX) for path in folder.glob("*") if path.is_file())


def _check_notes(
    library: Library, roots: dict[str, str], notes: Notes, told: Circumstances
) -> None:
    sealed, kept = notes.said("sealed"), notes.said("kept")
    deleted, deleting = notes.said("deleted"), notes.said("deleting")
    assert roots.items() <= sealed.items(), "a clip that was never sealed so"
    lost = kept.keys() - roots.keys() - deleting.keys() - told.harmed - notes.said("bin").keys()
    assert not lost, f"lost: {lost}"
    assert all(roots[clip] == kept[clip] for clip in kept.keys() & roots.keys())
    for clip_id, reason in deleted.items():
        gone = library.deletion(clip_id)
        assert clip_id not in roots
        assert told.forgot or clip_id in told.harmed or (gone and gone.reason == reason)


def _check_bin(
    there: AbstractSet[str], binned: set[str], notes: Notes, told: Circumstances
) -> None:
    """What was thrown away lies in the bin, and what was brought back is there."""
    said = notes.said("bin")
    assert binned <= said.keys(), "thrown away by nobody"
    for clip, state in said.items():
        if clip in notes.said("deleting") or clip in told.harmed:
            continue
        assert clip in binned or state != "binned", clip
        assert clip in there or state != "restored", clip
        assert clip in binned or clip in there, f"lost in the bin: {clip}"


def _check_clip(clip: Clip, told: Circumstances) -> None:
    assert load(clip.files) == clip
    lines = _lines(clip)
    assert lines.root() == clip.root
    data = clip.video.read_bytes()
    assert len(data) == lines.size == clip.size
    for line in lines.fragments:
        assert sha256(data[line.offset :][: line.length]).hexdigest() == line.sha256
    assert clip.lines.stat().st_size == sum(len(line) + 1 for line in lines.raw)
    assert not told.ends or lines.ending in told.ends, lines.ending
    _check_gaps(lines)
    if told.new(clip, lines.ending) and told.played:
        _play(clip.video)


def _lines(clip: Clip) -> ClipLines:
    return ClipLines.parse(clip.lines.read_bytes())


def _check_gaps(lines: ClipLines) -> None:
    """Frames may be missing, or time may jump, only where a line says so."""
    reached: dict[int, tuple[int, datetime]] = {}
    said: set[int] = set()
    numbers = iter(lines.fragments)
    for raw in lines.raw[1:-1]:
        value = json.loads(raw)
        track = value["track"]
        if "gap" in value:
            said.add(track)
            continue
        line = next(numbers)
        seconds = timedelta(seconds=line.duration / lines.timescales[track])
        if track in reached and track not in said:
            ticks, utc = reached[track]
            missing = (line.start - ticks) / lines.timescales[track]
            step = (line.utc - utc).total_seconds() - missing
            assert missing <= _MISSING + 0.001, f"{missing} s are missing, and nothing says so"
            assert abs(step) <= _STEP + 0.01, f"time jumps by {step} s, and nothing says so"
        said.discard(track)
        reached[track] = (line.start + line.duration, line.utc + seconds)


def gaps(clip: Clip) -> Iterator[tuple[datetime, datetime]]:
    """Tell which times a clip says it lacks."""
    for raw in _lines(clip).raw:
        value = json.loads(raw)
        if value.get("gap"):
            yield parse_time(value["from"]), parse_time(value["to"])


def _play(video: Path) -> None:
    """Decode every frame with a player that knows nothing of us."""
    command = [tool("ffmpeg"), "-v", "error", "-threads", "1", "-i", str(video), "-f", "null", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b""), (video, done.stderr.decode())
