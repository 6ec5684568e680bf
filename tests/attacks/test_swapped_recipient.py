"""Changing who decrypts, or where it goes, after a person has looked: the yes must not follow."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ..homes import Home, Panel, asked, poll
from ..simulators.agency import AgencySimulator
from ..simulators.package import AgeKey

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def swap(home: Home, panel: Panel, agency: AgencySimulator, tmp_path: Path) -> None:
    """Let the agency log a statement with another decryption key, and read it."""
    other = AgeKey.generate(tmp_path / "other.txt")
    patch = {"encryption": [{"recipient": other.recipient, "holder": "Somebody else"}]}
    agency.publish_statement(patch)
    await poll(home, agency)
    await panel.until(lambda one: one["agencies"][0]["state"] == "unconfirmed")
    assert panel.snapshot["agencies"][0]["changed"] == ["recipients"]


async def confirm(panel: Panel) -> None:
    """Believe the statement that is there now."""
    (body,) = panel.snapshot["agencies"]
    await panel.ask("agency/confirm", agency=body["id"], statement_sha256=body["statement_sha256"])
    await panel.until(lambda one: one["agencies"][0]["state"] == "confirmed")


async def drafted(home: Home, panel: Panel, agency: AgencySimulator) -> dict[str, Any]:
    """What a person was shown, as an approval names it."""
    agency.ask()
    handle = await asked(home, panel, agency)
    draft = await panel.ask("release/draft", handle=handle)
    return {"handle": handle, "release": draft["release"], "digest": draft["digest"]}


async def test_what_was_shown_before_cannot_be_approved_after(
    home: Home, panel: Panel, agency: AgencySimulator, tmp_path: Path
) -> None:
    approval = await drafted(home, panel, agency)
    await swap(home, panel, agency, tmp_path)
    refused = await panel.ask("release/approve", **approval)
    assert refused["translation_key"] == "why_agency_unconfirmed"
    await confirm(panel)
    refused = await panel.ask("release/approve", **approval)
    assert refused["translation_key"] in {"why_agency_changed", "not_possible"}
    draft = await panel.ask("release/draft", handle=approval["handle"])
    assert draft["recipients"][0]["holder"] == "Somebody else"
    assert agency.receiver.requests() == []


async def test_what_was_approved_before_does_not_go_after(
    home: Home,
    panel: Panel,
    agency: AgencySimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("custom_components.doorstep.desk._GRACE", timedelta(minutes=30))
    approval = await drafted(home, panel, agency)
    assert await panel.ask("release/approve", **approval) is None
    await panel.until(lambda one: one["releases"])
    await swap(home, panel, agency, tmp_path)
    await panel.until(lambda one: not one["releases"])
    await confirm(panel)
    assert panel.snapshot["requests"][0]["state"] == "open"
    assert agency.receiver.requests() == []


async def test_what_was_stopped_before_is_not_sent_again_after(
    home: Home, panel: Panel, agency: AgencySimulator, tmp_path: Path
) -> None:
    await agency.receiver.stop()
    approval = await drafted(home, panel, agency)
    assert await panel.ask("release/approve", **approval) is None
    await panel.until(lambda one: one["releases"] and one["releases"][0]["reason"])
    await swap(home, panel, agency, tmp_path)
    stopped = await panel.until(lambda one: one["releases"][0]["state"] == "stopped")
    assert stopped["releases"][0]["reason"] == "why_agency_changed"
    await confirm(panel)
    await agency.receiver.start()
    refused = await panel.ask("release/retry", release=approval["release"])
    assert refused["translation_key"] == "why_agency_changed"
    await home.hass.async_block_till_done()
    assert agency.packages() == []
