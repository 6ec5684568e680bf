"""Who may view clips (design, section 6): everyone at home, or approvers only."""

from homeassistant.auth.models import User
from homeassistant.components import websocket_api
from homeassistant.components.http import KEY_HASS_USER
from homeassistant.components.http.auth import CONTENT_USER_NAME
from homeassistant.core import callback
from homeassistant.helpers.http import current_request

from .const import CLIPS_FOR_EVERYONE, CONF_CLIPS_FOR
from .data import DoorstepConfigEntry


@callback
def may_view(entry: DoorstepConfigEntry, user: User | None) -> bool:
    """Whether this user, if it is one, may view the household's clips.

    The user in whose name Home Assistant signs addresses for media players is nobody in
    particular: it may only what everyone may.
    """
    if not is_for_everyone(entry):
        return entry.runtime_data.approvers.includes(user)
    return (
        user is not None
        and user.is_active
        and (not user.system_generated or user.name == CONTENT_USER_NAME)
    )


@callback
def may_browse(entry: DoorstepConfigEntry) -> bool:
    """Whether who asks Home Assistant just now may view clips.

    An automation is nobody: it may what everyone may.
    """
    user = _asking()
    return is_for_everyone(entry) if user is None else may_view(entry, user)


@callback
def is_for_everyone(entry: DoorstepConfigEntry) -> bool:
    """Whether no choice was made that keeps clips to the approvers."""
    return bool(entry.options.get(CONF_CLIPS_FOR, CLIPS_FOR_EVERYONE) == CLIPS_FOR_EVERYONE)


@callback
def _asking() -> User | None:
    """Find who is behind the connection or request, in the order in which core signs for them."""
    if connection := websocket_api.current_connection.get():
        return connection.user
    request = current_request.get()
    user: User | None = request.get(KEY_HASS_USER) if request else None
    return user
