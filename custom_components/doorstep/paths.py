"""Where the authenticated views are."""

from .const import DOMAIN


def clip_path(clip: str) -> str:
    """Where a clip plays."""
    return f"/api/{DOMAIN}/clip/{clip}"


def picture_path(clip: str) -> str:
    """Where a clip's right-moment picture is."""
    return f"/api/{DOMAIN}/picture/{clip}"


def review_path(release: str, clip: str) -> str:
    """Where a file of a release under review plays."""
    return f"/api/{DOMAIN}/review/{release}/{clip}"
