"""What goes wrong in real life: a clear word, nothing lost, nothing sent twice."""

import pytest

from ..simulators.agency import AgencySimulator
from ..simulators.waiting import until
from . import evidence
from .household import Household

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SLOW = 3_000_000
LOST = 1_000_000


async def test_addresses_that_lead_nowhere_are_refused_with_a_reason(house: Household) -> None:
    web, feed = house.agency.web, {"url": house.agency.feed_url}
    web.files["/feed.json"] = b"<!doctype html><title>Police</title>"
    assert (await house.begin("feed", feed))["errors"] == {"url": "json_malformed"}
    house.agency.swell()
    assert (await house.begin("feed", feed))["errors"] == {"url": "feed_too_large"}
    await web.stop()
    assert (await house.begin("feed", feed))["errors"] == {"url": "feed_unreachable"}

    camera = {"name": "Back door", "url": house.doorbell.url}
    wrong = {**camera, "username": "door", "password": "wrong"}
    assert (await house.begin("doorbell", wrong))["errors"] == {"password": "camera_unauthorized"}
    page = {**camera, "url": house.home.url}
    assert (await house.begin("doorbell", page))["errors"] == {"url": "url_not_rtsp"}
    house.doorbell.freeze()
    assert (await house.begin("doorbell", camera))["errors"] == {"url": "camera_timeout"}
    await house.doorbell.kill()
    assert (await house.begin("doorbell", camera))["errors"] == {"url": "camera_unreachable"}


async def test_restart_in_the_middle_of_an_upload(house_with_big_clips: Household) -> None:
    house = house_with_big_clips
    agency, home = house.agency, house.home
    agency.receiver.bytes_per_second = SLOW
    await agency.receiver.restart()
    await house.ring()
    await house.sealed_clip()
    agency.publish_statement()
    request = agency.ask()
    await house.follow_feed()
    await approve(house)

    await until(lambda: sent(agency) > SLOW)
    await home.stop()
    stopped = sent(agency)
    await home.start()
    await home.wait_ready()
    await until(lambda: sent(agency) > stopped + SLOW)
    await home.child.kill()
    await home.start()
    await home.wait_ready()

    [package] = await until(agency.packages, patience=60)
    assert evidence.check(package, agency, request, house.library) > 0
    await house.shows(lambda told: told["releases"][0]["state"] == "acknowledged")
    sent_once(agency)


async def approve(house: Household) -> None:
    """Confirm the agency and approve its request, as the panel would."""
    told = await house.shows(lambda told: told["requests"])
    [request], [agency] = told["requests"], told["agencies"]
    confirmed = {"agency": agency["id"], "statement_sha256": agency["statement_sha256"]}
    await house.home.command("doorstep/agency/confirm", **confirmed)
    draft = await house.home.command("doorstep/release/draft", handle=request["handle"])
    approved = {key: draft[key] for key in ("release", "digest")}
    await house.home.command("doorstep/release/approve", handle=request["handle"], **approved)


def sent(agency: AgencySimulator) -> int:
    """Return how many bytes of the only upload the receiver has."""
    uploads = agency.receiver.uploads()
    return uploads[0].offset if uploads else 0


def sent_once(agency: AgencySimulator) -> None:
    """See that there was one upload, and that each part began where the last had ended."""
    requests = agency.receiver.requests()
    assert [request.method for request in requests].count("POST") == 1
    parts = [request for request in requests if request.method == "PATCH"]
    offsets = [int(part.headers["upload-offset"]) for part in parts]
    assert offsets == sorted(set(offsets))
    [upload] = agency.receiver.uploads()
    assert upload.complete
    # A receiver may lose the last of what a cut connection brought, before it is on its disk.
    assert sum(part.received or 0 for part in parts) - upload.size < LOST
