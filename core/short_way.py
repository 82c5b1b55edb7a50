"""A short way through the middleware for addresses that know no session, no account and no tenant of a page.

Opens and clicks of mails are most of what a web process is asked for, and two thirds of the middleware is not for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.utils.module_loading import import_string


class ShortWayMiddleware:
    """Stands first. What begins with one of settings.SHORT_WAYS passes settings.SHORT_MIDDLEWARE alone; every other
    request goes on through settings.MIDDLEWARE. Of the short ones only `__call__` is heeded, no hook for views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._short = _Short()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(settings.SHORT_WAYS):
            return self._short.get_response(request)
        return self.get_response(request)


class _Short(BaseHandler):
    """Finds and calls the view as ever, behind fewer middleware."""

    def __init__(self) -> None:
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        chain = convert_exception_to_response(self._get_response)  # type: ignore[attr-defined]
        for name in reversed(settings.SHORT_MIDDLEWARE):
            chain = convert_exception_to_response(import_string(name)(chain))
        self._middleware_chain = chain
