"""Turns database addresses into Django's settings: `default` is the app's role, `owner` runs migrations only."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config import env


def from_url(name: str, default: str | None = None) -> dict[str, Any]:
    """Return Django's database dictionary for a `postgresql://` address in the environment."""
    url = env.text(name, default)
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} must be a postgresql:// address that names a database.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
        "DISABLE_SERVER_SIDE_CURSORS": False,
    }


def databases(*, pool_size: int) -> dict[str, dict[str, Any]]:
    """Return `default` and `owner`; pool_size 0 means a persistent connection per process instead of a pool."""
    app = from_url("DATABASE_URL")
    if pool_size:
        app["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
    else:
        app["CONN_MAX_AGE"] = 600
        app["CONN_HEALTH_CHECKS"] = True
    owner = from_url("DATABASE_OWNER_URL", env.text("DATABASE_URL"))
    return {"default": app, "owner": owner}
