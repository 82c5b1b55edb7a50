"""Settings that hold for every test."""

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def private_files(settings: Settings, tmp_path: Path) -> None:
    """Give each test a folder of its own for uploads and exports."""
    settings.MEDIA_ROOT = tmp_path / "media"
