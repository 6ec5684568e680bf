"""The forms of a doorbell: their fields, and what is kept of the answers."""

from collections.abc import Collection, Mapping
from math import isclose
from typing import Any, Final

from homeassistant.const import (
    CONF_BASE,
    CONF_LATITUDE,
    CONF_LOCATION,
    CONF_LONGITUDE,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_URL,
    CONF_USERNAME,
    Platform,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    LocationSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol
from yarl import URL

from .const import (
    CAPTURE_STILLS,
    CAPTURE_STREAM,
    CONF_AUDIO,
    CONF_CAMERA,
    CONF_CAPTURE,
    CONF_INDOOR,
    CONF_MOTIONS,
    CONF_PLACEMENT,
    CONF_POST_ROLL,
    CONF_PRE_ROLL,
    CONF_RINGS,
    CONF_SNAPSHOT_URL,
)
from .doorbells.model import Settings
from .errors import DoorstepError

CONF_ELSEWHERE: Final = "elsewhere"
"""Section for a doorbell that isn't where the home is: closed unless somebody opens it."""

CONNECTION: Final = frozenset({CONF_URL, CONF_USERNAME, CONF_PASSWORD, CONF_SNAPSHOT_URL})
SOURCES: Final = frozenset({CONF_CAMERA, CONF_RINGS, CONF_MOTIONS, CONF_CAPTURE})
OPTIONS: Final = frozenset(
    {
        CONF_AUDIO,
        CONF_PRE_ROLL,
        CONF_POST_ROLL,
        CONF_INDOOR,
        CONF_PLACEMENT,
        CONF_LATITUDE,
        CONF_LONGITUDE,
    }
)
"""What each form decides about: saving one leaves the data of the others as they are."""

_TELLING: Final = [
    Platform.EVENT.value,
    Platform.BINARY_SENSOR.value,
    Platform.BUTTON.value,
    "input_button",
    "input_boolean",
]
"""Domains of what can tell that somebody rings, or that something moves."""

_SAME_PLACE: Final = 0.0001  # degrees, about ten metres

_URL: Final = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
_USER: Final = TextSelector(TextSelectorConfig(autocomplete="off"))
_PASSWORD: Final = TextSelector(
    TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
)

CONNECTION_SCHEMA: Final = vol.Schema(
    {
        vol.Required(CONF_NAME): TextSelector(),
        vol.Required(CONF_URL): _URL,
        vol.Optional(CONF_USERNAME): _USER,
        vol.Optional(CONF_PASSWORD): _PASSWORD,
        vol.Optional(CONF_SNAPSHOT_URL): _URL,
    }
)
CREDENTIALS_SCHEMA: Final = vol.Schema(
    {vol.Required(CONF_USERNAME): _USER, vol.Required(CONF_PASSWORD): _PASSWORD}
)


class AnswerError(Exception):
    """An answer that can't be kept: which field of the form, and why."""

    def __init__(self, field: str, why: DoorstepError | str) -> None:
        """Say which field is to be looked at."""
        error = DoorstepError(why) if isinstance(why, str) else why
        super().__init__(f"{field}: {error}")
        self.field = field
        self.key = error.key
        self.placeholders = error.placeholders

    def errors(self, form: vol.Schema) -> dict[str, str]:
        """Point to the field, or to the whole of a FORM that doesn't ask for it."""
        return {self.field if self.field in form.schema else CONF_BASE: self.key}


def _seconds(least: int, most: int) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=least,
            max=most,
            step=1,
            unit_of_measurement="s",
            mode=NumberSelectorMode.SLIDER,
        )
    )


def camera_schema(offered: list[str]) -> vol.Schema:
    """Ask for one of the cameras that are OFFERED."""
    selector = EntitySelector(
        EntitySelectorConfig(domain=Platform.CAMERA.value, include_entities=offered)
    )
    return vol.Schema({vol.Required(CONF_CAMERA): selector})


def sources_schema(own: Collection[str], *, streams: bool) -> vol.Schema:
    """Ask what rings and what sees motion, none of it Doorstep's OWN, and what is recorded."""
    captures = [CAPTURE_STREAM, CAPTURE_STILLS] if streams else [CAPTURE_STILLS]
    capture = SelectSelectorConfig(
        options=captures, mode=SelectSelectorMode.LIST, translation_key=CONF_CAPTURE
    )
    return vol.Schema(
        {
            vol.Required(CONF_NAME): TextSelector(),
            vol.Optional(CONF_RINGS): _entities(own, _TELLING),
            vol.Optional(CONF_MOTIONS): _entities(own, _TELLING),
            vol.Required(CONF_CAPTURE): SelectSelector(capture),
        }
    )


def _entities(own: Collection[str], domains: list[str]) -> EntitySelector:
    return EntitySelector(
        EntitySelectorConfig(domain=domains, multiple=True, exclude_entities=sorted(own))
    )


def options_schema(capture: str | None = None) -> vol.Schema:
    """Ask what stills have too, and of a stream also for sound and the time before."""
    streamed = {
        vol.Required(CONF_AUDIO, default=False): BooleanSelector(),
        vol.Required(CONF_PRE_ROLL, default=int(Settings().pre_roll)): _seconds(0, 60),
    }
    return vol.Schema(
        {
            **({} if capture == CAPTURE_STILLS else streamed),
            vol.Required(CONF_POST_ROLL, default=int(Settings().post_roll)): _seconds(5, 120),
            vol.Required(CONF_INDOOR, default=False): BooleanSelector(),
            vol.Optional(CONF_PLACEMENT): TextSelector(),
            vol.Optional(CONF_ELSEWHERE): section(
                vol.Schema({vol.Optional(CONF_LOCATION): LocationSelector()}), {"collapsed": True}
            ),
        }
    )


def named(answers: Mapping[str, Any]) -> str:
    """Return what the doorbell is to be called; AnswerError if that is nothing."""
    if name := str(answers[CONF_NAME]).strip():
        return name
    raise AnswerError(CONF_NAME, "name_empty")


def connection(answers: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Turn answers into data; a password that isn't entered stays what is KEPT.

    User and password of a pasted address move to their own fields. Raises AnswerError.
    """
    url, user, password = _bare(CONF_URL, answers[CONF_URL], {"rtsp", "rtsps"}, "url_not_rtsp")
    data = {CONF_URL: url}
    if snapshot := (answers.get(CONF_SNAPSHOT_URL) or "").strip():
        data[CONF_SNAPSHOT_URL], *_ = _bare(
            CONF_SNAPSHOT_URL, snapshot, {"http", "https"}, "url_not_http"
        )
    entered = (answers.get(CONF_USERNAME) or "").strip()
    if entered or not user:
        user, password = entered, answers.get(CONF_PASSWORD) or kept.get(CONF_PASSWORD)
    if user:
        data |= {CONF_USERNAME: user, CONF_PASSWORD: password or ""}
    return data


def signed_in(data: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Put another user and password into data; the rest stays."""
    return {**data, **{key: answers[key] for key in (CONF_USERNAME, CONF_PASSWORD)}}


def shown(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what no form may give back."""
    return {key: value for key, value in data.items() if key != CONF_PASSWORD}


def options(answers: Mapping[str, Any], home: tuple[float, float]) -> dict[str, Any]:
    """Turn answers into data; a place is kept only where it differs from the home's (degrees)."""
    data = {key: answers[key] for key in (CONF_AUDIO, CONF_INDOOR) if key in answers}
    data |= {key: round(answers[key]) for key in (CONF_PRE_ROLL, CONF_POST_ROLL) if key in answers}
    if placement := (answers.get(CONF_PLACEMENT) or "").strip():
        data[CONF_PLACEMENT] = placement
    place = answers.get(CONF_ELSEWHERE, {}).get(CONF_LOCATION)
    if place and not _is_near((place[CONF_LATITUDE], place[CONF_LONGITUDE]), home):
        data |= {key: place[key] for key in (CONF_LATITUDE, CONF_LONGITUDE)}
    return data


def chosen_options(data: Mapping[str, Any]) -> dict[str, Any]:
    """Turn data back into what the form shows."""
    answers = {key: data[key] for key in OPTIONS & data.keys()}
    if CONF_LATITUDE in answers:
        place = {key: answers.pop(key) for key in (CONF_LATITUDE, CONF_LONGITUDE)}
        answers[CONF_ELSEWHERE] = {CONF_LOCATION: place}
    return answers


def replaced(
    data: Mapping[str, Any], decided: frozenset[str], chosen: Mapping[str, Any]
) -> dict[str, Any]:
    """Put what was CHOSEN into data; what a form DECIDED about and left out is gone."""
    return {key: value for key, value in data.items() if key not in decided} | dict(chosen)


def _bare(field: str, text: str, schemes: set[str], key: str) -> tuple[str, str, str | None]:
    """Split an address into itself without credentials, its user and its password."""
    try:
        url = URL(text.strip())
    except ValueError:
        raise AnswerError(field, key) from None
    if url.scheme not in schemes or not url.host:
        raise AnswerError(field, key)
    return str(url.with_user(None)), url.user or "", url.password


def _is_near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(isclose(a, b, abs_tol=_SAME_PLACE) for a, b in zip(one, other, strict=True))
