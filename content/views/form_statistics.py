"""A form's statistics: who looked, began, sent and stopped. Numbers of answers lead to them for those who may."""

from __future__ import annotations

import datetime as dt
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from content.operations.forms import document_of
from content.queries_form_numbers import form_numbers
from content.views.forms import form_context, get_form
from content.views.library import WRITERS

PERIODS = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days", "365": "Last 365 days"}
USUAL = "30"


@require_safe
@needs(*WRITERS)
def statistics(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show the figures of a period."""
    it = get_form(form_id)
    zone = ZoneInfo(request.tenant.timezone)
    chosen = request.GET.get("days", "")
    chosen = chosen if chosen in PERIODS else USUAL
    last = tenant_now(request.tenant.pk).astimezone(zone).date()
    first = last - dt.timedelta(days=int(chosen) - 1)
    numbers = form_numbers(it, document_of(it), first=first, last=last, zone=zone)
    context = form_context(request, it, "statistics")
    answers = {"state": "all", "form": it.pk}
    days = {"from": first.isoformat(), "to": last.isoformat()}
    context |= {
        "numbers": numbers,
        "periods": PERIODS.items(),
        "chosen": chosen,
        "first": first,
        "last": last,
        # Whoever does not process the form sees how many there are, not what they say.
        "answers": turl(request.tenant, "content:submissions") if context["may_process"] else "",
        "query": urlencode(answers),
        "days": urlencode(days),
    }
    return render(request, "content/form_statistics.html", context)
