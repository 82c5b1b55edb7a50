"""Pages of a flow's participants: the table, its export, one participant's story, and what can be done to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from accounts.audit import write_audit
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from core.csv_out import csv_lines
from core.tenancy import tenant_scope
from flows.models import Step
from flows.operations.saved_views import PARTICIPANTS, kept_query, views_for
from participants.asked import REPORT_FIELDS, Asked, asked
from participants.columns import (
    COLUMNS,
    MOST_COUNTED,
    ORDER_WAYS,
    big_groups,
    columns_of,
    listed,
    offered_orders,
    sorts_of_many,
    without_sorts_for_few,
)
from participants.export import HEADINGS, export_rows
from participants.flow_page import flow_page, visible_flow
from participants.forms import Targets
from participants.held_people import HELD_BY
from participants.models import Participant
from participants.queries import COMPLETED
from participants.queries_made import made_at_visits
from participants.queries_story import story_of
from participants.report_words import report_words
from participants.sorting import GROUPS

STATUS_TONES = {
    "active": "is-info",
    "finished": "",
    "success": "is-good",
    "dropped": "is-warn",
    "cancelled": "",
}


@require_GET
@needs(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)
def participants(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Show the participants of a flow: narrowed, in an order, in groups, with the columns asked for."""
    page = flow_page(request, flow_id)
    wanted = asked(request.GET, request.member)
    found = listed(flow_id=flow_id, asked=wanted, figures=page.figures)
    columns = columns_of(request.GET.getlist("col"))
    context = {
        "page": page,
        "tab": "participants",
        "asked": wanted,
        "rows": found.page,
        "sort": wanted.order.asked,
        "statuses": [*Participant.Status.choices, (COMPLETED, "Completed (both)")],
        "reasons": page.figures.dropped_by,
        "held_by": HELD_BY.items(),
        "by_visit": _by_visit(flow_id, wanted) if wanted.by_visit else "",
        "by_report": report_words(wanted),
        "report_fields": [(name, request.GET[name]) for name in REPORT_FIELDS if request.GET.get(name)],
        "steps": Step.objects.filter(flow_id=flow_id, removed_at=None),
        "columns": columns if found.few else without_sorts_for_few(columns),
        "few": found.few,
        "shown": {column.name for column in columns},
        "all_columns": [(name, title) for name, (title, _) in COLUMNS.items()],
        "chosen_columns": [column.name for column in columns] if request.GET.get("col") else [],
        "groups": GROUPS.items(),
        "orders": offered_orders(found.few, wanted.order),
        "ways": ORDER_WAYS.get(wanted.order.asked, ("Previous", "Next")),
        "most": MOST_COUNTED,
        "sorts_of_many": sorts_of_many(),
        "width": len(columns) + (3 if page.may_run else 1),
        "big_groups": big_groups(flow_id, wanted, page.figures)
        if wanted.order.group and not found.few
        else (),
        "token": uuid.uuid4().hex,
        "matching": found.matching,
        "targets": Targets.of(page.flow, request.member) if page.may_run else None,
        "saved_views": views_for(request.member, PARTICIPANTS, flow_id),
        "view_query": kept_query(request.GET, PARTICIPANTS),
    }
    return render(request, "participants/participants.html", context)


def _by_visit(flow_id: int, wanted: Asked) -> str:
    """Say what a number of the canvas asked for."""
    if wanted.at:
        return "In a branch" if len(wanted.at) == 1 else f"In a branch, at {len(wanted.at)} of its steps"
    if wanted.visited is None:
        return "Took a branch"
    title = Step.objects.filter(flow_id=flow_id, pk=wanted.visited).values_list("title", flat=True).first()
    verb = {"went_on": "Went on from", "left": "Left at"}.get(wanted.went, "Was at")
    return f"{verb} “{title or 'a step that is gone'}”"


@require_GET
@needs(Right.EXPORT)
def export(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponseBase:
    """Send the narrowed participants as CSV, a slice at a time. Needs the right to look into the flow as well."""
    flow = visible_flow(request.member, flow_id)
    wanted = asked(request.GET, request.member)
    write_audit(
        actor=request.user,
        action="participant.export",
        object_kind="flow",
        object_id=flow.pk,
        object_name=flow.name,
        payload={"status": wanted.status, "searched": bool(wanted.search)},
    )
    lines = _csv(request.tenant.pk, flow_id, wanted)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    name = slugify(flow.name) or f"flow-{flow.pk}"
    response["Content-Disposition"] = f'attachment; filename="participants-{name}.csv"'
    return response


def _csv(tenant_id: int, flow_id: int, wanted: Asked) -> Iterator[str]:
    """The answer streams after the request's transaction is over, so the scope is opened here."""
    with tenant_scope(tenant_id):
        yield from csv_lines(export_rows(flow_id=flow_id, narrowed=wanted.as_filter(), headings=HEADINGS))


@require_GET
@needs(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)
def participant(request: TenantRequest, tenant: str, flow_id: int, participant_id: int) -> HttpResponse:
    """Show one participant's story: every visit, why they came, why they left."""
    page = flow_page(request, flow_id)
    found = Participant.objects.filter(pk=participant_id, flow_id=flow_id).first()
    if found is None:
        raise Http404
    story = story_of(flow=page.flow, participant=found, now=tenant_now(request.tenant.pk))
    context = {
        "page": page,
        "tab": "participants",
        "story": story,
        "tone": STATUS_TONES[found.status],
        "made": made_at_visits(member=request.member, participant=found),
    }
    return render(request, "participants/participant.html", context)
