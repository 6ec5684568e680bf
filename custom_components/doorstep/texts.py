"""Sentences that Doorstep itself fills in, in Home Assistant's language."""

from collections.abc import Mapping
import re

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations, async_load_integrations

from .const import DOMAIN
from .errors import DoorstepError

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_PREFIX = f"component.{DOMAIN}.common."


async def async_load(hass: HomeAssistant) -> None:
    """Have the sentences at hand, so that nothing waits for them later."""
    await async_load_integrations(hass, {DOMAIN})


@callback
def async_texts(hass: HomeAssistant) -> Mapping[str, str]:
    """Return the templates of `common` by key, for `str.format`."""
    texts = async_get_cached_translations(hass, hass.config.language, "common", DOMAIN)
    return {key.removeprefix(_PREFIX): text for key, text in texts.items()}


@callback
def reason_text(hass: HomeAssistant, key: str | None) -> str:
    """Say what the reason with this key is; an unknown one stays a word."""
    return async_texts(hass).get(f"reason_{key}", str(key))


@callback
def error_text(hass: HomeAssistant, error: DoorstepError) -> str:
    """Say what an error means; one that has no sentence stays a word."""
    texts = async_get_cached_translations(hass, hass.config.language, "exceptions", DOMAIN)
    text = texts.get(f"component.{DOMAIN}.exceptions.{error.key}.message", error.key)
    return text.format(**error.placeholders)


def plain(text: str) -> str:
    """Make others' text safe where Home Assistant shows markdown: no link, no picture, no HTML."""
    return _PUNCTUATION.sub(r"\\\1", text)
