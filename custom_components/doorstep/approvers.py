"""Who may decide, and how we know that it is a person who does (design, promise 3)."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.auth.models import TOKEN_TYPE_NORMAL, User
from homeassistant.core import HomeAssistant

from .const import CONF_APPROVERS
from .inbox.values import Actor

_NOT_A_LOGIN: Final = "trusted_networks"


class Approvers:
    """The people of the household who decide."""

    def __init__(self, hass: HomeAssistant, user_ids: list[str]) -> None:
        """Let the users with these ids decide."""
        self._hass = hass
        self.user_ids = frozenset(user_ids)

    @classmethod
    def of(cls, hass: HomeAssistant, data: Mapping[str, Any]) -> Approvers:
        """Read them off the config entry's data."""
        return cls(hass, data[CONF_APPROVERS])

    def includes(self, user: User | None) -> bool:
        """Whether this user, if it is one, may decide."""
        return (
            user is not None
            and user.is_active
            and not user.system_generated
            and user.id in self.user_ids
        )

    def person(self, user: User | None, refresh_token_id: str | None) -> Actor | None:
        """Return the approver who is logged in behind a connection or HTTP request."""
        if not self.includes(user) or not is_person(self._hass, user, refresh_token_id):
            return None
        return Actor(user.id, "panel") if user else None


def is_person(hass: HomeAssistant, user: User | None, refresh_token_id: str | None) -> bool:
    """Whether `user` is logged in as themselves behind the refresh token with this id.

    A long-lived token is a script's and a trusted network is a place: neither is a person.
    """
    token = hass.auth.async_get_refresh_token(refresh_token_id) if refresh_token_id else None
    return (
        user is not None
        and token is not None
        and token.user.id == user.id
        and token.token_type == TOKEN_TYPE_NORMAL
        and token.credential is not None
        and token.credential.auth_provider_type != _NOT_A_LOGIN
    )
