"""A form's statistics: who looked, began, sent and stopped. Numbers of answers lead to them for those who may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from content.models import Form
from content.operations.forms import document_of, reset_form_numbers
from content.queries_form_numbers import FormNumbers, Numbers, form_numbers
from content.views.forms import form_context, get_form
from content.views.library import WRITERS
from core.csv_out import csv_lines

PERIODS = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days", "365": "Last 365 days"}
USUAL = "30"
TABLES = frozenset({"places", "answers", "pages", "fields", "days"})


@dataclass(frozen=True, slots=True)
class Period:
    """The days that are asked for, as the tenant's clocks count them."""

    chosen: str
    first: dt.date
    last: dt.date
    zone: ZoneInfo

    @classmethod
    def asked(cls, request: TenantRequest) -> Period:
        """Read it out of the address; the usual one where it names none."""
        zone = ZoneInfo(request.tenant.timezone)
        chosen = request.GET.get("days", "")
        chosen = chosen if chosen in PERIODS else USUAL
        last = tenant_now(request.tenant.pk).astimezone(zone).date()
        return cls(chosen, last - dt.timedelta(days=int(chosen) - 1), last, zone)

    def numbers(self, it: Form) -> FormNumbers:
        """Return the form's figures in it."""
        return form_numbers(it, document_of(it), first=self.first, last=self.last, zone=self.zone)


@require_safe
@needs(*WRITERS)
def statistics(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show the figures of a period."""
    it = get_form(form_id)
    period = Period.asked(request)
    context = form_context(request, it, "statistics")
    answers = {"state": "all", "form": str(it.pk)}
    if it.counted_since is not None:
        answers["since"] = it.counted_since.isoformat()
    days = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    context |= {
        "numbers": period.numbers(it),
        "periods": PERIODS.items(),
        "chosen": period.chosen,
        "first": period.first,
        "last": period.last,
        # Whoever does not process the form sees how many there are, not what they say.
        "answers": turl(request.tenant, "content:submissions") if context["may_process"] else "",
        "query": urlencode(answers),
        "days": urlencode(days),
        "csv": f"{turl(request.tenant, 'content:form_statistics_csv', it.pk)}?days={period.chosen}",
    }
    return render(request, "content/form_statistics.html", context)


@require_safe
@needs(*WRITERS)
def download(request: TenantRequest, tenant: str, form_id: int) -> StreamingHttpResponse:
    """Return one of the tables as CSV."""
    it = get_form(form_id)
    table = request.GET.get("table", "")
    if table not in TABLES:
        raise Http404
    rows = list(_rows(table, Period.asked(request).numbers(it)))
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    name = f"{slugify(it.name) or 'form'}-{table}.csv"
    response["Content-Disposition"] = str(content_disposition_header(True, name))
    return response


def _rows(table: str, numbers: FormNumbers) -> Iterator[list[object]]:
    if table == "places":
        yield ["Place", "Site", "Views", "Began", "Sent", "Conversion in %"]
        for place in numbers.places:
            yield [place.label, place.site, *_figures(place.numbers), _per_cent(place.numbers)]
    elif table == "answers":
        yield ["Status", "Answers"]
        yield from ([label, number] for _, label, number in numbers.by_status)
    elif table == "days":
        yield ["From", "To", "Views", "Began", "Sent"]
        yield from ([one.first, one.last, *_figures(one.numbers)] for one in numbers.times)
    else:
        yield ["Page" if table == "pages" else "Field", "Stopped", "Share in %"]
        stops = numbers.pages if table == "pages" else numbers.fields
        yield from ([one.label, one.number, one.share] for one in stops)


def _figures(numbers: Numbers) -> tuple[int, int, int]:
    return numbers.views, numbers.started, numbers.sent


def _per_cent(numbers: Numbers) -> float | None:
    return None if numbers.conversion is None else round(numbers.conversion, 1)


@require_POST
@needs(*WRITERS)
def reset(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Count from zero."""
    it = get_form(form_id)
    reset_form_numbers(form_id=it.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    messages.success(request, f"Statistics of “{it.name}” are counted anew. Its answers stay.")
    return redirect(turl(request.tenant, "content:form_statistics", it.pk))
