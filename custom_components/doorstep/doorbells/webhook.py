"""A doorbell reached directly: RTSP and a snapshot for the picture, a webhook for the rest."""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp.hdrs import CONTENT_TYPE, METH_GET, METH_POST, METH_PUT
from aiohttp.web import Request, RequestPayloadError, Response
from homeassistant.components import webhook
from homeassistant.const import CONF_PASSWORD, CONF_URL, CONF_USERNAME, CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.network import NoURLAvailableError
from yarl import URL

from ..const import CAPTURE_STREAM, CONF_SNAPSHOT_URL, DOMAIN
from ..errors import CameraError
from .model import Capture, Problem, Signal, SignalKind
from .report import ACCEPTED, MAX_BODY, parse_report
from .snapshot import fetch_snapshot

SOURCE: Final = "webhook"
"""Source of every signal from here."""

PATIENCE: Final = 5.0
"""Seconds a device gets to send the body of its report."""

_METHODS: Final = (METH_GET, METH_POST, METH_PUT)
_KINDS: Final[tuple[SignalKind, ...]] = ("ring", "motion_on", "motion_off")
# never hold a report, but many devices send the picture along
_PICTURES: Final = ("image/", "video/", "audio/")


def stream_url(data: Mapping[str, Any]) -> str:
    """RTSP URL with its credentials: a secret, never to be logged or shown."""
    url = URL(data[CONF_URL])
    if user := data.get(CONF_USERNAME):
        url = url.with_user(user).with_password(data.get(CONF_PASSWORD))
    return str(url)


@callback
def webhook_urls(hass: HomeAssistant, webhook_id: str) -> dict[SignalKind, str]:
    """Return what a device has to call, by what it tells; only the paths where no URL is known."""
    try:
        url = webhook.async_generate_url(
            hass, webhook_id, allow_external=False, prefer_external=False
        )
    except NoURLAvailableError:
        url = webhook.async_generate_path(webhook_id)
    return {kind: f"{url}?event={kind}" for kind in _KINDS}


async def async_snapshot(hass: HomeAssistant, data: Mapping[str, Any]) -> bytes:
    """Take a JPEG from the snapshot URL; CameraError, `camera_no_picture` where there is none."""
    if not (url := data.get(CONF_SNAPSHOT_URL)):
        raise CameraError("camera_no_picture")
    # cameras sign their certificates themselves; http, which proves nothing either, is allowed too
    session = async_get_clientsession(hass, verify_ssl=False)
    return await fetch_snapshot(session, url, data.get(CONF_USERNAME), data.get(CONF_PASSWORD))


class DirectSource:
    """Connects a device that no integration knows; a Transport."""

    capture: Capture = CAPTURE_STREAM
    available = True
    device_id = None

    def __init__(self, hass: HomeAssistant, name: str, data: Mapping[str, Any]) -> None:
        """Prepare; nothing can be reported before `async_start`."""
        self._hass = hass
        self._name = name
        self._data = data
        self._heard: Callable[[Signal], None] | None = None
        self._last_method: str | None = None
        self._refused = 0

    @callback
    def async_start(
        self,
        heard: Callable[[Signal], None],
        changed: Callable[[], None],  # noqa: ARG002 - here nothing changes of what it tells of
    ) -> None:
        """Take reports from the home's own network; again is harmless."""
        if self._heard is None:
            webhook.async_register(
                self._hass,
                DOMAIN,
                self._name,
                self._data[CONF_WEBHOOK_ID],
                self._async_handle,
                local_only=True,
                allowed_methods=_METHODS,
            )
        self._heard = heard

    @callback
    def async_stop(self) -> None:
        """Take no more; a report whose body is still coming is dropped."""
        if self._heard is not None:
            webhook.async_unregister(self._hass, self._data[CONF_WEBHOOK_ID])
            self._heard = None

    async def async_stream_source(self) -> str:
        """RTSP URL with credentials: for ffmpeg and the stream worker only."""
        return stream_url(self._data)

    async def async_still(self) -> bytes:
        """Take a picture from the snapshot URL; see `async_snapshot`."""
        return await async_snapshot(self._hass, self._data)

    def problem(self) -> Problem | None:
        """Know of none: a device that is silent may just have nobody at its door."""
        return None

    def describe(self) -> dict[str, Any]:
        """Tell how it reports, and how many reports could not be understood."""
        return {
            "transport": SOURCE,
            "last_method": self._last_method,
            "snapshot": bool(self._data.get(CONF_SNAPSHOT_URL)),
            "refused": self._refused,
        }

    async def _async_handle(
        self, _hass: HomeAssistant, _webhook_id: str, request: Request
    ) -> Response:
        """Answer at once; who may call, and from where, has been looked at before."""
        try:
            body = await _read(request)
        except TimeoutError:
            return self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        except RequestPayloadError:
            return self._refuse(HTTPStatus.BAD_REQUEST)
        if self._heard is None:
            return Response()
        report = parse_report(request.query, body)
        if report is None:
            too_long = len(body) > MAX_BODY
            return self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_long else HTTPStatus.BAD_REQUEST
            )
        self._last_method = request.method
        if report.kind is None:
            return Response(text="ignored\n")
        self._heard(
            Signal(
                kind=report.kind,
                source=SOURCE,
                event_id=report.event_id,
                device_time=report.device_time,
                test=report.test,
            )
        )
        return Response(text="ok\n")

    def _refuse(self, status: HTTPStatus) -> Response:
        self._refused += 1
        return Response(status=status, text=f"{ACCEPTED}\n")


async def _read(request: Request) -> bytes:
    """Read the body, of a longer one MAX_BODY + 1 bytes; nothing of what can't be a report."""
    if request.headers.get(CONTENT_TYPE, "").lower().startswith(_PICTURES):
        return b""
    body = bytearray()
    content = request.content
    async with asyncio.timeout(PATIENCE):
        while part := await content.read(MAX_BODY + 1 - len(body)):
            body += part
    return bytes(body)
