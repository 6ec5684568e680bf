"""Doorstep is killed in the middle of transactions: at any line, byte or SQLite instruction."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from custom_components.doorstep.disclosure import store
from custom_components.doorstep.disclosure.package import Package
from custom_components.doorstep.disclosure.receipt import Receipt
from custom_components.doorstep.disclosure.store import Release, Releases
from custom_components.doorstep.errors import FeedError, ReleaseError
from custom_components.doorstep.inbox.store import SCHEMA, Inbox
from custom_components.doorstep.ledger import log, outbox
from custom_components.doorstep.ledger.database import Database
from tests.inbox.world import AGENCY, FAR, HOUR, ME, World
from tests.simulators import documents

from . import audit
from .death import Death, Way, run

_LATEST: dict[Way, int] = {"line": 40_000, "byte": 300_000, "step": 60_000, "time": 200_000}


@dataclass
class Home:
    """The household of a world, with releases; its database is opened anew in each process."""

    world: World
    database: Database
    releases: Releases

    @classmethod
    def opened(cls, world: World, death: Death) -> Home:
        schemas = [log.SCHEMA, outbox.SCHEMA, SCHEMA, store.SCHEMA]
        database = Database(world.folder / "doorstep.db", schemas)
        death.watch(database)
        world.database = database
        world.ledger = log.Ledger(database, world.folder / "ledger.key", lambda: world.now)
        world.inbox = Inbox(database, world.ledger, world.rules)
        return cls(world, database, Releases(database, world.ledger))


def play(dice: Random, folder: Path) -> Counter[str]:
    """Let agency and household do what they like; after each death the books are checked."""
    world = World(folder)
    world.database.close()
    (folder / "told").write_text("")
    counts = Counter(deaths=0, entries=0)
    published: list[documents.Document] = []
    for _ in range(dice.randint(2, 5)):
        for _ in range(dice.randint(1, 5)):
            _publish(dice, world, published)
        plan, death, told = dice.getrandbits(32), Death.drawn(dice, _LATEST), folder / "told"
        died = not run(lambda: _live(Random(plan), world, death, told), death)  # noqa: B023 - run at once
        world.now += timedelta(hours=dice.choice((0, 1, 30)))
        home = Home.opened(world, Death())
        size = audit.check(home.database, world.ledger)
        assert size >= int(told.read_text() or 0), "what was committed is gone"
        home.database.close()
        counts["deaths"] += died
    _catch_up(world, published)
    counts["entries"] = size
    return counts


def _publish(dice: Random, world: World, published: list[documents.Document]) -> None:
    """The agency adds something to its log, not always something good."""
    what = dice.random()
    if not published or what < 0.2:
        published.append(world.statement({"name": f"Department {dice.randint(0, 2)}"}))
    elif what < 0.6:
        place = FAR if dice.random() < 0.2 else (52.3731, 4.8922)
        area = documents.square(*place, dice.choice((200.0, 900.0)))
        window = {"start": documents.timestamp(world.now - HOUR * dice.choice((1, 12)))}
        published.append(world.ask({"geometry": area, "properties": {"window": window}}))
    elif what < 0.7:
        world.feed.log.append(dice.randbytes(40))
    elif asks := [one for one in published if one.get("type") == "Feature"]:
        action = dice.choice(("amend", "withdraw", "resolve"))
        published.append(world.follow_up(action, dice.choice(asks)))


def _live(dice: Random, world: World, death: Death, told: Path) -> None:
    home = Home.opened(world, death)
    for _ in range(dice.randint(3, 25)):
        with suppress(FeedError, ReleaseError):
            dice.choice((_inbox, _release))(dice, home)
        head = world.ledger.head()
        told.write_text(str(head.size if head else 0))


def _inbox(dice: Random, home: Home) -> None:
    world, inbox = home.world, home.world.inbox
    requests = inbox.requests(world.now)
    handle = dice.choice(requests).handle if requests else "none"
    steps: list[Callable[[], object]] = [
        world.poll,
        world.poll,
        world.confirm,
        lambda: inbox.settle(world.home, world.now),
        lambda: inbox.expire(world.now + timedelta(days=dice.choice((0, 6)))),
        lambda: inbox.decline(handle, ME, world.now),
        lambda: inbox.undo_decline(handle, ME, world.now),
        lambda: world.answer(handle),
        lambda: inbox.set_domain(AGENCY, ME, world.now, proven=dice.random() < 0.5),
        lambda: inbox.feed_failed(world.feed_id, FeedError("feed_unreachable"), world.now),
        lambda: inbox.feed_failed(world.feed_id, FeedError("feed_forked"), world.now),
        lambda: inbox.resume_feed(world.feed_id, ME, world.now),
    ]
    dice.choice(steps)()


def _release(dice: Random, home: Home) -> None:
    releases, now = home.releases, home.world.now
    known = releases.all()
    if not known or dice.random() < 0.3:
        word = str(dice.randint(0, 3))
        releases.draft(f"handle{word}", lambda one: {"request": "urn", "release": one}, now)
        return
    one = dice.choice(known)
    later = now + HOUR
    moves: list[Callable[[], Any]] = [
        lambda: releases.approve(one.id, one.digest, "anna", now),
        lambda: releases.approve(one.id, "0" * 64, "anna", now),
        lambda: releases.undo(one.id, "anna", now),
        lambda: releases.package(one.id, now),
        lambda: releases.deliver(one.id, Package("ab" * 32, 1000), "cd" * 32, now),
        lambda: releases.created(one.id, "http://127.0.0.1/1"),
        lambda: releases.offer(one.id, dice.randint(0, 1000)),
        lambda: releases.confirm(one.id, dice.randint(0, 1000)),
        lambda: releases.forget_upload(one.id),
        lambda: releases.finish(one.id, later, now),
        lambda: releases.acknowledge(one.id, Receipt(now, "24-118/7"), b"token", now),
        lambda: releases.miss(one.id, now),
        lambda: releases.stop(one.id, "withdrawn", now),
        lambda: releases.retry(one.id, "anna", now),
        lambda: releases.postpone(one, "receiver_busy", later, now),
        lambda: releases.fail(one, "gave_up", now),
    ]
    dice.choice(moves)()
    _judge(home.releases.get(one.id))


def _judge(release: Release) -> None:
    assert 0 <= release.sent <= max(release.size, 1000)
    assert (release.key is None) == (release.state not in _KEYED)


_KEYED = frozenset({"granted", "packaging", "delivering", "delivered", "stopped"})


def _catch_up(world: World, published: list[documents.Document]) -> None:
    """Afterwards the home reads on, to the log's end, and knows every request once."""
    home = Home.opened(world, Death())
    world.inbox.resume_feed(world.feed_id, ME, world.now)
    world.poll()
    state = world.inbox.feed_state(world.feed_id)
    assert (state.read, state.size) == (world.feed.log.size,) * 2
    asked = {one["id"] for one in published if one.get("type") == "Feature"}
    with home.database.read() as tx:
        known = [row["urn"] for row in tx.execute("SELECT urn FROM requests")]
    assert len(known) == len(set(known))
    assert set(known) == asked
    audit.check(home.database, world.ledger)
    home.database.close()
