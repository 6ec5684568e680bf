"""Clips, pictures, films and the files under review, each behind authentication."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from operator import attrgetter
from pathlib import Path
from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, KEY_HASS_USER, HomeAssistantView
from homeassistant.components.http.const import KEY_HASS_REFRESH_TOKEN_ID
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .data import DoorstepConfigEntry, async_entry
from .errors import StorageError
from .footage.clip import Clip
from .footage.pictures import frame
from .inbox.values import Actor
from .paths import clip_path, export_path, picture_path, review_path, still_path, thumbnail_path
from .viewers import may_view

# the pictures of a clip never change once they are there
_CACHE: Final = {"Cache-Control": f"private, max-age={timedelta(days=1).total_seconds():.0f}"}
_NO_STORE: Final = {"Cache-Control": "no-store"}

# nothing that could lead elsewhere, or that no clip is named, gets past the router
_CLIP: Final = "{clip:[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}}"
_NUMBER: Final = "{number:[0-9]{1,6}}"
_RELEASE: Final = "{release:[0-9a-f]{32}}"
_NAME: Final = r"{name:[0-9A-Za-z_-]{1,300}\.mp4}"


@callback
def async_register_views(hass: HomeAssistant) -> None:
    """Register all views; once, since they can't be taken back."""
    for view in (
        LibraryView("clip", clip_path(_CLIP), lambda clip: [clip.video], _NO_STORE),
        LibraryView("picture", picture_path(_CLIP), lambda clip: [clip.picture], _CACHE),
        LibraryView("thumbnail", thumbnail_path(_CLIP), attrgetter("thumbnail", "picture"), _CACHE),
        StillView(),
        ReviewView(),
        ExportView(),
    ):
        hass.http.register_view(view)


class LibraryView(HomeAssistantView):
    """A file of a clip, as it lies in the library, with byte ranges."""

    def __init__(
        self,
        kind: str,
        url: str,
        pick: Callable[[Clip], Sequence[Path]],
        headers: dict[str, str],
    ) -> None:
        """Serve the first file that is there of those that `pick` picks of a clip."""
        self.name = f"api:{DOMAIN}:{kind}"
        self.url = url
        self._pick = pick
        self._headers = headers

    async def get(self, request: web.Request, clip: str) -> web.StreamResponse:
        """Serve the file."""
        found = await _async_clip(request, clip)
        return await _async_file(request, self._pick(found), self._headers)

    # media players ask for the head before they play
    head = get


class StillView(HomeAssistantView):
    """One picture of a clip of pictures, byte for byte as the camera gave it."""

    url = still_path(_CLIP, _NUMBER)
    name = f"api:{DOMAIN}:still"

    async def get(self, request: web.Request, clip: str, number: str) -> web.StreamResponse:
        """Serve the picture."""
        found = await _async_clip(request, clip)
        try:
            jpeg = await request.app[KEY_HASS].async_add_executor_job(frame, found, int(number))
        except (StorageError, IndexError) as error:
            raise web.HTTPNotFound from error
        return web.Response(body=jpeg, content_type="image/jpeg", headers=_CACHE)

    head = get


class ReviewView(HomeAssistantView):
    """A file exactly as the package would hold it; for approvers."""

    url = review_path(_RELEASE, _CLIP)
    name = f"api:{DOMAIN}:review"

    async def get(self, request: web.Request, release: str, clip: str) -> web.StreamResponse:
        """Serve the cut."""
        entry, _ = _approver(request)
        file = await request.app[KEY_HASS].async_add_executor_job(
            entry.runtime_data.desk.review_file, release, clip
        )
        return await _async_file(request, [file] if file else [], _NO_STORE)

    head = get


class ExportView(HomeAssistantView):
    """A film that was made for an approver, for that one to take away."""

    url = export_path(_NAME)
    name = f"api:{DOMAIN}:export"

    async def get(self, request: web.Request, name: str) -> web.StreamResponse:
        """Serve the film as a download."""
        entry, person = _approver(request)
        file = entry.runtime_data.exports.file(name, person.user)
        headers = _NO_STORE | {"Content-Disposition": f'attachment; filename="{name}"'}
        return await _async_file(request, [file] if file else [], headers)

    head = get


def _entry(request: web.Request) -> DoorstepConfigEntry:
    entry = async_entry(request.app[KEY_HASS])
    if entry is None:
        raise web.HTTPNotFound
    return entry


async def _async_clip(request: web.Request, clip: str) -> Clip:
    """Find a clip for who may view it; to others it is all one whether it is there."""
    entry = _entry(request)
    if not may_view(entry, request[KEY_HASS_USER]):
        raise web.HTTPForbidden
    try:
        found = await entry.runtime_data.async_clip(clip)
    except StorageError as error:
        raise web.HTTPServiceUnavailable from error
    if found is None:
        raise web.HTTPNotFound
    return found


def _approver(request: web.Request) -> tuple[DoorstepConfigEntry, Actor]:
    """Find the approver who is logged in behind a request."""
    entry = _entry(request)
    person = entry.runtime_data.approvers.person(
        request[KEY_HASS_USER], request.get(KEY_HASS_REFRESH_TOKEN_ID)
    )
    if person is None:
        raise web.HTTPForbidden
    return entry, person


async def _async_file(
    request: web.Request, files: Sequence[Path], headers: dict[str, str]
) -> web.StreamResponse:
    file = await request.app[KEY_HASS].async_add_executor_job(_first, files)
    if file is None:
        raise web.HTTPNotFound
    return web.FileResponse(file, headers=headers)


def _first(files: Sequence[Path]) -> Path | None:
    """Find the first of some files that is there; blocks. A link could lead anywhere."""
    return next((file for file in files if file.is_file() and not file.is_symlink()), None)
