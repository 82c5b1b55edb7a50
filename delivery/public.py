"""What every public page shares: the token opens its tenant's scope, what is not ours is not found, nothing is kept.

The pages work without sign-in, cookies and scripts, in the tenant's name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from accounts.models import Tenant
from core import clock
from core.db.busy import is_busy
from core.signing import BadToken
from core.tenancy import tenant_scope
from core.texts import speaking
from delivery.operations.recipients import NoSuchMessage, language_of_recipient
from delivery.short_tokens import read_short
from delivery.tokens import MessageRef, Purpose, read_message_token

P = ParamSpec("P")
T = TypeVar("T")


class PublicRequest(HttpRequest):
    """A request with the tenant that its token names, and that tenant's clock."""

    sender: Tenant
    now: dt.datetime


def _decorated(
    read: Callable[[str], tuple[Any, ...]],
    opened: Callable[[PublicRequest, MessageRef], AbstractContextManager[T]],
) -> Callable[[Callable[Concatenate[Any, T, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view that takes (request, what `opened` yields, …): reads the token, answers forgeries with 404.

    `read` returns the message that a token names, and what else the view is given.
    """

    def decorate(view: Callable[Concatenate[Any, T, P], HttpResponse]) -> Callable[..., HttpResponse]:
        @never_cache
        @wraps(view)
        def wrapped(request: Any, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                ref, *more = read(token)
                with opened(request, ref) as found:
                    response = view(request, found, *more, *args, **kwargs)
            except (BadToken, NoSuchMessage):
                return not_found(request)
            except OperationalError as error:
                return busy(request, error)
            response["X-Robots-Tag"] = "noindex, nofollow"
            return response

        # Nothing here rests on a session: the token alone speaks for the recipient, also without cookies.
        wrapped.csrf_exempt = True  # type: ignore[attr-defined]
        return wrapped

    return decorate


def for_message(
    purpose: Purpose,
) -> Callable[[Callable[Concatenate[Any, MessageRef, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view that takes (request, ref, …), inside the scope of the message's tenant."""
    return _decorated(lambda token: (read_message_token(purpose, token),), _by_name)


def for_tracking(
    purpose: Purpose,
) -> Callable[[Callable[Concatenate[Any, MessageRef, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Decorate a view that takes (request, ref, …), outside any scope: what it calls opens one, perhaps with others.
    The request has neither `sender` nor `now`."""
    return _decorated(lambda token: (read_message_token(purpose, token),), lambda _, ref: nullcontext(ref))


def for_short_link(view: Callable[[Any, MessageRef, int], HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorate a view that takes (request, ref, number of the link), as `for_tracking` does."""
    return _decorated(read_short, lambda _, ref: nullcontext(ref))(view)


@contextmanager
def _by_name(request: PublicRequest, ref: MessageRef) -> Iterator[MessageRef]:
    sender = Tenant.objects.filter(pk=ref.tenant_id).first()
    if sender is None:
        raise NoSuchMessage("There is no such tenant.")
    request.sender, request.now = sender, clock.now() + sender.clock_offset
    with tenant_scope(ref.tenant_id), speaking(request, language_of_recipient(ref), sender.language):
        yield ref


def busy(request: HttpRequest, error: OperationalError) -> HttpResponse:
    """Answer that it can be tried again where others held the same rows for too long; raise any other error."""
    if not is_busy(error):
        raise error
    sender = getattr(request, "sender", None)
    with speaking(request, sender.language if sender else ""):
        response = render(request, "delivery/busy.html", {"sender": sender}, status=503)
    response["Retry-After"] = "5"
    return response


def not_found(request: HttpRequest) -> HttpResponse:
    """Answer that there is nothing here, without a word of why."""
    with speaking(request):
        return render(request, "delivery/not_found.html", status=404)
