"""Let one test harness serve both Home Assistant versions we test on.

pytest-homeassistant-custom-component always follows a Home Assistant some weeks
old. What stands in its way on a newer one is repaired here; on the version it
was made for this changes nothing. pytest loads this with `-p`, before the
harness, and that order is the point.
"""

# Already this import helps: respx, which the harness imports before Home Assistant,
# imports httpx, and Home Assistant insists on preparing httpx itself.
from homeassistant.components import logger
from homeassistant.components.logger import helpers

# Moved in 2026.11; the harness still imports it from the old place.
vars(logger).setdefault("_clear_logger_overwrites", helpers._clear_logger_overwrites)
