"""Errors of the rooms as Home Assistant shows them: translated, or as repair issues."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .errors import DoorstepError
from .texts import plain


def translated[**P, T](
    function: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Turn an error of a room into the sentence that people read."""

    @wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except DoorstepError as error:
            raise home_assistant_error(error) from error

    return wrapper


def home_assistant_error(error: DoorstepError) -> HomeAssistantError:
    """Carry a room's error as Home Assistant's own."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=error.key,
        translation_placeholders=error.placeholders,
    )


@callback
def async_report(
    hass: HomeAssistant, issue: str, *, subject: str = "", **placeholders: str
) -> None:
    """Raise a repair issue of kind `issue` about `subject`."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{issue}_{subject}" if subject else issue,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=issue,
        translation_placeholders={name: plain(text) for name, text in placeholders.items()},
    )


@callback
def async_clear(hass: HomeAssistant, issue: str, *, subject: str = "") -> None:
    """Take a repair issue back: what it was about is over."""
    ir.async_delete_issue(hass, DOMAIN, f"{issue}_{subject}" if subject else issue)
