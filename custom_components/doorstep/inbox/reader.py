"""Polling a feed: which files are asked for, in which order, and when to stop for now.

What is asked for depends on the clock and on what the feed says; never on what this home is, has or
decided.
"""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Final

from aiohttp import ClientSession
from yarl import URL

from ..errors import FeedError
from ..ledger.notes import MAX_NOTE
from .feed import (
    BUNDLE,
    MAX_BUNDLE,
    MAX_DETAILS_FILE,
    FeedDescriptor,
    FeedState,
    FeedUpdate,
    Tile,
    TrustedFeed,
)
from .strictjson import parse_object
from .web import MAX_DESCRIPTOR, check_url, fetch

BUDGET: Final = 32 * 1024 * 1024
POLL_SECONDS: Final = 240
_ENTRIES: Final = "tile/entries"
_DETAILS: Final = "details"


async def read_descriptor(session: ClientSession, url: str) -> FeedDescriptor:
    """Fetch and read a feed's `feed.json`; FeedError."""
    return FeedDescriptor.parse(await fetch(session, check_url(url), MAX_DESCRIPTOR))


async def proves_domain(session: ClientSession, agency: str, kids: Collection[str]) -> bool:
    """Whether the web site of an agency's id lists every one of `kids` (protocol 2.1).

    A site without such a list doesn't prove anything; one that can't be read is a FeedError.
    """
    url = check_url(agency).with_path("/.well-known/footage-agency.json")
    try:
        listed = parse_object(await fetch(session, url, MAX_DESCRIPTOR)).get("keys")
    except FeedError as error:
        if error.key != "feed_not_found":
            raise
        return False
    return bool(kids) and isinstance(listed, list) and all(kid in listed for kid in kids)


class FeedReader:
    """Reads one feed, poll by poll; keeps the unverified leaf hashes of a long backlog in memory.

    They are lost with the process: the next start fetches the backlog anew.
    """

    def __init__(self, session: ClientSession) -> None:
        """Use `session` (see `web.session`) for every request."""
        self._session = session
        self._backlog: list[bytes] = []
        self._spent = 0

    async def read(self, state: FeedState, now: datetime) -> FeedUpdate:
        """Do one poll from `state`: at most 32 MiB and 4 minutes, what is left comes next time.

        Whatever is not as it should be is a FeedError; then nothing of the poll counts.
        """
        self._spent = 0
        feed = TrustedFeed(state, self._backlog)
        try:
            async with asyncio.timeout(POLL_SECONDS):
                return await self._poll(feed, state.descriptor.log, now)
        except TimeoutError as error:
            raise FeedError("feed_slow", host=URL(state.descriptor.log).host) from error
        finally:
            self._backlog = feed.backlog

    async def _poll(self, feed: TrustedFeed, log: str, now: datetime) -> FeedUpdate:
        note = await fetch(self._session, URL(f"{log}checkpoint"), MAX_NOTE)
        await asyncio.to_thread(feed.update_checkpoint, note, now)
        bundles: dict[int, bytes] = {}
        while (tile := feed.next_tile) and self._affordable:
            bundles[tile.number] = await self._fetch(log, _ENTRIES, tile, MAX_BUNDLE)
            await asyncio.to_thread(feed.update_bundle, bundles[tile.number])
        entries = []
        for tile in feed.unread:
            if tile.number not in bundles and not self._affordable:
                break
            data = bundles.pop(tile.number, None)
            if data is None:
                data = await self._fetch(log, _ENTRIES, tile, MAX_BUNDLE)
            details = await self._details(log, tile)
            entries += await asyncio.to_thread(feed.entries, tile, data, details)
        return feed.update(entries)

    @property
    def _affordable(self) -> bool:
        return self._spent + MAX_BUNDLE + MAX_DETAILS_FILE <= BUDGET

    async def _details(self, log: str, tile: Tile) -> bytes:
        try:
            return await self._fetch(log, _DETAILS, tile, MAX_DETAILS_FILE)
        except FeedError as error:
            if error.key != "feed_not_found":
                raise
            return b""

    async def _fetch(self, log: str, kind: str, tile: Tile, cap: int) -> bytes:
        try:
            data = await fetch(self._session, tile.url(log, kind), cap)
        except FeedError as error:
            # a log that has grown meanwhile may have only the full file left
            if error.key != "feed_not_found" or tile.width == BUNDLE:
                raise
            data = await fetch(self._session, Tile(tile.number).url(log, kind), cap)
        self._spent += len(data)
        return data
