"""Names and numbers of the glue; what a room needs it defines itself."""

import logging
from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "doorstep"
VERSION: Final = "0.1.0"

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.CAMERA,
    Platform.EVENT,
    Platform.IMAGE,
    Platform.SENSOR,
    Platform.SWITCH,
]

SUBENTRY_DOORBELL: Final = "doorbell"
SUBENTRY_FEED: Final = "feed"

CONF_APPROVERS: Final = "approvers"
CONF_AUDIO: Final = "audio"
CONF_CAMERA: Final = "camera"
CONF_CAPTURE: Final = "capture"
CONF_CLIPS_FOR: Final = "clips_for"
CONF_DISK_SHARE: Final = "disk_share"
CONF_FINGERPRINT: Final = "fingerprint"
CONF_FREE_GB: Final = "free_gb"
CONF_INDOOR: Final = "indoor"
CONF_KEEP_DAYS: Final = "keep_days"
CONF_KIND: Final = "kind"
CONF_LIBRARY: Final = "library"
CONF_MAX_GB: Final = "max_gb"
CONF_MOTIONS: Final = "motions"
CONF_PLACEMENT: Final = "placement"
CONF_POST_ROLL: Final = "post_roll"
CONF_PRE_ROLL: Final = "pre_roll"
CONF_RINGS: Final = "rings"
CONF_SNAPSHOT_URL: Final = "snapshot_url"

CAPTURE_STILLS: Final = "stills"
CAPTURE_STREAM: Final = "stream"
CLIPS_FOR_APPROVERS: Final = "approvers"
CLIPS_FOR_EVERYONE: Final = "everyone"
KIND_ADOPTED: Final = "adopted"
KIND_DIRECT: Final = "direct"

REVIEW_CACHE: Final = f"{DOMAIN}_review"
"""Beside the default library, not in it: files under review are no clips."""

KEPT: Final = "kept"
"""In the household's folder, and so in backups: packages under way, copies of held clips."""

PANEL_PATH: Final = DOMAIN
STATIC_PATH: Final = f"/{DOMAIN}_static"

SIGNAL_DESK: Final = f"{DOMAIN}_desk"
"""Dispatched whenever something a panel shows has changed."""

SIGNAL_STORAGE: Final = f"{DOMAIN}_storage"
"""Dispatched whenever it was measured how full the library is."""

LOGGER: Final = logging.getLogger(__package__)
