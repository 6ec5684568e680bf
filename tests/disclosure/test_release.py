"""The statement: what is shown, what is decided and what is packed are one thing."""

from dataclasses import replace
from hashlib import sha256
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from custom_components.doorstep.disclosure import cut, release
from custom_components.doorstep.disclosure.declaration import declaration, how_to_verify
from custom_components.doorstep.disclosure.release import digest, make_statement, sentence
from custom_components.doorstep.errors import ReleaseError
from custom_components.doorstep.inbox.agencies import Recipient

from .clips import DOORBELL, Sealer
from .conftest import DECIDED, RELEASE, REQUEST, WINDOW, Case

TEMPLATES = {
    "release_sentence": (
        "{agency} gets {clips} from {start} to {end}: {seconds} s, {size}, {sound}."
        " Only {holders} can open it; it goes to {host}."
    ),
    "release_clip": "1 video",
    "release_clips": "{count} videos",
    "release_with_sound": "with sound",
    "release_without_sound": "without sound",
    "release_test": "TEST: {sentence}",
}


def test_it_states_everything_that_is_released(case: Case) -> None:
    statement = case.statement()
    plan = cut.plan(case.clips[0], WINDOW, audio=False)
    assert statement == {
        "v": 1,
        "release": RELEASE,
        "request": REQUEST,
        "request_sha256": sha256(case.request).hexdigest(),
        "agency": {"id": "https://police.example.gov/", "name": "Example Police Department"},
        "recipients": [{"recipient": case.recipient, "holder": "Evidence unit"}],
        "delivery": case.delivery,
        "receipts": case.receipts,
        "terms": {"purpose": "burglary", "retain_until": "2027-11-14T00:00:00Z"},
        "identity": "none",
        "audio": False,
        "window": {"start": "2026-11-14T20:00:40.200Z", "end": "2026-11-14T20:00:55.300Z"},
        "clips": [
            {
                "camera": "camera-1",
                "clip": case.clips[0].id,
                "start": "2026-11-14T20:00:41Z",
                "end": "2026-11-14T20:00:55Z",
                "seconds": 14.0,
                "bytes": plan.bytes,
                "sha256": cut.digest(plan),
                "root": case.clips[0].root,
                "tracks": ["video"],
                "lines": list(plan.span),
                "source": {
                    "event": "ring",
                    "event_at": "2026-11-14T20:00:10Z",
                    "camera_clock_offset": -0.25,
                    "camera_clock_measured": "2026-11-14T20:00:00Z",
                    "host_ntp": "synchronised",
                },
            }
        ],
        "processing": release.PROCESSING,
        "sealed_when": "home",
        "test": True,
    }


def test_sound_is_stated(case: Case) -> None:
    statement = case.statement(audio=True)
    assert statement["audio"] is True
    assert statement["clips"][0]["tracks"] == ["video", "audio"]


def test_the_digest_is_that_of_the_canonical_json(case: Case) -> None:
    statement = case.statement()
    text = json.dumps(statement, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert digest(statement) == sha256(text.encode()).hexdigest()


def test_any_change_changes_the_digest(case: Case) -> None:
    known = digest(case.statement())

    def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if not isinstance(value, dict | list):
            return [path]
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        return [one for key, item in inner for one in places(item, (*path, key))]

    statement = case.statement()
    paths = places(statement)
    assert len(paths) > 25
    for path in paths:
        changed = json.loads(json.dumps(statement))
        *outer, last = path
        where = changed
        for key in outer:
            where = where[key]
        where[last] = "other"
        assert digest(changed) != known, path


def test_doorbells_are_numbered_and_no_local_name_is_stated(
    case: Case, sealer: Sealer, tmp_path: Path
) -> None:
    names = ("20261114T200011Z-aaaaaaaa", "20261114T200009Z-bbbbbbbb")
    case.clips.append(sealer.write(tmp_path / "b", names[0], "01JDBACKDOOR"))
    case.clips.append(sealer.write(tmp_path / "c", names[1], DOORBELL))
    told = case.statement()
    assert [(c["camera"], c["clip"]) for c in told["clips"]] == [
        ("camera-1", names[1]),
        ("camera-1", case.clips[0].id),
        ("camera-2", names[0]),
    ]
    assert DOORBELL not in str(told)
    assert "01JDBACKDOOR" not in str(told)


def test_a_recipient_that_cannot_be_encrypted_to_is_refused_before_the_approval(
    case: Case,
) -> None:
    to = replace(case.addressee, recipients=[Recipient("age1pq1qqqq", "Evidence unit")])
    cuts = [cut.plan(case.clips[0], WINDOW, audio=False)]
    with pytest.raises(ReleaseError, match="recipient_unsupported"):
        make_statement(RELEASE, case.ask, to, cuts, audio=False)


def test_nothing_is_no_release(case: Case) -> None:
    case.clips.clear()
    with pytest.raises(ReleaseError, match="nothing_to_release"):
        case.statement()


def test_the_sentence_says_it_plainly(case: Case) -> None:
    statement = {**case.statement(), "test": False}
    assert sentence(statement, TEMPLATES) == (
        "Example Police Department gets 1 video from 2026-11-14 20:00:41 to"
        " 2026-11-14 20:00:55 UTC: 14 s, 0.1 MB, without sound. Only Evidence unit can open it;"
        " it goes to upload.example.gov."
    )


def test_the_sentence_speaks_the_homes_time_and_names_sound_and_test(
    case: Case, sealer: Sealer, tmp_path: Path
) -> None:
    case.clips.append(sealer.write(tmp_path / "b", "20261114T200011Z-aaaaaaaa"))
    said = sentence(case.statement(audio=True), TEMPLATES, ZoneInfo("America/New_York"))
    assert said == (
        "TEST: Example Police Department gets 2 videos from 2026-11-14 15:00:41 to"
        " 2026-11-14 15:00:55 EST: 28 s, 0.4 MB, with sound. Only Evidence unit can open it;"
        " it goes to upload.example.gov."
    )


def test_braces_in_an_agencys_name_are_only_text(case: Case) -> None:
    statement = {**case.statement(), "agency": {"id": "x", "name": "{start.__class__}"}}
    assert "{start.__class__} gets" in sentence(statement, TEMPLATES)


def test_the_declaration_leaves_the_person_blank_and_names_the_rest(case: Case) -> None:
    statement = {**case.statement(), "test": False}
    text = declaration(statement, DECIDED)
    assert "My name is ____" in text
    for fact in (REQUEST, RELEASE, digest(statement), statement["clips"][0]["sha256"]):
        assert fact in text
    for words in ("2026-11-23T21:00:00.250Z", "left out, and so was the sound.", "-0.25 s", "902("):
        assert words in text
    assert "TEST" not in text
    assert "TEST" not in how_to_verify(statement)


def test_test_mode_and_unknown_clocks_are_said(case: Case, sealer: Sealer, tmp_path: Path) -> None:
    sealer.lines[0]["camera_clock_offset"] = None
    case.clips = [sealer.write(tmp_path / "unmeasured")]
    statement = case.statement(audio=True)
    text = declaration(statement, DECIDED)
    assert "as far as known: not measured" in text
    assert "sound" not in text
    assert "*** TEST" in text
    assert "*** TEST" in how_to_verify(statement)


def test_how_to_verify_has_no_holes(case: Case) -> None:
    text = how_to_verify(case.statement())
    for words in ("bagit.py --validate", "sha256sum -c", '{"index","line","proof"', RELEASE):
        assert words in text
