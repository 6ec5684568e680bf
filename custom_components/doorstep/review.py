"""What an approver looks at before deciding: the very files a package would hold."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
import shutil

from .disclosure.cut import CutPlan, Window, plan, write
from .disclosure.package import Material
from .disclosure.release import Addressee, Ask, Statement, make_statement, names
from .disclosure.store import Release, Releases
from .errors import ReleaseError, StorageError
from .footage.clip import Clip
from .footage.library import Library
from .inbox.agencies import Statement as AgencyStatement
from .inbox.store import Inbox
from .inbox.views import RequestView


class Review:
    """Drafts and their cuts, in a folder that is emptied at each start; everything blocks."""

    def __init__(self, folder: Path, inbox: Inbox, releases: Releases, library: Library) -> None:
        """Keep the cuts below `folder`."""
        self._folder = folder
        self._inbox = inbox
        self._releases = releases
        self._library = library

    def clips(self, view: RequestView) -> list[Clip]:
        """Return the clips that match a request and are still there, oldest first."""
        found = (self._library.get(clip) for clip in view.assessment.clips)
        return [clip for clip in found if clip is not None]

    def prepare(self, view: RequestView, now: datetime) -> Release:
        """Draft the least that answers a request, and write its files.

        ReleaseError: `nothing_to_release`, or what stands against a cut.
        """
        window = Window(view.request.start, view.request.end)
        cuts = _cuts(self.clips(view), window)
        if not cuts:
            raise ReleaseError("nothing_to_release")
        release = self._releases.draft(view.handle, _stating(view, window, cuts), now)
        folder = self._folder / release.id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for cut in cuts:
                with (folder / f"{cut.clip.id}.mp4").open("wb") as file:
                    write(cut, file)
        except OSError as error:
            raise StorageError("disk_failed", error=error.strerror) from error
        return release

    def why_not(self, release: Release) -> str | None:
        """Return `why_agency_changed` where a release names others than were confirmed since."""
        agency = self._inbox.agency(release.statement["agency"]["id"]).confirmed
        if agency is None or not names(release.statement, addressee(agency)):
            return "why_agency_changed"
        return None

    def file(self, release: str, clip: str) -> Path | None:
        """Return the path of a release's cut; None unless it is one of its clips."""
        try:
            clips = self._releases.get(release).statement["clips"]
        except ReleaseError:
            return None
        named = any(one["clip"] == clip for one in clips)
        return self._folder / release / f"{clip}.mp4" if named else None

    def forget(self, release: str) -> None:
        """Remove the files of a release that is decided."""
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder / self._releases.get(release).id)

    def clear(self) -> None:
        """Remove what the last run left."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def material(self, release: Release) -> Material:
        """Gather what a package is made of; ReleaseError `clip_missing` when a clip is gone."""
        view = self._inbox.request(release.handle, now=release_time(release))
        proof = self._inbox.proof(release.handle)
        clips = []
        for stated in release.statement["clips"]:
            clip = self._library.get(stated["clip"])
            if clip is None:
                raise ReleaseError("clip_missing", clip=stated["clip"])
            clips.append(clip)
        return Material(
            request=view.jws,
            details=view.details_line,
            index=proof.index,
            hashes=proof.hashes,
            checkpoint=proof.note,
            clips=clips,
        )


def release_time(release: Release) -> datetime:
    """Return the instant of the approval."""
    return release.decision.at


def _cuts(clips: Sequence[Clip], window: Window) -> Sequence[CutPlan]:
    found = []
    for clip in clips:
        try:
            found.append(plan(clip, window, audio=False))
        except ReleaseError as error:
            # a clip may touch the window without a whole fragment in it
            if error.key != "cut_empty":
                raise
    return found


def addressee(agency: AgencyStatement) -> Addressee:
    """Return to whom a release goes, as a person has confirmed it."""
    return Addressee(
        id=agency.id,
        name=agency.name,
        recipients=agency.recipients,
        delivery=agency.delivery,
        receipts=agency.receipts,
    )


def _stating(
    view: RequestView, window: Window, cuts: Sequence[CutPlan]
) -> Callable[[str], Statement]:
    agency = view.agency.confirmed
    if agency is None:
        raise ReleaseError("why_agency_unconfirmed")
    ask = Ask(
        id=view.request.id,
        sha256=sha256(view.jws).hexdigest(),
        window=window,
        terms=view.request.terms,
    )
    to = addressee(agency)

    def state(release: str) -> Statement:
        return make_statement(release, ask, to, cuts, audio=False)

    return state
