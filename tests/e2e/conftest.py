"""Every story boots its own household: nothing one leaves behind can help another."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .browser import ARTIFACTS
from .household import Household, household


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest story, so that what runs side by side ends together."""
    items.sort(key=lambda item: "test_peers" not in item.nodeid)


@pytest.fixture(autouse=True)
def artifacts() -> None:
    """Have a folder for screenshots."""
    ARTIFACTS.mkdir(exist_ok=True)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Household]:
    """A household with one doorbell, that follows no feed yet."""
    async with household(tmp_path) as house:
        yield house


@pytest.fixture
async def house_with_big_clips(tmp_path: Path) -> AsyncIterator[Household]:
    """A household likewise, whose clips take a while to send."""
    async with household(tmp_path, noisy=True) as house:
        yield house
