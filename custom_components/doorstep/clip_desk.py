"""What people do with clips: delete them and think better of it, keep them, check them."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial
from threading import Event
from typing import Final

from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import SIGNAL_DESK
from .encoding import format_time
from .errors import StorageError
from .footage.verify import Finding, verify_all
from .inbox.values import Actor
from .rooms import Rooms
from .shown import Shape, Texts
from .storage import PERSON, Storage
from .texts import async_texts

_ALL: Final = 1 << 31  # clips, more than any library has


class ClipDesk:
    """Every method runs in the event loop; its work in the executor."""

    def __init__(self, rooms: Rooms, storage: Storage) -> None:
        """Work on the library of `rooms`."""
        self._rooms = rooms
        self._hass = rooms.hass
        self._library = rooms.library
        self._storage = storage

    async def async_delete(self, clips: Sequence[str], actor: Actor, *, confirmed: bool) -> Shape:
        """Put clips into the bin; those that somebody asks for or holds only once `confirmed`."""
        try:
            return await self._hass.async_add_executor_job(
                partial(self._delete, clips, str(actor.user), confirmed=confirmed)
            )
        finally:
            self._async_changed()

    def _delete(self, clips: Sequence[str], user: str, *, confirmed: bool) -> Shape:
        asked_for = self._storage.asked_for().intersection(clips)
        holds = self._rooms.holds.held()
        held = holds.keys() & clips
        if (asked_for or held) and not confirmed:
            return {"confirm": {"asked_for": len(asked_for), "held": len(held)}}
        deleted: dict[str, datetime] = {}
        for clip in clips:
            try:
                with self._rooms.clip_log.deleting(clip, user):
                    deleted[clip] = self._library.throw_away(clip)
            except StorageError as error:
                # others may go all the same
                if error.key != "clip_unknown" or (clip == clips[-1] and not deleted):
                    raise
                continue
            for holder in holds[clip].holders if clip in held else ():
                self._rooms.holds.let_go(clip, holder, user)
        until = max(deleted.values())
        return {"deleted": list(deleted), "until": format_time(until)}

    async def async_restore(self, clips: Collection[str], actor: Actor) -> None:
        """Take clips out of the bin; one that is gone for good: StorageError."""
        try:
            await self._hass.async_add_executor_job(self._restore, clips, str(actor.user))
        finally:
            self._async_changed()

    def _restore(self, clips: Collection[str], user: str) -> None:
        for clip_id in clips:
            gone = self._library.deletion(clip_id)
            clip = self._library.restore(clip_id)
            if gone is None:
                continue
            if self._rooms.clip_log.was_kept(clip_id):
                # retention may be waiting for it
                self._rooms.holds.hold(clip, PERSON, user)
            self._rooms.clip_log.restored(clip_id, user)

    async def async_hold(self, clip: str, actor: Actor) -> None:
        """Keep a clip from deletion until a person lets go of it; a copy goes into backups."""
        await self._hass.async_add_executor_job(self._hold, clip, str(actor.user))
        self._async_changed()

    def _hold(self, clip_id: str, user: str) -> None:
        if (clip := self._library.get(clip_id)) is None:
            raise StorageError("clip_unknown", clip=clip_id)
        self._rooms.holds.hold(clip, PERSON, user)
        if not self._library.has(clip_id):
            # retention was quicker
            self._rooms.holds.let_go(clip_id, PERSON, user)
            raise StorageError("clip_unknown", clip=clip_id)

    async def async_let_go(self, clip: str, actor: Actor) -> None:
        """Leave a clip to retention again."""
        await self._hass.async_add_executor_job(
            self._rooms.holds.let_go, clip, PERSON, str(actor.user)
        )
        self._async_changed()

    async def async_rescan(self) -> None:
        """Look at the folder again: what somebody put there, or took away."""
        await self._hass.async_add_executor_job(self._library.rescan)
        self._storage.async_read_in()
        self._async_changed()

    async def async_verify(self, clip: str | None, tell: Callable[[Shape], None]) -> Shape:
        """Compare a clip, or all, with their seals; `tell` hears how far it is, in the loop."""
        stop = Event()
        texts = async_texts(self._hass)

        @callback
        def say(done: int, total: int) -> None:
            # what comes late is older than the end
            if not stop.is_set():
                tell({"done": done, "total": total, "finished": False})

        def progress(done: int, total: int) -> None:
            self._hass.loop.call_soon_threadsafe(say, done, total)

        try:
            return await self._hass.async_add_executor_job(
                self._verify, clip, texts, progress, stop
            )
        finally:
            stop.set()

    def _verify(
        self, clip_id: str | None, texts: Texts, progress: Callable[[int, int], None], stop: Event
    ) -> Shape:
        if clip_id is None:
            clips = self._library.clips(limit=_ALL)
        elif one := self._library.get(clip_id):
            clips = [one]
        else:
            raise StorageError("clip_unknown", clip=clip_id)
        findings = [
            finding
            for finding in verify_all(clips, self._rooms.clip_log.seal, progress, stop.is_set)
            # what was deleted meanwhile isn't amiss
            if self._library.deletion(finding.clip) is None
        ]
        total = sum(clip.size for clip in clips)
        return {
            "done": total,
            "total": total,
            "checked": len(clips),
            "findings": [_finding(finding, texts) for finding in findings],
            "finished": True,
        }

    @callback
    def _async_changed(self) -> None:
        self._storage.async_soon()
        async_dispatcher_send(self._hass, SIGNAL_DESK)


def _finding(finding: Finding, texts: Texts) -> Shape:
    return {
        "clip": finding.clip,
        "problem": texts[finding.problem],
        "at": finding.at and format_time(finding.at),
    }
