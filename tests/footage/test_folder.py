"""Which folders will do for a library."""

from errno import EDQUOT, ENOSPC, EROFS
import os
from pathlib import Path
import shutil

import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import folder
from custom_components.doorstep.footage.files import ClipFiles, storage
from custom_components.doorstep.footage.folder import check_folder, space


def refusal(path: Path, *refused: Path) -> str:
    with pytest.raises(StorageError) as caught:
        check_folder(path, refused)
    return caught.value.key


def test_a_new_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "one" / "two"
    found = check_folder(path, [tmp_path / "www"])
    assert path.is_dir()
    assert list(path.iterdir()) == []
    disk = shutil.disk_usage(path)
    assert found.total == disk.total
    assert found.free == pytest.approx(disk.free, rel=0.1)


def test_relative() -> None:
    assert refusal(Path("clips")) == "folder_relative"


def test_refused_by_name_and_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "www")
    assert refusal(tmp_path / "www", tmp_path / "media", tmp_path / "www") == "folder_refused"
    assert refusal(tmp_path / "www" / "deep", tmp_path / "www") == "folder_refused"
    assert refusal(tmp_path / "link" / "deep", tmp_path / "www") == "folder_refused"
    assert refusal(tmp_path / "www", tmp_path / "link") == "folder_refused"
    assert refusal(tmp_path / "a" / ".." / "www", tmp_path / "www") == "folder_refused"
    assert not (tmp_path / "www" / "deep").exists()
    check_folder(tmp_path / "www2", [tmp_path / "www"])


def test_allowed_inside_of_what_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config"
    refused, allowed = (
        [config, config / ".cache" / "doorstep" / "tts"],
        [config / ".cache/doorstep"],
    )
    check_folder(config / ".cache" / "doorstep", refused, allowed)
    check_folder(config / ".cache" / "doorstep" / "deep", refused, allowed)
    check_folder(tmp_path / "clips", refused, allowed)
    for bad in (".", "clips", ".cache", ".cache/doorstep2", ".cache/doorstep/tts"):
        with pytest.raises(StorageError, match="folder_refused"):
            check_folder(config / bad, refused, allowed)
    with pytest.raises(StorageError, match="folder_refused"):
        check_folder(config, [config], [config.parent])
    with pytest.raises(StorageError, match="folder_refused"):
        check_folder(config / ".cache" / "doorstep" / ".." / "tts", refused, allowed)
    check_folder(config, [config], [config])


def test_unusable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file") == "folder_unusable"
    assert refusal(tmp_path / "file" / "below") == "folder_unusable"
    assert refusal(tmp_path / "nul\0l") == "folder_unusable"

    def refuse(**_: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(folder, "TemporaryFile", refuse)
    with pytest.raises(StorageError, match="error=Permission denied"):
        check_folder(tmp_path / "ro", [])


def test_room_of_nowhere(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="disk_failed: error=No such file"):
        space(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("doorbell", "clip"),
    [
        ("..", "20261123T200000Z-00000000"),
        ("a/b", "20261123T200000Z-00000000"),
        ("", "20261123T200000Z-00000000"),
        ("a" * 65, "20261123T200000Z-00000000"),
        ("door", "../../20261123T200000Z-00000000"),
        ("door", "20261123T200000Z-0000000"),
    ],
)
def test_names_that_could_lead_elsewhere(tmp_path: Path, doorbell: str, clip: str) -> None:
    with pytest.raises(StorageError, match="clip_name"):
        ClipFiles.place(tmp_path, doorbell, clip)


@pytest.mark.parametrize(
    ("code", "key"), [(ENOSPC, "disk_full"), (EDQUOT, "disk_full"), (EROFS, "disk_failed")]
)
def test_what_the_disk_says(code: int, key: str) -> None:
    with pytest.raises(StorageError) as caught, storage():
        raise OSError(code, os.strerror(code))
    assert caught.value.key == key
