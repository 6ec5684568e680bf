"""The one error that people at an agency see."""


class AgencyError(Exception):
    """Something that was asked, or that was received, is not right; the text says what."""
