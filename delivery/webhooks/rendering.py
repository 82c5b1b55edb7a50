"""What sending webhooks asks of whoever renders them (settings.DELIVERY_WEBHOOKS: content lies above)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from delivery.webhooks.base import WebhookRequest


@dataclass(frozen=True, slots=True)
class WebhookJob:
    """A request to render."""

    webhook_id: int
    content_version_id: int
    contact_id: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NotRendered:
    """Why there is no request. `is_final` where trying again is in vain; the person was erased where `is_erased`."""

    error: str
    is_final: bool = True
    is_erased: bool = False


WebhookRenderer = Callable[[Sequence[WebhookJob]], dict[int, WebhookRequest | NotRendered]]


@lru_cache(maxsize=1)
def webhook_renderer() -> WebhookRenderer:
    """Return the renderer: (jobs of the open tenant scope) → request by webhook id, in constant queries."""
    return cast(WebhookRenderer, import_string(settings.DELIVERY_WEBHOOKS))
