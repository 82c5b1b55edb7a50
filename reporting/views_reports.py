"""The Reports tab of View flow: numbers of a period out of the counters, and what is asked for after them."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from accounts.audit import write_audit
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach, Right
from content.models import Email
from core.csv_out import csv_lines
from flows.models import Step
from participants.asked import number
from participants.flow_page import flow_page, visible_flow
from reporting.reports.control import compared
from reporting.reports.messages import link_rows, message_rows
from reporting.reports.outcomes import revenue, times_to_success
from reporting.reports.period import ALL, CHOICES, Period, asked_period
from reporting.reports.report import report_of
from reporting.reports.sheets import SHEETS

VIEWERS = (Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)


def _zone(request: TenantRequest) -> ZoneInfo:
    return ZoneInfo(request.tenant.timezone)


def _period(request: TenantRequest) -> Period:
    today = tenant_now(request.tenant.pk).astimezone(_zone(request)).date()
    return asked_period(request.GET.dict(), today=today)


def _asked(request: TenantRequest, flow_id: int) -> dict[str, Any]:
    return {
        "tenant_id": request.tenant.pk,
        "flow_id": flow_id,
        "period": _period(request),
        "zone": _zone(request),
    }


@require_GET
@needs(*VIEWERS)
def reports(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Show what happened in a period: totals, days, the way through the steps, reasons."""
    page = flow_page(request, flow_id)
    period = _period(request)
    context = {
        "page": page,
        "tab": "reports",
        "report": report_of(page.flow, period),
        "period": period,
        "choices": CHOICES,
        "is_all": period.choice == ALL,
    }
    return render(request, "reporting/reports.html", context)


@require_GET
@needs(*VIEWERS)
def messages(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Show what became of the messages."""
    page = flow_page(request, flow_id)
    asked = _asked(request, flow_id)
    counted = message_rows(**asked)
    context = {"page": page, "period": asked["period"], "rows": counted.rows, "counted_at": counted.at}
    return render(request, "reporting/report_messages.html", context)


@require_GET
@needs(*VIEWERS)
def links(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Show which links of one email were clicked, at the side."""
    page = flow_page(request, flow_id)
    asked = _asked(request, flow_id)
    step_id, email_id = _uuid(request.GET.get("of", "")), number(request.GET.get("email", ""))
    step = Step.objects.filter(pk=step_id, flow_id=flow_id).first()
    email = Email.objects.filter(pk=email_id or 0).first()
    if step is None or email is None:
        raise Http404
    rows = link_rows(**asked, step_id=step.pk, email_id=email.pk)
    context = {"page": page, "period": asked["period"], "step": step, "email": email, "rows": rows}
    return render(request, "reporting/report_links.html", context)


@require_GET
@needs(*VIEWERS)
def outcomes(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Show how long success took, the sales won afterwards (to whoever may read all sales), and the control group."""
    page = flow_page(request, flow_id)
    asked = _asked(request, flow_id)
    reads_sales = request.member.reach(DataObject.SALE, "read") == Reach.ALL
    context = {
        "page": page,
        "period": asked["period"],
        "times": times_to_success(**asked),
        "reads_sales": reads_sales,
        "revenue": revenue(**asked) if reads_sales else [],
        "control": compared(flow_id),
    }
    return render(request, "reporting/report_outcomes.html", context)


@require_GET
@needs(Right.EXPORT)
def as_csv(request: TenantRequest, tenant: str, flow_id: int, section: str) -> HttpResponseBase:
    """Send one part of the report as a file. Needs the right to look into the flow as well."""
    flow = visible_flow(request.member, flow_id)
    if section not in SHEETS:
        raise Http404
    asked = _asked(request, flow_id)
    write_audit(
        actor=request.user,
        action="report.export",
        object_kind="flow",
        object_id=flow.pk,
        object_name=flow.name,
        payload={"section": section, "period": asked["period"].words},
    )
    rows = list(SHEETS[section](flow, asked))
    response = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    name = f"{section}-{slugify(flow.name) or f'flow-{flow.pk}'}"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None
