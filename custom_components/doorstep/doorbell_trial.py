"""A camera is tried before anything about it is saved."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.const import CONF_PASSWORD, CONF_URL
from homeassistant.core import HomeAssistant

from .doorbell_forms import AnswerError
from .doorbells.direct import stream_url
from .errors import CameraError
from .footage.probe import Probe, probe

PATIENCE: Final = 10.0
"""Seconds a camera gets to show its first picture."""

_FIELDS: Final = {"camera_unauthorized": CONF_PASSWORD, "ffmpeg_missing": "base"}


async def async_try_direct(hass: HomeAssistant, data: Mapping[str, Any]) -> Probe:
    """See that a stream with video answers; AnswerError names the field to be looked at."""
    try:
        return await probe(get_ffmpeg_manager(hass).binary, stream_url(data), PATIENCE, audio=True)
    except CameraError as error:
        field = _FIELDS.get(error.key, CONF_URL)
        raise AnswerError(field, error.key, error.placeholders) from error
