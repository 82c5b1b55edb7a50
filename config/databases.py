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


# A page that takes longer has lost its reader; one that waits longer for a lock answers 409. Workers' work is long.
WEB_LIMITS = "-c statement_timeout=10s -c lock_timeout=2s -c idle_in_transaction_session_timeout=15s"


def databases(*, pool_size: int) -> dict[str, dict[str, Any]]:
    """Return `default` and `owner`. A pool is for web processes, which also get their time limits; 0 means one
    kept connection per process, as workers need it."""
    app = from_url("DATABASE_URL")
    if pool_size:
        app["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}
        app["OPTIONS"].setdefault("options", WEB_LIMITS)
    else:
        app["CONN_MAX_AGE"] = 600
        app["CONN_HEALTH_CHECKS"] = True
    owner = from_url("DATABASE_OWNER_URL", env.text("DATABASE_URL"))
    return {"default": app, "owner": owner}
