"""Reading the feeds: when, and what is said about those that don't hold."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime, timedelta
import random
from typing import TYPE_CHECKING, Final, override

import aiohttp
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_URL
from homeassistant.core import HomeAssistant
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER, SUBENTRY_FEED
from .errors import DoorstepError, FeedError
from .inbox.feed import FeedDescriptor, is_stale
from .inbox.feed_table import feed_id
from .inbox.reader import FeedReader, read_descriptor
from .inbox.store import Inbox
from .inbox.values import Actor, Home
from .problems import async_clear, async_report
from .texts import reason_text

if TYPE_CHECKING:
    from .data import DoorstepConfigEntry

POLL: Final = timedelta(minutes=5)
DESCRIBE: Final = timedelta(days=1)
JITTER: Final = 60.0
"""Seconds by which each poll may be later: homes must not all read at once."""

_ADMIN: Final = Actor(None, "panel")


class FeedCoordinator(DataUpdateCoordinator[None]):
    """Reads one feed by the clock alone: no match, no answer and no pause changes when it asks."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: DoorstepConfigEntry,
        subentry: ConfigSubentry,
        feeds: Feeds,
    ) -> None:
        """Read the feed that a person accepted in `subentry`."""
        super().__init__(
            hass, LOGGER, config_entry=entry, name=subentry.title, update_interval=POLL
        )
        self.subentry_id = subentry.subentry_id
        self.url: str = subentry.data[CONF_URL]
        self.descriptor = FeedDescriptor.parse(subentry.data["descriptor"].encode())
        self.feed = feed_id(self.descriptor)
        self._entry = entry
        self._feeds = feeds
        self._reader = FeedReader(feeds.client)
        self._described: datetime | None = None
        self._first: asyncio.Task[None] | None = None

    async def async_start(self) -> None:
        """Take the feed up and read it for as long as it is followed."""
        await self.hass.async_add_executor_job(
            self._feeds.inbox.add_feed, self.url, self.descriptor, _ADMIN, dt_util.utcnow()
        )
        # the desk listens always: a coordinator without listeners would not poll
        self.async_add_listener(self._feeds.changed)
        self._first = self._entry.async_create_background_task(
            self.hass, self.async_refresh(), f"{DOMAIN} first poll of {self.feed}"
        )

    @override
    async def _async_update_data(self) -> None:
        """Poll once; whatever is not as it should be changes nothing but what is said."""
        jitter = random.uniform(0, JITTER)  # noqa: S311 - spreads load, keeps no secret
        self.update_interval = POLL + timedelta(seconds=jitter)
        inbox, now = self._feeds.inbox, dt_util.utcnow()
        await self._async_describe(now)
        try:
            state = await self.hass.async_add_executor_job(inbox.feed_state, self.feed)
            update = await self._reader.read(state, now)
            await self.hass.async_add_executor_job(inbox.apply, update, self._feeds.home(), now)
        except FeedError as error:
            await self.hass.async_add_executor_job(inbox.feed_failed, self.feed, error, now)
            await self._async_judge()
            raise _failed(error) from error
        except DoorstepError as error:
            raise _failed(error) from error
        await self._async_judge()
        await self._feeds.read()

    async def _async_describe(self, now: datetime) -> None:
        """Read `feed.json` once a day: names may change by themselves, keys only by a person."""
        if self._described and now - self._described < DESCRIBE:
            return
        self._described = now
        try:
            descriptor = await read_descriptor(self._feeds.client, self.url)
            await self.hass.async_add_executor_job(
                self._feeds.inbox.renew_feed, self.feed, descriptor, now
            )
        except FeedError as error:
            # where the feed itself has a problem, the poll will say so
            if error.key == "feed_key_changed":
                async_report(self.hass, error.key, subject=self.feed, name=self.name)
        else:
            async_clear(self.hass, "feed_key_changed", subject=self.feed)

    async def _async_judge(self) -> None:
        """Raise or clear the repair issues of this feed."""
        now = dt_util.utcnow()
        views = await self.hass.async_add_executor_job(self._feeds.inbox.feeds, now)
        view = next(view for view in views if view.id == self.feed)
        if view.state == "stopped":
            async_report(
                self.hass,
                "feed_stopped",
                subject=self.feed,
                name=self.name,
                reason=reason_text(self.hass, view.reason),
            )
        if view.fresh_at and is_stale(view.fresh_at, now):
            async_report(self.hass, "feed_stale", subject=self.feed, name=self.name)
        else:
            async_clear(self.hass, "feed_stale", subject=self.feed)

    async def async_stop(self) -> None:
        """Stop reading, also in the middle of the first poll."""
        if self._first:
            self._first.cancel()
        await self.async_shutdown()

    async def async_end(self) -> None:
        """Follow the feed no longer: what it showed stays, its issues go."""
        await self.async_stop()
        for issue in ("feed_key_changed", "feed_stopped", "feed_stale"):
            async_clear(self.hass, issue, subject=self.feed)


class Feeds:
    """All feeds of the household, kept in step with the config subentries."""

    def __init__(
        self,
        hass: HomeAssistant,
        *,
        inbox: Inbox,
        client: aiohttp.ClientSession,
        home: Callable[[], Home],
        read: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        """Read into `inbox`; `read` is awaited after each poll that gave something."""
        self._hass = hass
        self.inbox = inbox
        self.client = client
        self.home = home
        self.read = read
        self.changed = changed
        self._coordinators: dict[str, FeedCoordinator] = {}

    def __iter__(self) -> Iterator[FeedCoordinator]:
        """Go through the coordinators."""
        return iter(tuple(self._coordinators.values()))

    async def async_follow(self, entry: DoorstepConfigEntry) -> None:
        """Make the feeds what the subentries say."""
        wanted: Mapping[str, ConfigSubentry] = {
            key: subentry
            for key, subentry in entry.subentries.items()
            if subentry.subentry_type == SUBENTRY_FEED
        }
        for key in self._coordinators.keys() - wanted.keys():
            await self._coordinators.pop(key).async_end()
        new = [
            coordinator
            for key, subentry in wanted.items()
            if key not in self._coordinators
            and (coordinator := self._build(entry, subentry)) is not None
        ]
        self._coordinators |= {coordinator.subentry_id: coordinator for coordinator in new}
        await self._hass.async_add_executor_job(self._forget_others)
        for coordinator in new:
            await coordinator.async_start()

    def _build(
        self, entry: DoorstepConfigEntry, subentry: ConfigSubentry
    ) -> FeedCoordinator | None:
        """Prepare to read a feed; one that can't be, any more, must not stop the household."""
        try:
            coordinator = FeedCoordinator(self._hass, entry, subentry, self)
        except FeedError as error:
            reason = reason_text(self._hass, error.key)
            async_report(
                self._hass,
                "feed_unusable",
                subject=subentry.subentry_id,
                name=subentry.title,
                reason=reason,
            )
            return None
        async_clear(self._hass, "feed_unusable", subject=subentry.subentry_id)
        return coordinator

    def _forget_others(self) -> None:
        """Follow no feed that isn't set up, also none of an earlier household."""
        now = dt_util.utcnow()
        followed = {coordinator.feed for coordinator in self}
        for feed in set(self.inbox.followed()) - followed:
            self.inbox.remove_feed(feed, _ADMIN, now)

    async def async_stop(self) -> None:
        """Stop reading; what was read stays."""
        for coordinator in self:
            await coordinator.async_stop()
        await self.client.close()


def _failed(error: DoorstepError) -> UpdateFailed:
    return UpdateFailed(
        translation_domain=DOMAIN,
        translation_key=error.key,
        translation_placeholders=error.placeholders,
    )
