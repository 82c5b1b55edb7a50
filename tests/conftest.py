"""Settings that hold for every test."""

import os
from pathlib import Path

import pytest
import redis
from pytest_django import Settings


@pytest.fixture(autouse=True)
def private_files(settings: Settings, tmp_path: Path) -> None:
    """Give each test a folder of its own for uploads and exports."""
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def private_redis() -> None:
    """Begin with this process's own Redis database empty: limits are counted there, and ids come again."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.flushdb()
