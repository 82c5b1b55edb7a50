"""Typed readers of the process environment: a bad value stops the start with its name and the reason."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """Return the variable's text; without a default it must be set."""
    value = os.environ.get(name, "")
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set.")
    return default


def flag(name: str, default: bool = False) -> bool:
    """Return true for 1/true/yes/on, false for 0/false/no/off."""
    value = os.environ.get(name, "").lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    """Return a whole number within least and most."""
    value = os.environ.get(name, "")
    try:
        result = int(value) if value else default
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None
    if not least <= result <= most:
        raise ImproperlyConfigured(f"{name} must lie between {least} and {most}, not {result}.")
    return result


def names(name: str, default: str = "") -> list[str]:
    """Return the comma-separated parts, without blanks."""
    return [part.strip() for part in os.environ.get(name, default).split(",") if part.strip()]


def web_address(name: str, default: str | None = None) -> str:
    """Return an http(s) address without a trailing slash."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must be an http or https address, not {value!r}.")
    return value
