"""Stand-in: Home Assistant's voice assistant, which Doorstep never uses.

`mobile_app` imports `cloud`, which imports `assist_pipeline`, which imports
this name. The real package has no wheel for Python 3.14 and would make a C++
compiler and Python's headers a condition of running our tests.
"""


class MicroVad:
    """Refuse to be used."""

    def __init__(self) -> None:
        """Say why."""
        msg = "voice activity detection is not installed here"
        raise NotImplementedError(msg)
