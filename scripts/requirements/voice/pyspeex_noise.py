"""Stand-in: see pymicro_vad.py beside it."""


class AudioProcessor:
    """Refuse to be used."""

    def __init__(self, _auto_gain: float, _noise_suppression: int) -> None:
        """Say why."""
        msg = "noise suppression is not installed here"
        raise NotImplementedError(msg)
