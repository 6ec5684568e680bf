"""Names and numbers of the glue; what a room needs it defines itself."""

import logging
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "doorstep"
VERSION: Final = "0.1.0"

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.CAMERA,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.SENSOR,
]

SUBENTRY_DOORBELL: Final = "doorbell"
SUBENTRY_FEED: Final = "feed"

CONF_APPROVERS: Final = "approvers"
CONF_AUDIO: Final = "audio"
CONF_FINGERPRINT: Final = "fingerprint"
CONF_LIBRARY: Final = "library"

REVIEW_CACHE: Final = f"{DOMAIN}_review"
"""Beside the default library, not in it: files under review are no clips."""

PANEL_PATH: Final = DOMAIN
STATIC_PATH: Final = f"/{DOMAIN}_static"

SIGNAL_DESK: Final = f"{DOMAIN}_desk"
"""Dispatched whenever something a panel shows has changed."""

LOGGER: Final = logging.getLogger(__package__)
