"""The panel in the sidebar: plain ES modules, served from this folder."""

from pathlib import Path

from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from .const import DOMAIN, PANEL_PATH, STATIC_PATH, VERSION


async def async_serve(hass: HomeAssistant) -> None:
    """Serve the panel's files; once, since routes can't be taken back."""
    folder = Path(__file__).parent / "frontend"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(STATIC_PATH, str(folder), cache_headers=False)]
    )


async def async_show(hass: HomeAssistant) -> None:
    """Put the panel into the sidebar, where there is a frontend."""
    if "frontend" not in hass.config.components:
        return
    from homeassistant.components import frontend, panel_custom  # noqa: PLC0415 - not required

    if frontend.async_panel_exists(hass, PANEL_PATH):
        return
    await panel_custom.async_register_panel(
        hass,
        frontend_url_path=PANEL_PATH,
        webcomponent_name=f"{DOMAIN}-panel",
        sidebar_title="Doorstep",
        sidebar_icon="mdi:doorbell-video",
        module_url=f"{STATIC_PATH}/panel.js?v={VERSION}",
        embed_iframe=False,
        require_admin=False,
    )


def async_hide(hass: HomeAssistant) -> None:
    """Take the panel out of the sidebar."""
    if "frontend" not in hass.config.components:
        return
    from homeassistant.components import frontend  # noqa: PLC0415 - not required

    frontend.async_remove_panel(hass, PANEL_PATH, warn_if_unknown=False)
