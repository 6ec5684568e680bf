"""Getting at clips without a login, with one that isn't enough, or by a path that leads elsewhere.

Every view that Doorstep registers is tried: one that this file doesn't know fails it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from homeassistant.auth.models import RefreshToken, User
from homeassistant.components import media_source
from homeassistant.components.http import KEY_HASS, HomeAssistantView
from homeassistant.components.http.auth import STORAGE_KEY, async_sign_path
from homeassistant.components.media_player import BrowseError, MediaClass, SearchMediaQuery
from homeassistant.components.media_source import Unresolvable
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import jwt
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)
from yarl import URL

from custom_components.doorstep.desk import Desk
from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage.clip import Clip
from custom_components.doorstep.footage.library import Library

from ..homes import COMPONENTS, prepare
from ..test_stills import PICTURES, add_stills

pytestmark = pytest.mark.usefixtures("socket_enabled")

ROOT: Final = "media-source://doorstep"
REFUSED: Final = "In this home only those who decide about requests may look at clips"
OUTSIDE: Final = b"not for anybody"
RELEASE: Final = "0123456789abcdef" * 2
EXPORT: Final = "front_door_2026-11-24_12-00-00_0123456789abcdef.mp4"
PUBLIC: Final = {"/doorstep_static"}
"""The panel's own code, which holds nothing of the household."""
PERSONAL: Final = {"/api/doorstep/review/{release}/{clip}", "/api/doorstep/export/{name}"}
"""For approvers who are logged in as themselves, whatever else is chosen."""
VIDEO: Final = {"/api/doorstep/clip/{clip}", *PERSONAL}
BEYOND: Final = ("%2e%2e", "%2e", "..%2f..%2fsecret", "%2fetc%2fpasswd", "%5c..%5c", "%00", "%0a")
ODD: Final = ("%ff%fe", "%ed%a0%80", "%F0%9F%9A%AA", "%D9%A3", "*", "'--", "{clip}")
LONG: Final = ("x" * 4000, "x" * 9000)


@dataclass(frozen=True, slots=True)
class House:
    """Doorstep with one clip of pictures, a film to take away and a file under review."""

    hass: HomeAssistant
    anybody: TestClient[Any, Any]
    entry: MockConfigEntry
    clip: Clip
    approver: User
    login: RefreshToken
    others: frozenset[str]

    @property
    def parts(self) -> dict[str, str]:
        """What stands in the paths of what is there."""
        return {"clip": self.clip.id, "number": "1", "release": RELEASE, "name": EXPORT}

    def templates(self) -> list[str]:
        """All paths that the router knows since Doorstep is there, and that aren't public."""
        return sorted(known(self.hass) - self.others - PUBLIC)

    def paths(self) -> Iterator[tuple[str, str]]:
        """Each template, and the path of what is there."""
        return ((one, one.format_map(self.parts)) for one in self.templates())

    async def get(
        self, path: str, token: RefreshToken | str | None = None, method: str = "GET", **more: Any
    ) -> ClientResponse:
        """Ask as who has this token, with the path just as it is written."""
        headers = dict(more.pop("headers", {}))
        if isinstance(token, RefreshToken):
            token = self.hass.auth.async_create_access_token(token, "127.0.0.1")
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = URL(path, encoded=True)
        answer = await self.anybody.request(method, url, headers=headers, **more)
        body = await answer.read()
        assert OUTSIDE not in body, path
        return answer

    async def seen_by(self, token: RefreshToken | None) -> Mapping[str, int]:
        """What each view answers to who has this token."""
        return {one: (await self.get(path, token)).status for one, path in self.paths()}

    def signed(self, path: str, token: RefreshToken | None = None, *, seconds: int = 60) -> str:
        """Sign a path in the name of who has this token, or of nobody in particular."""
        return async_sign_path(
            self.hass,
            path,
            timedelta(seconds=seconds),
            refresh_token_id=token.id if token else None,
            use_content_user=token is None,
        )

    def keep_to_approvers(self) -> None:
        """Choose who may view clips."""
        self.hass.config_entries.async_update_entry(self.entry, options={"clips_for": "approvers"})


@pytest.fixture
async def house(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_admin_user: MockUser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> House:
    # before the client: its server takes no view later
    assert await async_setup_component(hass, "http", {})
    hass.http.register_view(Browsing())
    for component in (*COMPONENTS, "ffmpeg"):
        if component != "doorstep":
            assert await async_setup_component(hass, component, {})
    others = known(hass)
    library = tmp_path / "library"
    clip = add_stills(library)
    clip.picture.write_bytes(PICTURES[0])
    clip.thumbnail.write_bytes(PICTURES[1])
    for secret in ("secret", "secret.mp4", "secret.jpg"):
        (library / secret).write_bytes(OUTSIDE)
        (clip.folder / secret).write_bytes(OUTSIDE)
    monkeypatch.setattr(
        Desk, "review_file", lambda _, *names: clip.video if names == (RELEASE, clip.id) else None
    )
    monkeypatch.setattr(
        "custom_components.doorstep.exports.Exports.file",
        lambda _, *names: clip.video if names == (EXPORT, hass_admin_user.id) else None,
    )
    home = await prepare(hass, hass_client, library)
    entry = MockConfigEntry(
        domain="doorstep", data={"library": str(library), "approvers": [hass_admin_user.id]}
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    (login,) = hass_admin_user.refresh_tokens.values()
    client = await hass_client_no_auth()
    assert home.client is not client
    return House(hass, client, entry, clip, hass_admin_user, login, others)


def known(hass: HomeAssistant) -> frozenset[str]:
    """All paths that the router knows."""
    return frozenset(one.canonical for one in hass.http.app.router.resources())


class Browsing(HomeAssistantView):
    """Another integration's view, which browses for who asks it over HTTP."""

    url = "/api/browsing"
    name = "api:browsing"

    async def get(self, request: web.Request) -> web.Response:
        """Open the media browser."""
        try:
            await media_source.async_browse_media(request.app[KEY_HASS], ROOT)
        except BrowseError as error:
            return web.Response(status=HTTPStatus.FORBIDDEN, text=str(error))
        return web.Response()


async def long_lived(hass: HomeAssistant, user: User) -> RefreshToken:
    """The token that people paste into scripts."""
    return await hass.auth.async_create_refresh_token(
        user,
        client_name="script",
        token_type="long_lived_access_token",
        access_token_expiration=timedelta(days=365),
    )


async def script_of(hass: HomeAssistant, **facts: Any) -> RefreshToken:
    """A token of another user."""
    return await long_lived(hass, MockUser(**facts).add_to_hass(hass))


async def service(hass: HomeAssistant) -> RefreshToken:
    """The token of a user that core made for one of its own services."""
    user = await hass.auth.async_create_system_user("Supervisor")
    return await hass.auth.async_create_refresh_token(user)


async def test_nobody_gets_in_without_login(house: House) -> None:
    """Every view there is asks for a login, and gives the approver what it has."""
    assert house.templates() == [
        "/api/doorstep/clip/{clip}",
        "/api/doorstep/clip/{clip}/still/{number}",
        "/api/doorstep/export/{name}",
        "/api/doorstep/picture/{clip}",
        "/api/doorstep/review/{release}/{clip}",
        "/api/doorstep/thumbnail/{clip}",
    ]
    expired = house.hass.auth.async_create_access_token(house.login, "127.0.0.1")
    for one, path in house.paths():
        assert (await house.get(path, house.login)).status == HTTPStatus.OK, one
        for method in ("GET", "HEAD"):
            for token in (None, "", "x", expired[:-2], expired.rpartition(".")[0]):
                answer = await house.get(path, token, method)
                assert answer.status == HTTPStatus.UNAUTHORIZED, (one, token)
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = await house.get(path, house.login, method)
            assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED, (one, method)
        for trick in (f"{path}?access_token={expired}", f"{path}?api_password=x"):
            assert (await house.get(trick)).status == HTTPStatus.UNAUTHORIZED, one


async def test_signed_paths_that_do_not_hold(house: House) -> None:
    """A signature opens one path, for a while, for as long as who it is for may come in."""
    other = house.clip.id[:-1] + ("0" if house.clip.id[-1] != "0" else "1")
    guest = await script_of(house.hass, name="Guest")
    for one, path in house.paths():
        good = house.signed(path, house.login)
        assert (await house.get(good)).status == HTTPStatus.OK, one
        signature = good.partition("?authSig=")[2]
        head, body, seal = signature.split(".")
        for bad in (
            house.signed(path, house.login, seconds=-60),
            f"{path}?authSig=",
            f"{path}?authSig={head}.{body}.",
            f"{path}?authSig={head}.{body}.{seal[::-1]}",
            f"{path}?authSig={head}.{body[:-3]}.{seal}",
            f"{path}?authSig={signature}&more=1",
            f"{path.replace(house.clip.id, other)}?authSig={signature}"
            if house.clip.id in path
            else f"{path.replace('front', 'back')}?authSig={signature}",
            f"{path}/?authSig={signature}",
            f"{path}%2f?authSig={signature}",
        ):
            answer = await house.get(bad)
            assert answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}, bad
        for _, elsewhere in house.paths():
            if elsewhere != path:
                answer = await house.get(f"{elsewhere}?authSig={signature}")
                assert answer.status == HTTPStatus.UNAUTHORIZED, elsewhere
        answer = await house.get(good, method="POST")
        assert answer.status == HTTPStatus.METHOD_NOT_ALLOWED
    signed = {one: house.signed(path, guest) for one, path in house.paths()}
    house.hass.auth.async_remove_refresh_token(guest)
    for path in signed.values():
        assert (await house.get(path)).status == HTTPStatus.UNAUTHORIZED


async def test_paths_that_lead_elsewhere(house: House) -> None:
    """Whatever stands in a part of a path: it names a file of the household, or nothing."""
    for template in house.templates():
        for part in (part for part in house.parts if f"{{{part}}}" in template):
            for evil in (
                *BEYOND,
                *ODD,
                *LONG,
                "",
                house.parts[part] + "%00",
                "secret",
                "secret.mp4",
            ):
                path = template.format_map(house.parts | {part: evil})
                answer = await house.get(path, house.login)
                assert answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}, path


async def test_clips_that_are_not_there(house: House) -> None:
    """An unknown one and one whose file has gone: not found, and the same to who may not look."""
    system = await service(house.hass)
    for unknown in ("20261123T120000Z-00000000", "00000000T000000Z-00000000"):
        parts = house.parts | {"clip": unknown}
        for template in (one for one in house.templates() if "{clip}" in one):
            path = template.format_map(parts)
            assert (await house.get(path, house.login)).status == HTTPStatus.NOT_FOUND
            assert (await house.get(path, system)).status == HTTPStatus.FORBIDDEN
    name = house.parts["name"].replace("front", "back")
    answer = await house.get(f"/api/doorstep/export/{name}", house.login)
    assert answer.status == HTTPStatus.NOT_FOUND
    still = f"/api/doorstep/clip/{house.clip.id}/still/999999"
    assert (await house.get(still, house.login)).status == HTTPStatus.NOT_FOUND
    with pytest.raises(Unresolvable, match="no such clip"):
        await media_source.async_resolve_media(house.hass, f"{ROOT}/a/2026-11-23/b", None)
    library = house.entry.runtime_data.rooms.library
    await house.hass.async_add_executor_job(library.throw_away, house.clip.id)
    for template, status in (await house.seen_by(house.login)).items():
        wanted = HTTPStatus.OK if template in PERSONAL else HTTPStatus.NOT_FOUND
        assert status == wanted, template
    await house.hass.async_add_executor_job(library.restore, house.clip.id)
    assert set((await house.seen_by(house.login)).values()) == {HTTPStatus.OK}
    house.clip.video.unlink()
    assert set((await house.seen_by(house.login)).values()) == {HTTPStatus.NOT_FOUND}
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert set((await house.seen_by(house.login)).values()) == {HTTPStatus.NOT_FOUND}


async def test_everyone_at_home_may_view_clips(house: House) -> None:
    """Also a guest's script may, and a media player; a service that core runs may not."""
    users = {"groups": [await house.hass.auth.async_get_group("system-read-only")]}
    for token in (
        await script_of(house.hass, **users),
        await long_lived(house.hass, house.approver),
    ):
        for template, status in (await house.seen_by(token)).items():
            wanted = HTTPStatus.FORBIDDEN if template in PERSONAL else HTTPStatus.OK
            assert status == wanted, template
    for template, path in house.paths():
        wanted = HTTPStatus.FORBIDDEN if template in PERSONAL else HTTPStatus.OK
        assert (await house.get(house.signed(path))).status == wanted, template
    system = await service(house.hass)
    assert set((await house.seen_by(system)).values()) == {HTTPStatus.FORBIDDEN}
    gone = await script_of(house.hass)
    gone.user.is_active = False
    assert set((await house.seen_by(gone)).values()) == {HTTPStatus.UNAUTHORIZED}


async def test_clips_may_be_kept_to_approvers(house: House) -> None:
    """Then nobody else gets one, by whatever way; and it holds at once."""
    house.keep_to_approvers()
    admins = await house.hass.auth.async_get_group("system-admin")
    for token in (
        await script_of(house.hass, name="Guest"),
        await script_of(house.hass, name="Administrator", groups=[admins]),
        await script_of(house.hass, name="Owner", is_owner=True),
        await script_of(house.hass, name="Home Assistant Content"),
    ):
        assert set((await house.seen_by(token)).values()) == {HTTPStatus.FORBIDDEN}
        for template, path in house.paths():
            answer = await house.get(house.signed(path, token))
            assert answer.status == HTTPStatus.FORBIDDEN, template
    for template, path in house.paths():
        assert (await house.get(house.signed(path))).status == HTTPStatus.FORBIDDEN, template
        assert (await house.get(house.signed(path, house.login))).status == HTTPStatus.OK, template
    script = await long_lived(house.hass, house.approver)
    for template, status in (await house.seen_by(script)).items():
        wanted = HTTPStatus.FORBIDDEN if template in PERSONAL else HTTPStatus.OK
        assert status == wanted, template


async def test_what_players_ask_for(house: House) -> None:
    """Heads and ranges, of the right type, and nothing for a browser to guess or to keep."""
    film = house.clip.video.read_bytes()
    for template, path in house.paths():
        is_video = template in VIDEO
        head = await house.get(path, house.login, "HEAD")
        whole = await house.get(path, house.login)
        assert (head.status, await head.read()) == (HTTPStatus.OK, b"")
        size = len(await whole.read())
        for answer in (head, whole):
            assert int(answer.headers["Content-Length"]) == size
            assert answer.headers["Content-Type"] == ("video/mp4" if is_video else "image/jpeg")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            cached = "no-store" if is_video else "private, max-age=86400"
            assert answer.headers["Cache-Control"] == cached
        if not is_video:
            continue
        for asked, (first, last) in {
            "bytes=0-9": (0, 9),
            "bytes=10-": (10, len(film) - 1),
            "bytes=-5": (len(film) - 5, len(film) - 1),
            f"bytes=5-{len(film) + 99}": (5, len(film) - 1),
        }.items():
            answer = await house.get(path, house.login, headers={"Range": asked})
            assert answer.status == HTTPStatus.PARTIAL_CONTENT
            assert await answer.read() == film[first : last + 1]
            assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(film)}"
        for asked in (f"bytes={len(film)}-", "bytes=9-1"):
            answer = await house.get(path, house.login, headers={"Range": asked})
            assert answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            assert answer.headers["Content-Range"] == f"bytes */{len(film)}"
    taken = await house.get(f"/api/doorstep/export/{EXPORT}", house.login)
    assert taken.headers["Content-Disposition"] == f'attachment; filename="{EXPORT}"'


async def test_a_small_picture_is_the_large_one_until_there_is_one(house: House) -> None:
    path = f"/api/doorstep/thumbnail/{house.clip.id}"
    assert await (await house.get(path, house.login)).read() == PICTURES[1]
    house.clip.thumbnail.unlink()
    assert await (await house.get(path, house.login)).read() == PICTURES[0]
    house.clip.picture.unlink()
    assert (await house.get(path, house.login)).status == HTTPStatus.NOT_FOUND


def signature(url: str) -> dict[str, Any]:
    """What a signed address says about itself."""
    claims: dict[str, Any] = jwt.decode(
        url.partition("?authSig=")[2], options={"verify_signature": False}
    )
    return claims


async def told(socket: Any, command: str, **members: Any) -> Any:
    """Ask the media browser as the frontend does; its answer, or the sentence of its error."""
    await socket.send_json_auto_id({"type": f"media_source/{command}_media", **members})
    answer = await socket.receive_json()
    return answer["result"] if answer["success"] else answer["error"]["message"]


async def test_the_media_browser_knows_who_asks(
    house: House, hass_ws_client: WebSocketGenerator
) -> None:
    """What it gives opens for an hour, in the name of who asked; no other may ask it either."""
    guest = await script_of(house.hass, name="Guest")
    media = f"{ROOT}/{house.clip.doorbell}/2026-11-23/{house.clip.id}"
    questions: list[tuple[str, dict[str, Any]]] = [
        ("browse", {"media_content_id": ROOT}),
        ("browse", {"media_content_id": media}),
        ("search", {"media_content_id": ROOT, "search_query": "ring"}),
        ("resolve", {"media_content_id": media}),
        ("resolve", {"media_content_id": f"{media}/1"}),
    ]
    sockets = {}
    for token in (guest, house.login):
        access = house.hass.auth.async_create_access_token(token, "127.0.0.1")
        sockets[token.id] = await hass_ws_client(house.hass, access)
        answers = [await told(sockets[token.id], one, **members) for one, members in questions]
        assert [len(answer["children"]) for answer in answers[:2]] == [1, 3]
        assert len(answers[2]["result"]) == 1
        for answer, kind in zip(answers[3:], ("video/mp4", "image/jpeg"), strict=True):
            claims = signature(answer["url"])
            assert (claims["iss"], claims["exp"] - claims["iat"]) == (token.id, 3600)
            opened = await house.get(answer["url"])
            assert (opened.status, opened.headers["Content-Type"]) == (HTTPStatus.OK, kind)
    guest.user.is_active = False
    for one, members in questions:
        assert await told(sockets[guest.id], one, **members) == REFUSED
    guest.user.is_active = True
    house.keep_to_approvers()
    for one, members in questions:
        assert await told(sockets[guest.id], one, **members) == REFUSED
        assert await told(sockets[house.login.id], one, **members) != REFUSED
    assert (await house.get(answer["url"])).status == HTTPStatus.OK


async def test_the_media_browser_over_http(house: House) -> None:
    guest = await script_of(house.hass, name="Guest")
    assert (await house.get(Browsing.url, guest)).status == HTTPStatus.OK
    house.keep_to_approvers()
    answer = await house.get(Browsing.url, guest)
    assert (answer.status, await answer.text()) == (HTTPStatus.FORBIDDEN, REFUSED)
    assert (await house.get(Browsing.url, house.login)).status == HTTPStatus.OK


async def test_an_automation_is_nobody(house: House) -> None:
    """It may what everyone may, with addresses that are nobody's; and nothing else."""
    clip = f"{ROOT}/{house.clip.doorbell}/2026-11-23/{house.clip.id}"
    played = await media_source.async_resolve_media(house.hass, clip, None)
    assert signature(played.url)["iss"] == house.hass.data[STORAGE_KEY]
    assert (await house.get(played.url)).status == HTTPStatus.OK
    for classes, wanted in (([MediaClass.VIDEO], 0), ([MediaClass.IMAGE], 1)):
        narrowed = SearchMediaQuery(search_query="ring", media_filter_classes=classes)
        found = await media_source.async_search_media(house.hass, ROOT, narrowed)
        assert len(found.result) == wanted
    query = SearchMediaQuery(search_query="")
    found = await media_source.async_search_media(house.hass, ROOT, query)
    assert [one.title for one in found.result] == [
        "Removed doorbell (S1T2), 2026-11-23 04:00:00 Ring (6 s)"
    ]
    house.keep_to_approvers()
    with pytest.raises(BrowseError, match=REFUSED):
        await media_source.async_browse_media(house.hass, ROOT)
    with pytest.raises(BrowseError, match=REFUSED):
        await media_source.async_search_media(house.hass, ROOT, query)
    with pytest.raises(Unresolvable, match=REFUSED):
        await media_source.async_resolve_media(house.hass, clip, None)
    assert (await house.get(played.url)).status == HTTPStatus.FORBIDDEN


async def test_the_media_browser_while_the_house_is_closed(house: House) -> None:
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    with pytest.raises(BrowseError, match="not set up"):
        await media_source.async_browse_media(house.hass, ROOT)
    with pytest.raises(Unresolvable, match="not set up"):
        await media_source.async_resolve_media(house.hass, f"{ROOT}/a/2026-11-23/b", None)


async def test_an_index_that_fails_is_said(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not found would be wrong: the clip may well be there."""

    def fail(*_: object, **__: object) -> None:
        raise StorageError("database_failed", error="broken")

    for name in ("get", "clips", "doorbells"):
        monkeypatch.setattr(Library, name, fail)
    for template, status in (await house.seen_by(house.login)).items():
        wanted = HTTPStatus.OK if template in PERSONAL else HTTPStatus.SERVICE_UNAVAILABLE
        assert status == wanted, template
    with pytest.raises(BrowseError, match="broken"):
        await media_source.async_browse_media(house.hass, ROOT)
    with pytest.raises(BrowseError, match="broken"):
        await media_source.async_search_media(house.hass, ROOT, SearchMediaQuery(search_query=""))
    with pytest.raises(Unresolvable, match="broken"):
        await media_source.async_resolve_media(house.hass, f"{ROOT}/a/2026-11-23/b", None)
