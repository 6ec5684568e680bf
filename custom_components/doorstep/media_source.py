"""Clips in the media browser, for those who may view them."""

from datetime import timedelta
from functools import partial
from itertools import islice
from typing import Any, Final, override

from homeassistant.components.http.auth import async_sign_path
from homeassistant.components.media_player import (
    BrowseError,
    MediaClass,
    SearchMedia,
    SearchMediaQuery,
)
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .data import DoorstepConfigEntry, DoorstepData, async_entry
from .errors import StorageError
from .media_identifier import Identifier
from .media_items import Names, clip_item, pictured
from .media_listing import PAGE, Listing
from .media_search import Reader, Wanted, find
from .paths import clip_path, still_path
from .texts import async_texts
from .viewers import may_browse

_SIGNED_FOR: Final = timedelta(hours=1)
"""How long an address plays: core would sign it for a day."""

_MONTH_FIRST: Final = frozenset({"US"})


async def async_get_media_source(hass: HomeAssistant) -> MediaSource:
    """Return the one media source."""
    return DoorstepMediaSource(hass)


class DoorstepMediaSource(MediaSource):
    """What the library holds."""

    name = "Doorstep"

    def __init__(self, hass: HomeAssistant) -> None:
        """Serve the household's library."""
        super().__init__(DOMAIN)
        self.hass = hass

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """List doorbells, days, hours, clips or pictures."""
        data = self._entry(BrowseError).runtime_data
        identifier = _identifier(item, BrowseError)
        listing = Listing(data.rooms.library, self._names(data))
        try:
            return await self.hass.async_add_executor_job(listing.open, identifier)
        except StorageError as error:
            raise BrowseError(**_said(error)) from error

    @override
    async def async_search_media(
        self, item: MediaSourceItem, query: SearchMediaQuery
    ) -> SearchMedia:
        """Find clips by doorbell, kind of event, day and time of day."""
        data = self._entry(BrowseError).runtime_data
        scope = _identifier(item, BrowseError)
        names = self._names(data)
        reader = Reader(
            names,
            dt_util.now().date(),
            month_first=self.hass.config.country in _MONTH_FIRST,
        )
        wanted = reader.read(query.search_query).within(scope.doorbell, scope.day)
        find_all = partial(_found, data, names, wanted, query.media_filter_classes)
        try:
            return SearchMedia(result=await self.hass.async_add_executor_job(find_all))
        except StorageError as error:
            raise BrowseError(**_said(error)) from error

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Turn a clip, or one of its pictures, into an address that plays for an hour."""
        data = self._entry(Unresolvable).runtime_data
        identifier = _identifier(item, Unresolvable)
        try:
            clip = await data.async_clip(identifier.clip)
        except StorageError as error:
            raise Unresolvable(**_said(error)) from error
        if clip is None:
            raise Unresolvable(translation_domain=DOMAIN, translation_key="no_such_clip")
        if identifier.number is not None:
            return PlayMedia(self._sign(still_path(clip.id, identifier.number)), "image/jpeg")
        return PlayMedia(self._sign(clip_path(clip.id)), "video/mp4", path=clip.video)

    def _entry(self, error: type[HomeAssistantError]) -> DoorstepConfigEntry:
        """Find the household, for somebody who may view its clips."""
        entry = async_entry(self.hass)
        if entry is None:
            raise error(translation_domain=DOMAIN, translation_key="not_loaded")
        if not may_browse(entry):
            raise error(translation_domain=DOMAIN, translation_key="may_not_view")
        return entry

    @callback
    def _names(self, data: DoorstepData) -> Names:
        bells = {bell.id: bell.name for bell in data.rooms.doorbells}
        return Names(bells, async_texts(self.hass))

    @callback
    def _sign(self, path: str) -> str:
        return async_sign_path(self.hass, path, _SIGNED_FOR)


def _said(error: StorageError) -> dict[str, Any]:
    """Say what went wrong as Home Assistant's own errors do."""
    return {
        "translation_domain": DOMAIN,
        "translation_key": error.key,
        "translation_placeholders": error.placeholders,
    }


def _identifier(item: MediaSourceItem, error: type[HomeAssistantError]) -> Identifier:
    try:
        return Identifier.parse(item.identifier or "")
    except ValueError as reason:
        raise error(translation_domain=DOMAIN, translation_key="no_such_clip") from reason


def _found(
    data: DoorstepData, names: Names, wanted: Wanted, classes: list[MediaClass] | None
) -> list[BrowseMediaSource]:
    """Show what is found, at most a page of it. Blocks."""
    clips = (
        clip
        for clip in find(data.rooms.library, wanted, dt_util.get_default_time_zone())
        if not classes or (MediaClass.IMAGE if pictured(clip) else MediaClass.VIDEO) in classes
    )
    return [clip_item(clip, names.found(clip)) for clip in islice(clips, PAGE)]
