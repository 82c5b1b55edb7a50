"""Answers to htmx: toasts and other events that the page listens for."""

from __future__ import annotations

from typing import Any, TypeVar

from django.http import HttpResponse
from django_htmx.http import trigger_client_event

R = TypeVar("R", bound=HttpResponse)


def toast(response: R, text: str, *, level: str = "success") -> R:
    """Let the answer show a short message; level is success, info, warning or error."""
    return tell(response, "toast", {"text": text, "level": level})


def tell(response: R, event: str, detail: dict[str, Any] | None = None) -> R:
    """Let the answer raise an event in the page."""
    trigger_client_event(response, event, detail or {})
    return response
