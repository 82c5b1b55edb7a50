"""What every test run needs before Django's settings are read: servers, environment, fixtures.

The settings read the environment once, so it is laid here and not in a fixture.
"""

import os
from pathlib import Path

import django
from django.conf import settings

from config.embedded import ensure_environment
from tests.support.redis_numbers import claim_redis_database
from tools.texts import compile_catalogs

ROOT = Path(__file__).resolve().parent

ensure_environment()
compile_catalogs()
os.environ["REDIS_URL"] = claim_redis_database()
os.environ["MILLRACE_TESTING"] = "1"
# Tests stop the clock, so that their people click in the moment of the hand-over.
os.environ.setdefault("MILLRACE_MACHINE_SECONDS", "0")
os.environ.setdefault("MILLRACE_LOG_LEVEL", "WARNING")
# Playwright's loop runs in the thread of the tests, which use the ORM as usual.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
# Named here and not in pyproject.toml: pytest-django would read the settings before this file is loaded.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()  # the fixtures below import models
# Half a second a sign-in is right for people and wrong for a thousand tests.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Every module of tests/fixtures: one for each subject, found by its name.
pytest_plugins = [
    f"tests.fixtures.{path.stem}" for path in sorted((ROOT / "tests/fixtures").glob("[a-z]*.py"))
]
