"""What a benchmark and the probe in Home Assistant's process call things."""

from typing import Final

STARTED: Final = "probe_started"
"""File in the configuration folder: when Home Assistant had started, and with how many cameras."""

BUTTON: Final = "binary_sensor.probe_visitor"
"""Somebody else's entity of a doorbell's button."""
