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
