"""The whole way of a request through a running Home Assistant, with a real agency at the end."""

from http import HTTPStatus

import pytest

from .homes import Home, Panel, asked
from .simulators.agency import AgencySimulator
from .simulators.waiting import until

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def test_from_request_to_receipt(home: Home, panel: Panel, agency: AgencySimulator) -> None:
    asked_for = agency.ask()
    handle = await asked(home, panel, agency)

    draft = await panel.ask("release/draft", handle=handle)
    assert "Exampleville Police Department" in draft["sentence"]
    assert draft["identity"] == "none"
    assert draft["audio"] is False
    (clip,) = draft["clips"]
    response = await home.client.get(clip["video"], headers={"Range": "bytes=0-99"})
    assert response.status == HTTPStatus.PARTIAL_CONTENT
    assert len(await response.read()) == 100

    approval = {"handle": handle, "release": draft["release"], "digest": draft["digest"]}
    assert await panel.ask("release/approve", **approval, watched=True) is None
    granted = await panel.until(lambda snapshot: snapshot["releases"])
    assert granted["releases"][0]["state"] == "granted"
    assert agency.receiver.requests() == []

    await until(lambda: agency.packages() or agency.refused)
    assert agency.refused == {}
    (package,) = agency.packages()
    assert package.release["statement"]["request"] == asked_for["id"]
    assert package.release["decision"]["statement_sha256"] == draft["digest"]

    done = await panel.until(lambda snapshot: snapshot["releases"][0]["state"] == "acknowledged")
    assert done["releases"][0]["evidence_id"].startswith("EX-")
    assert done["requests"][0]["state"] == "answered"
    assert (await panel.ask("ledger/verify"))["ok"] is True


async def test_a_stopped_delivery_goes_again_when_a_person_wants(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    await agency.receiver.stop()
    draft = await panel.ask("release/draft", handle=handle)
    release = draft["release"]
    await panel.ask("release/approve", handle=handle, release=release, digest=draft["digest"])
    waiting = await panel.until(
        lambda snapshot: snapshot["releases"] and snapshot["releases"][0]["reason"]
    )
    assert waiting["releases"][0]["reason"] == "receiver_unreachable"
    assert waiting["releases"][0]["state"] == "delivering"
    assert await panel.ask("release/stop", release=release) is None
    await panel.until(lambda snapshot: snapshot["releases"][0]["state"] == "stopped")
    late = await panel.ask("release/undo", release=release)
    assert late["translation_key"] == "not_possible"

    await agency.receiver.start()
    assert await panel.ask("release/retry", release=release) is None
    await panel.until(lambda snapshot: snapshot["releases"][0]["state"] == "acknowledged")
    assert len(agency.packages()) == 1


async def test_what_is_on_its_way_is_not_drafted_twice(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    first = await panel.ask("release/draft", handle=handle)
    assert (await panel.ask("release/draft", handle=handle))["digest"] == first["digest"]
    await panel.ask(
        "release/approve", handle=handle, release=first["release"], digest=first["digest"]
    )
    second = await panel.ask("release/draft", handle=handle)
    assert second["translation_key"] == "release_under_way"
    await panel.until(
        lambda snapshot: snapshot["releases"] and snapshot["releases"][0]["state"] == "acknowledged"
    )
    again = await panel.ask("release/draft", handle=handle)
    assert again["translation_key"] == "why_not_open"
    assert len(agency.packages()) == 1


async def test_a_clip_that_was_changed_on_the_disk_is_not_given(
    home: Home, panel: Panel, agency: AgencySimulator
) -> None:
    agency.ask()
    handle = await asked(home, panel, agency)
    (video,) = home.library.rglob("*.mp4")
    data = bytearray(video.read_bytes())
    data[len(data) // 2] ^= 1
    video.write_bytes(data)
    answer = await panel.ask("release/draft", handle=handle)
    assert answer["translation_key"] == "fragment_differs"
    assert agency.receiver.requests() == []
