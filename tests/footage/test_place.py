"""An empty mount point is not the library."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_components.doorstep.errors import StorageError
from custom_components.doorstep.footage import place
from custom_components.doorstep.footage.index import INDEX
from custom_components.doorstep.ledger.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "doorstep.db", [place.SCHEMA])
    yield made
    made.close()


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What is mounted: a disk."""
    found = {"/", str(tmp_path / "disk")}
    monkeypatch.setattr(place, "ismount", lambda path: str(path) in found)
    return found


def test_a_disk_that_is_not_there(database: Database, mounts: set[str], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    library = disk / "clips"
    place.check_place(database, library)
    place.check_place(database, library)
    mounts.remove(str(disk))
    with pytest.raises(StorageError) as caught:
        place.check_place(database, library)
    assert caught.value.key == "library_unmounted"
    assert caught.value.placeholders == {"folder": str(library), "mount": str(disk)}
    assert not disk.exists()
    # another folder is another matter
    place.check_place(database, tmp_path / "other")
    mounts.add(str(disk))
    place.check_place(database, library)


def test_a_library_that_was_moved(database: Database, mounts: set[str], tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    place.check_place(database, disk)
    mounts.remove(str(disk))
    disk.mkdir()
    (disk / INDEX).touch()
    place.check_place(database, disk)
    # from now on it needs no disk of its own
    (disk / INDEX).unlink()
    place.check_place(database, disk)


def test_a_new_disk_on_the_way(database: Database, mounts: set[str], tmp_path: Path) -> None:
    library = tmp_path / "disk" / "inner" / "clips"
    place.check_place(database, library)
    mounts.add(str(library.parent))
    place.check_place(database, library)
