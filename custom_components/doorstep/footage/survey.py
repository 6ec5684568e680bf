"""A look at the folder: which files of which clips there are, beside what the index knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .files import BinnedFiles, ClipFiles, partial, scan


@dataclass(slots=True)
class Survey:
    """What the index and the folder don't agree on."""

    unknown: list[ClipFiles] = field(default_factory=list)  # whole ones, by day
    doubtful: list[ClipFiles] = field(default_factory=list)  # known ones that aren't as known
    cut_short: list[ClipFiles] = field(default_factory=list)  # or growing just now
    unbinned: list[ClipFiles] = field(default_factory=list)  # in the bin by the index alone
    leftovers: list[ClipFiles] = field(default_factory=list)  # of deleted clips
    scraps: list[ClipFiles] = field(default_factory=list)  # without a video
    halves: list[Path] = field(default_factory=list)  # of pictures
    missing: set[str] = field(default_factory=set)


def survey(folder: Path, states: Mapping[str, str]) -> Survey:
    """Compare the files in `folder` with the clips that are known; StorageError passes."""
    found = Survey(missing={clip for clip, state in states.items() if state in {"there", "binned"}})
    for files, parts in scan(folder):
        state = states.get(files.clip)
        if parts & {"jpg.partial", "thumb.jpg.partial"}:
            found.halves += [partial(files.picture), partial(files.thumbnail)]
        if state != "there" or not parts >= {"mp4", "jsonl"}:
            _sort(found, files, parts, state)
        if "mp4" in parts or "jsonl.partial" in parts:
            found.missing.discard(files.clip)
    return found


def _sort(found: Survey, files: ClipFiles, parts: set[str], state: str | None) -> None:
    """Find out what is to be done with a clip that isn't simply there."""
    thrown_away = "jsonl.deleted" in parts and "jsonl" not in parts
    if state == "gone":
        found.leftovers.append(files)
    elif state == "binned" and parts >= {"mp4", "jsonl"}:
        found.unbinned.append(files)
    elif "jsonl.partial" in parts:
        found.cut_short.append(files)
    elif "mp4" not in parts:
        found.scraps.append(files)
    elif state != "binned" or not thrown_away:
        place = BinnedFiles(files.folder, files.clip) if thrown_away else files
        (found.doubtful if state in {"there", "binned"} else found.unknown).append(place)
