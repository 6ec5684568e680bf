"""A recorder without a camera: the test says what comes in, and when."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

import pytest

from custom_components.doorstep.doorbells import recording
from custom_components.doorstep.errors import CameraError, StorageError
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.event import RecorderSettings
from custom_components.doorstep.footage.files import ClipFiles, new_clip_id
from custom_components.doorstep.footage.library import Library
from custom_components.doorstep.footage.lines import EventKind
from custom_components.doorstep.footage.recorder import RecorderStatus, State

JPEG: Final = b"\xff\xd8\xff\xe0 the moment"


@dataclass(eq=False, kw_only=True)
class FakeRecorder:
    """Stands in for `Recorder`; `newest` is the one that was made last."""

    newest: ClassVar[FakeRecorder]

    doorbell_id: str
    settings: RecorderSettings
    library: Library
    on_status: Callable[[RecorderStatus], None]
    on_picture: Callable[[str | None, EventKind, datetime, bytes], None]
    on_clip: Callable[[Clip], None]

    def __post_init__(self) -> None:
        FakeRecorder.newest = self
        self.state: State = "off"
        self.reason: str | None = None
        self.events: list[tuple[EventKind, datetime]] = []
        self.clip: str | None = None
        self.shows: bytes | None = JPEG
        self.asked = 0
        self.nudged = 0
        self.held = 0.0
        self.until: datetime | None = None

    @property
    def status(self) -> RecorderStatus:
        return RecorderStatus(self.state, self.held, self.reason)

    async def run(self) -> None:
        self.turn("ready")
        try:
            await asyncio.Event().wait()
        finally:
            if self.clip:
                await self.close()
            self.turn("off")

    def turn(self, state: State, reason: str | None = None) -> None:
        """Change the status."""
        self.state, self.reason = state, reason
        self.on_status(self.status)

    def trigger(self, kind: EventKind, at: datetime, *, until: datetime | None = None) -> str:
        if self.state == "off":
            raise CameraError("camera_off")
        self.events.append((kind, at))
        if self.library.refuses:
            raise CameraError(self.library.refuses)
        self.until = until
        self.clip = self.clip or new_clip_id(at)
        return self.clip

    def extend(self, at: datetime) -> None:
        pass

    def nudge(self) -> None:
        self.nudged += 1

    def refresh(self) -> None:
        """Follow what the library says."""
        refuses = self.library.refuses
        self.turn("failed" if refuses else "ready", refuses)

    async def picture(self) -> bytes:
        self.asked += 1
        if self.shows is None:
            raise CameraError("camera_no_picture")
        return self.shows

    def freeze(self) -> None:
        """Freeze the picture of the newest event."""
        kind, at = self.events[-1]
        self.on_picture(self.clip, kind, at, JPEG)

    async def close(self, *, keep: bool = True) -> None:
        """End the open clip; one that isn't kept met a full disk."""
        kind, at = self.events[0]
        assert self.clip
        files = ClipFiles.place(self.library.folder, self.doorbell_id, self.clip)
        end = at + timedelta(seconds=self.settings.post_roll)
        clip = Clip(
            id=self.clip,
            doorbell=self.doorbell_id,
            event=kind,
            event_at=at,
            start=at,
            end=end,
            seconds=20.0,
            size=4,
            root="00",
            folder=files.folder,
        )
        self.clip, self.events = None, []
        if keep:
            await asyncio.to_thread(self._keep, clip)
        else:
            self.turn("ready", "disk_full")
        self.on_clip(clip)

    def _keep(self, clip: Clip) -> None:
        clip.folder.mkdir(parents=True, exist_ok=True)
        clip.video.write_bytes(b"clip")
        clip.picture.write_bytes(JPEG)
        try:
            self.library.add(clip)
        except StorageError:
            # a test that is over has closed it
            return


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every doorbell record with a fake recorder."""

    def build(doorbell_id: str, **given: Any) -> FakeRecorder:
        known = {"settings", "library", "on_status", "on_picture", "on_clip"}
        ports = {name: port for name, port in given.items() if name in known}
        return FakeRecorder(doorbell_id=doorbell_id, **ports)

    monkeypatch.setattr(recording, "Recorder", build)
    monkeypatch.setattr(recording, "StillsRecorder", build)
