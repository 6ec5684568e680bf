"""A camera is tried before anything about it is saved."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.const import CONF_PASSWORD, CONF_URL
from homeassistant.core import HomeAssistant

from .const import CONF_CAPTURE, CONF_SNAPSHOT_URL
from .doorbell_forms import AnswerError
from .doorbells.adopted import AdoptedSource
from .doorbells.webhook import async_snapshot, stream_url
from .errors import CameraError
from .footage.probe import Probe, probe

PATIENCE: Final = 10.0
"""Seconds a camera gets to show its first picture."""


async def async_try_stream(hass: HomeAssistant, data: Mapping[str, Any]) -> Probe:
    """See that a stream with video answers; AnswerError names the field to be looked at."""
    try:
        return await _async_probe(hass, stream_url(data))
    except CameraError as error:
        field = CONF_PASSWORD if error.key == "camera_unauthorized" else CONF_URL
        raise AnswerError(field, error) from error


async def async_try_adopted(hass: HomeAssistant, data: Mapping[str, Any]) -> Probe:
    """See that the camera's integration gives a stream, and that video comes from there."""
    try:
        return await _async_probe(hass, await AdoptedSource(hass, "", data).async_stream_source())
    except CameraError as error:
        raise AnswerError(CONF_CAPTURE, error) from error


async def async_try_snapshot(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """See that the address of a still picture gives one, if there is such an address."""
    if CONF_SNAPSHOT_URL not in data:
        return
    try:
        await async_snapshot(hass, data)
    except CameraError as error:
        raise AnswerError(CONF_SNAPSHOT_URL, error) from error


async def _async_probe(hass: HomeAssistant, source: str) -> Probe:
    return await probe(get_ffmpeg_manager(hass).binary, source, PATIENCE, audio=True)
