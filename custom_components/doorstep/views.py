"""Clips, pictures and the files under review, each behind authentication."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from operator import attrgetter
from pathlib import Path
from typing import Final

from aiohttp import web
from homeassistant.components.http import KEY_HASS, KEY_HASS_USER, HomeAssistantView
from homeassistant.components.http.const import KEY_HASS_REFRESH_TOKEN_ID
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .data import async_entry
from .errors import StorageError
from .footage.clip import Clip
from .footage.pictures import frame
from .paths import clip_path, picture_path, review_path, still_path

# the picture of a clip never changes once it is there
_CACHE: Final = {"Cache-Control": f"private, max-age={timedelta(days=1).total_seconds():.0f}"}
_NO_STORE: Final = {"Cache-Control": "no-store"}


@callback
def async_register_views(hass: HomeAssistant) -> None:
    """Register all views; once, since they can't be taken back."""
    for view in (
        LibraryView("clip", clip_path("{clip}"), attrgetter("video"), _NO_STORE),
        LibraryView("picture", picture_path("{clip}"), attrgetter("picture"), _CACHE),
        StillView(),
        ReviewView(),
    ):
        hass.http.register_view(view)


class LibraryView(HomeAssistantView):
    """A file of a clip, as it lies in the library, with byte ranges."""

    def __init__(
        self, kind: str, url: str, pick: Callable[[Clip], Path], headers: dict[str, str]
    ) -> None:
        """Serve what `pick` picks of a clip."""
        self.name = f"api:{DOMAIN}:{kind}"
        self.url = url
        self._pick = pick
        self._headers = headers

    async def get(self, request: web.Request, clip: str) -> web.StreamResponse:
        """Serve the file."""
        hass = request.app[KEY_HASS]
        entry = async_entry(hass)
        found = await entry.runtime_data.async_clip(clip) if entry else None
        return await _async_file(hass, self._pick(found) if found else None, self._headers)


class StillView(HomeAssistantView):
    """One picture of a clip of pictures, byte for byte as the camera gave it."""

    url = still_path("{clip}", "{number:[0-9]{1,6}}")
    name = f"api:{DOMAIN}:still"

    async def get(self, request: web.Request, clip: str, number: str) -> web.Response:
        """Serve the picture."""
        hass = request.app[KEY_HASS]
        entry = async_entry(hass)
        found = await entry.runtime_data.async_clip(clip) if entry else None
        if found is None:
            raise web.HTTPNotFound
        try:
            jpeg = await hass.async_add_executor_job(frame, found, int(number))
        except (StorageError, IndexError) as error:
            raise web.HTTPNotFound from error
        return web.Response(body=jpeg, content_type="image/jpeg", headers=_CACHE)


class ReviewView(HomeAssistantView):
    """A file exactly as the package would hold it; for approvers."""

    url = review_path("{release}", "{clip}")
    name = f"api:{DOMAIN}:review"

    async def get(self, request: web.Request, release: str, clip: str) -> web.StreamResponse:
        """Serve the cut."""
        hass = request.app[KEY_HASS]
        entry = async_entry(hass)
        person = entry and entry.runtime_data.approvers.person(
            request[KEY_HASS_USER], request.get(KEY_HASS_REFRESH_TOKEN_ID)
        )
        if entry is None or person is None:
            return web.Response(status=HTTPStatus.FORBIDDEN)
        file = entry.runtime_data.desk.review_file(release, clip)
        return await _async_file(hass, file, _NO_STORE)


async def _async_file(
    hass: HomeAssistant, file: Path | None, headers: dict[str, str]
) -> web.StreamResponse:
    if file is None or not await hass.async_add_executor_job(file.is_file):
        raise web.HTTPNotFound
    return web.FileResponse(file, headers=headers)
