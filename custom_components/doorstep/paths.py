"""Where the authenticated views are."""

from .const import DOMAIN


def clip_path(clip: str) -> str:
    """Where a clip plays."""
    return f"/api/{DOMAIN}/clip/{clip}"


def still_path(clip: str, number: object) -> str:
    """Where one picture of a clip of pictures is; `number` counts from 0."""
    return f"{clip_path(clip)}/still/{number}"


def picture_path(clip: str) -> str:
    """Where a clip's right-moment picture is."""
    return f"/api/{DOMAIN}/picture/{clip}"


def review_path(release: str, clip: str) -> str:
    """Where a file of a release under review plays."""
    return f"/api/{DOMAIN}/review/{release}/{clip}"


def thumbnail_path(clip: str) -> str:
    """Where a small one of a clip's picture is."""
    return f"/api/{DOMAIN}/thumbnail/{clip}"


def export_path(name: str) -> str:
    """Where a film that was made for an approver to take away is."""
    return f"/api/{DOMAIN}/export/{name}"
