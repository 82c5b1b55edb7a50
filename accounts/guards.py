"""Decorators of tenant views: who may, and whether the view runs inside the request's transaction."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import Http404, HttpResponseBase

from accounts.http import TenantRequest
from accounts.rights import Right

V = TypeVar("V", bound=Callable[..., HttpResponseBase])


def needs(*rights: Right) -> Callable[[V], V]:
    """Let only members with any of these rights in; to the others the page does not exist."""
    if not rights:
        raise ValueError("needs() wants at least one right.")

    def guard(view: V) -> V:
        @functools.wraps(view)
        def guarded(request: TenantRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.member.may(*rights):
                raise Http404
            return view(request, *args, **kwargs)

        guarded.needs = rights  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return guard


def outside_transaction(view: V) -> V:
    """Run the view outside the request's transaction: for views that call the network or stream.

    `request.tenant` and `request.member` are there; the view opens `tenant_scope(request.tenant.pk)` around each
    operation itself. Put it outermost.
    """
    view.outside_transaction = True  # type: ignore[attr-defined]
    return view
