"""The household's limits: what a person chose, as retention wants it."""

from collections.abc import Mapping
from typing import Any, Final

from .const import CONF_DISK_SHARE, CONF_FREE_GB, CONF_KEEP_DAYS, CONF_MAX_GB
from .footage.retention import RetentionPolicy

GB: Final = 10**9
_POLICY: Final = RetentionPolicy()

DEFAULTS: Final[Mapping[str, int]] = {
    CONF_KEEP_DAYS: round(_POLICY.days),
    CONF_MAX_GB: _POLICY.max_bytes // GB,
    CONF_DISK_SHARE: round(_POLICY.share * 100),
    CONF_FREE_GB: _POLICY.floor // GB,
}
"""Days, GB, percent and GB, for a household that has said nothing."""


def household_policy(options: Mapping[str, Any]) -> RetentionPolicy:
    """Read the limits out of a config entry's options; what is not there is as it comes."""
    chosen = {**DEFAULTS, **options}
    return RetentionPolicy(
        days=float(chosen[CONF_KEEP_DAYS]),
        max_bytes=int(chosen[CONF_MAX_GB] * GB),
        share=chosen[CONF_DISK_SHARE] / 100,
        floor=int(chosen[CONF_FREE_GB] * GB),
    )
