"""The criteria editor's endpoints: one operation and the editor drawn anew, and the live count."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, available_timezones

from django.db import OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach
from core.db.cursors import raw_cursor
from crm.criteria.drawing import WITHOUT, Drawer
from crm.criteria.editor import apply, read_criteria, read_path
from crm.criteria.validate import problems
from crm.queries.audience import count_matching

COUNT_TIMEOUT_MS = 4_000


def _prefix(request: HttpRequest) -> str:
    prefix = request.POST.get("criteria_prefix", "")
    if not re.fullmatch(r"[A-Za-z][\w-]{0,60}", prefix):
        raise Http404
    return prefix


def _reads_contacts(request: TenantRequest) -> None:
    if request.member.reach(DataObject.CONTACT, "read") == Reach.NONE:
        raise Http404


def _zone(request: TenantRequest) -> ZoneInfo:
    name = request.POST.get(f"{_prefix(request)}_zone", "")
    return ZoneInfo(name if name in available_timezones() else request.tenant.timezone)


def _without(request: HttpRequest) -> str:
    """Return what no criteria mean where the editor stands."""
    name = request.POST.get(f"{_prefix(request)}_without", "")
    return name if name in WITHOUT else ""


@require_POST
def edit(request: TenantRequest, tenant: str) -> HttpResponse:
    """Apply one operation to what the editor holds and draw it anew; raises `criteria:changed` in the page."""
    _reads_contacts(request)
    prefix = _prefix(request)
    criteria = read_criteria(request.POST, prefix)
    changed = apply(
        criteria, request.POST.get("criteria_op", ""), read_path(request.POST.get("criteria_path", ""))
    )
    context = {
        "prefix": prefix,
        "zone": _zone(request).key,
        "without": _without(request),
        "without_words": WITHOUT[_without(request)],
        "view": Drawer(prefix).draw(changed),
        # Whoever added a line goes on in it.
        "focus": request.POST.get("criteria_op") in {"add-group", "add-line", "nest"},
    }
    response = render(request, "crm/criteria/editor.html", context)
    return trigger_client_event(response, "criteria:changed", {"prefix": prefix}, after="settle")


@require_POST
def count(request: TenantRequest, tenant: str) -> HttpResponse:
    """Say how many contacts match right now, or what is still missing."""
    _reads_contacts(request)
    criteria = read_criteria(request.POST, _prefix(request))
    if criteria.is_empty and _without(request):
        return HttpResponse("")
    context: dict[str, object] = {"problems": problems(criteria)}
    if not context["problems"]:
        try:
            with transaction.atomic(), raw_cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(COUNT_TIMEOUT_MS)])
                context["count"] = count_matching(
                    request.member,
                    criteria,
                    now=tenant_now(request.tenant.pk),
                    zone=_zone(request),
                    cursor=cursor,
                )
        except OperationalError:
            context["slow"] = True
    return render(request, "crm/criteria/count.html", context)
