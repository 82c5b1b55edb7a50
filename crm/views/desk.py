"""What the pages of sales and requests share: who may enter, whom something may be made for, the tabs of a contact."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase

from accounts.http import TenantRequest
from accounts.rights import DataObject
from accounts.urls_for import turl
from crm import search
from crm.models import Contact, Request, Sale
from crm.queries.desk import may
from crm.queries.listing import find_ids
from crm.queries.reach import contacts_for, get_company, get_contact

V = TypeVar("V", bound=Callable[..., HttpResponseBase])
MOST_CANDIDATES = 12


def open_to(kind: DataObject, verb: str = "read") -> Callable[[V], V]:
    """Let only members in whose tenant has the licence and whose role reaches such objects; to others 404."""

    def guard(view: V) -> V:
        @functools.wraps(view)
        def guarded(request: TenantRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not may(request.member, kind, verb):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return guard


def chosen_contact(request: TenantRequest) -> Contact | None:
    """Return the contact that a new sale or request is for (`?contact=`), or None; 404 where one may not see it."""
    number = request.GET.get("contact", "")
    return get_contact(request.member, int(number)) if number.isdecimal() and len(number) < 19 else None


def home_of(request: TenantRequest, made: Sale | Request, within: QuerySet[Any], page: str) -> str:
    """Return the page of a sale or request, or the list where its owner is out of the member's reach (`within`)."""
    if within.filter(pk=made.pk).exists():
        return turl(request.tenant, f"crm:{page}", made.pk)
    return turl(request.tenant, f"crm:{page}s")


def candidates(request: TenantRequest) -> QuerySet[Contact]:
    """Return contacts to choose from: those of `?company=`, or whom the search finds."""
    found = contacts_for(request.member).select_related("company").order_by("name_norm", "id")
    number = request.GET.get("company", "")
    if number.isdecimal() and len(number) < 19:
        found = found.filter(company=get_company(request.member, int(number)))
    words = request.GET.get("q", "").strip()[:200]
    if words:
        found = found.filter(pk__in=find_ids(search.CONTACT, words))
    elif not number:
        return Contact.objects.none()
    return found[:MOST_CANDIDATES]
