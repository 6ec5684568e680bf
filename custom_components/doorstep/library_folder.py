"""Which folders Home Assistant leaves for a library: none that others see, or that backups hold."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.helpers.hassio import is_hassio

from .const import DOMAIN
from .errors import StorageError
from .footage.folder import Space, check_folder

_SHARE: Final = Path("/share")
_MEDIA: Final = Path("/media")


def default_folder(hass: HomeAssistant) -> Path:
    """Prefer Home Assistant OS's share to the cache; neither is in its own backups. Blocks."""
    return _SHARE / DOMAIN if _SHARE.is_dir() else _cache(hass)


def check_library(hass: HomeAssistant, folder: Path) -> Space:
    """Make a library folder; StorageError says why it can't be one, and what would do. Blocks.

    Keys: those of `check_folder`; folder_in_config for what would be in every backup, or be cleaned
    away by others; folder_around_config for what holds the configuration; folder_lost for what
    Home Assistant OS forgets with its next update.
    """
    config, instead = Path(hass.config.config_dir), default_folder(hass)
    if key := _misplaced(hass, folder, config):
        raise StorageError(key, folder=folder, instead=instead)
    shown = [_MEDIA, config / "www", *map(Path, hass.config.media_dirs.values())]
    try:
        return check_folder(folder, [*shown, config], [_cache(hass)])
    except StorageError as error:
        key = error.key
        if key == "folder_refused" and not _is_under(folder, shown):
            key = "folder_in_config"
        told = {**error.placeholders, "instead": instead}
        raise StorageError(key, **told) from error


def _misplaced(hass: HomeAssistant, folder: Path, config: Path) -> str | None:
    if not folder.is_absolute():
        return None
    with suppress(ValueError):  # what can't be a path is refused as such
        if config.resolve().is_relative_to(folder.resolve()) and folder.resolve() != config:
            return "folder_around_config"
        if is_hassio(hass) and not _is_under(folder, [_SHARE, _MEDIA, config]):
            return "folder_lost"
    return None


def _cache(hass: HomeAssistant) -> Path:
    return Path(hass.config.cache_path(DOMAIN))


def _is_under(folder: Path, shown: Iterable[Path]) -> bool:
    return any(folder.resolve().is_relative_to(one.resolve()) for one in shown)
