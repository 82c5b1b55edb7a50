"""Mails kept for a quarter of an hour, so that a sandboxed frame of the page can ask for them."""

from __future__ import annotations

import secrets

from django.core.cache import cache

from accounts.http import TenantRequest
from accounts.urls_for import turl

_SECONDS = 900


def _name(request: TenantRequest, key: str) -> str:
    return f"preview:{request.tenant.pk}:{request.user.pk}:{key}"


def keep_preview(request: TenantRequest, html: str) -> str:
    """Keep a mail for its writer alone; returns the address of its frame."""
    key = secrets.token_urlsafe(16)
    cache.set(_name(request, key), html, timeout=_SECONDS)
    return turl(request.tenant, "content:frame", key)


def kept_preview(request: TenantRequest, key: str) -> str | None:
    """Return the mail that was kept, or None when it is over."""
    found: str | None = cache.get(_name(request, key))
    return found
