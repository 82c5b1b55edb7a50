"""The flow list and the pages of View flow that only read: Summary, Flow (the canvas with counts), Content."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from delivery.waiting import waiting_messages
from flows.canvas import canvas_of
from flows.models import Flow
from flows.operations.saved_views import kept_query, views_for
from flows.steps.table import STEP_KINDS
from flows.talk import START, open_comments, talk_at, talked_about
from flows.validation import errors
from participants.figures import FlowFigures
from participants.flow_page import FlowPage, flow_page, folder_line
from participants.models import Participant
from participants.queries import ParticipantFilter, participants_page, step_titles
from reporting.flow_filters import COLUMNS, GROUPS, columns_of, owners, used_things
from reporting.flow_summary import content_of, document_of, forms_of, sms_of, start_problems, summary_of
from reporting.forms import asked_listing
from reporting.health import health_of
from reporting.numbers import StepNumbers, message_numbers, sent_numbers, step_numbers
from reporting.queries import TABS, flattened, flow_list, folder_tree
from reporting.reports.period import asked_period
from reporting.reports.report import period_figures

VIEWERS = (Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)
PEOPLE_SHOWN = 8


@require_GET
@needs(*VIEWERS)
def flows(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the flows that the member sees, as tiles or as a table."""
    listing = asked_listing(request.GET)
    view = request.GET.get("view") or request.COOKIES.get("flow_view", "tiles")
    view = view if view in {"tiles", "list"} else "tiles"
    context = {
        "listing": listing,
        "list": flow_list(member=request.member, listing=listing, with_pictures=view == "tiles"),
        "columns": columns_of(listing.columns),
        "all_columns": [(name, title) for name, (title, _, _) in COLUMNS.items()],
        "groups": GROUPS,
        "statuses": Flow.Status.choices,
        "saved_views": views_for(request.member),
        "view_query": kept_query(_with_view(request.GET, view)),
        "owners": owners(request.member),
        "used": used_things(request.member),
        "folders": flattened(folder_tree(member=request.member)),
        "folder_line": folder_line(listing.folder_id),
        "tabs": TABS,
        "view": view,
        "may_run": request.member.may(Right.FLOW_ADMINISTRATOR),
    }
    is_part = bool(request.htmx) and not request.htmx.boosted
    context["is_oob"] = is_part
    name = "reporting/flow_results.html" if is_part else "reporting/flows.html"
    response = render(request, name, context)
    response.set_cookie("flow_view", view, max_age=365 * 86_400, samesite="Lax", httponly=True)
    return response


def _with_view(asked: QueryDict, view: str) -> QueryDict:
    """A saved view says tiles or list itself: the cookie of whoever opens it may say something else."""
    query = asked.copy()
    query["view"] = view
    return query


@require_GET
@needs(*VIEWERS)
def summary(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Show what the flow does in words, and its figures."""
    page = flow_page(request, flow_id)
    now = tenant_now(request.tenant.pk)
    found = (
        start_problems(page.flow, now=now)
        if page.is_off or page.flow.status == page.flow.Status.PAUSED
        else []
    )
    context = {
        "page": page,
        "tab": "summary",
        "summary": summary_of(page.flow),
        "waiting": waiting_messages(now=now, stream_id=page.flow.stream_id),
        "errors": errors(found),
        "warnings": [problem for problem in found if problem.is_warning],
        "refused": "problems" in request.GET,
        "health": health_of(page.flow, page.figures, now=now),
        "week": _week(request, flow_id, now),
    }
    return render(request, "reporting/summary.html", context)


def _week(request: TenantRequest, flow_id: int, now: dt.datetime) -> tuple[FlowFigures, str] | None:
    """What happened in the last seven days, and what narrows the participants to them; None where nothing did."""
    period = asked_period({"period": "7"}, today=now.astimezone(ZoneInfo(request.tenant.timezone)).date())
    figures = period_figures(flow_id, period)
    happened = figures.enrolled or figures.completed or figures.dropped
    return (figures, period.people) if happened else None


@require_GET
@needs(*VIEWERS)
def canvas(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Draw the flow, read-only, with how many are at each step now."""
    page = flow_page(request, flow_id)
    numbers = step_numbers(flow_id)
    document = document_of(page.flow)
    picture = canvas_of(
        document,
        linked=True,
        counts={node.id: numbers.get(node.id, StepNumbers()).here for node in document.walk()},
        start_count=page.figures.enrolled,
        finish_count=page.figures.completed,
        comments=open_comments(flow_id),
    )
    steps = [(node.id, node.title, numbers.get(node.id, StepNumbers())) for node in document.walk()]
    drawn = {step_id for step_id, _, _ in steps}
    titles = step_titles([flow_id])
    removed = [
        (pk, titles.get(pk, "A step"), n) for pk, n in numbers.items() if pk not in drawn and n.entered
    ]
    talk = request.GET.get("comments", "")[:36]
    context = {
        "page": page,
        "tab": "flow",
        "canvas": picture,
        "steps": steps,
        "removed": removed,
        "opens": f"comments:{talk}" if talk else "",
    }
    return render(request, "reporting/canvas.html", context)


@require_GET
@needs(*VIEWERS)
def counts(request: TenantRequest, tenant: str, flow_id: int) -> JsonResponse:
    """Return the canvas's numbers, for the badges that poll."""
    page = flow_page(request, flow_id)
    sent = sent_numbers(tenant_id=request.tenant.pk, flow_id=flow_id)
    steps = {
        str(step_id): {
            "here": n.here,
            "went_on": n.went_on,
            "left": n.left,
            "leaving": [[way.label, way.number, way.query] for way in n.leaving],
            "branches": dict(n.branches or {}),
            "messages": sent.get(step_id),
        }
        for step_id, n in step_numbers(flow_id).items()
    }
    figures = {
        "enrolled": page.figures.enrolled,
        "completed": page.figures.completed,
        "active": page.figures.active,
    }
    return JsonResponse(
        {
            "steps": steps,
            "flow": figures,
            "status": page.flow.status,
            "comments": open_comments(flow_id),
        }
    )


@require_GET
@needs(*VIEWERS)
def part(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Show one part of the canvas in the side panel: a step, a branch, the start or the finish."""
    page = flow_page(request, flow_id)
    kind, _, name = request.GET.get("part", "").partition(":")
    if kind == "comments":
        return _comments_panel(request, page, name)
    if kind in {"start", "finish"}:
        return render(
            request, f"reporting/panel_{kind}.html", {"page": page, "summary": summary_of(page.flow)}
        )
    part_id = _uuid(name)
    if kind == "branch":
        return _branch_panel(request, page, part_id)
    return _step_panel(request, page, part_id)


def _comments_panel(request: TenantRequest, page: FlowPage, key: str) -> HttpResponse:
    context: dict[str, Any] = {"page": page, "flow": page.flow}
    if not key:
        return render(
            request, "reporting/panel_talked_about.html", {**context, "places": talked_about(page.flow)}
        )
    context["talk"] = talk_at(page.flow, None if key == START else _uuid(key), member=request.member)
    return render(request, "reporting/panel_comments.html", context)


def _step_panel(request: TenantRequest, page: FlowPage, step_id: uuid.UUID) -> HttpResponse:
    document = document_of(page.flow)
    node = document.step(step_id)
    if node is None:
        raise Http404
    card = next(card for card in _cards(canvas_of(document).places) if card.id == step_id)
    here = ParticipantFilter(status=Participant.Status.ACTIVE, step_id=step_id)
    waiting = waiting_messages(now=tenant_now(request.tenant.pk), stream_id=page.flow.stream_id)
    context = {
        "waiting": [(one, one.at_step(step_id)) for one in waiting if one.at_step(step_id)],
        "page": page,
        "card": card,
        "kind": STEP_KINDS[node.kind],
        "numbers": step_numbers(page.flow.pk).get(step_id, StepNumbers()),
        "people_here": participants_page(flow_id=page.flow.pk, narrowed=here, size=PEOPLE_SHOWN).rows,
        "messages_here": message_numbers(flow_id=page.flow.pk, step_id=step_id)
        if STEP_KINDS[node.kind].channel
        else [],
    }
    return render(request, "reporting/panel_step.html", context)


def _branch_panel(request: TenantRequest, page: FlowPage, branch_id: uuid.UUID) -> HttpResponse:
    document = document_of(page.flow)
    for node in document.walk():
        if any(branch.id == branch_id for branch in node.branches):
            numbers = step_numbers(page.flow.pk).get(node.id, StepNumbers())
            card = next(card for card in _cards(canvas_of(document).places) if card.id == node.id)
            branch = next(branch for branch in card.branches if branch.id == branch_id)
            context = {
                "page": page,
                "card": card,
                "branch": branch,
                "number": (numbers.branches or {}).get(str(branch_id), 0),
                "share": numbers.share(branch_id),
            }
            return render(request, "reporting/panel_branch.html", context)
    raise Http404


def _cards(places: Any) -> Any:
    for place in places:
        yield place.card
        for branch in place.card.branches:
            yield from _cards(branch.places)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


@require_GET
@needs(*VIEWERS)
def content(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """List the emails, SMS and forms of the flow: which steps use them, and whether they are ready."""
    page = flow_page(request, flow_id)
    context = {
        "page": page,
        "tab": "content",
        "rows": content_of(page.flow),
        "texts": sms_of(page.flow),
        "forms": forms_of(page.flow),
    }
    return render(request, "reporting/content.html", context)
