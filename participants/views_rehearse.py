"""A rehearsal of the draft with one contact: choosing whom, when and what they do; the way they go; each message."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from content.safe_html import mail_response
from core.localtime import moment
from crm.models import Contact
from crm.queries.reach import contacts_for, get_contact
from flows import validation
from flows.canvas import canvas_of
from flows.checking import check_context
from flows.document import FlowDocument
from flows.models import Flow
from flows.operations.drafts import draft_of
from flows.validation import FlowProblem
from participants.asked import number
from participants.flow_page import visible_flow
from participants.models import Participant
from participants.rehearsal import Asked, Rehearsal, ask, moment_text
from participants.rehearsal import rehearse as walk
from participants.search import contacts_matching

OFFERED = 8
LOOKERS = (Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)


@require_GET
@needs(*LOOKERS)
def rehearse(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Ask for a contact, a start and what they do; draw the way they would go. Nothing is kept of it."""
    flow = visible_flow(request.member, flow_id)
    document = draft_of(flow)
    names = check_context(document, flow_id=flow.pk)
    asked = ask(document, names, request.GET)
    contact, start = _contact(request), _start(request, document)
    # The search asks for the list of people alone.
    searches = bool(request.htmx) or contact is None
    found = validation.problems(document, now=start, ctx=names)
    unreadable = _unreadable(found)
    walks = contact is not None and not request.htmx and not unreadable
    went = _walk(request, flow, document, contact, start, asked) if contact and walks else None
    search = request.GET.get("q", "").strip()[:100] if searches else ""
    context: dict[str, Any] = {
        "flow": flow,
        "contact": contact,
        "people": _people(request, flow, search),
        "search": search,
        "questions": asked.questions,
        "start": start.astimezone(document.settings.zone).strftime("%Y-%m-%dT%H:%M"),
        "start_text": moment_text(start, document),
        "zone": document.settings.timezone.replace("_", " "),
        "went": went,
        "unreadable": unreadable if contact else [],
        "canvas": canvas_of(document, trail=went.trail) if went else None,
        "at_fault": [p for p in found if went and went.held_at and p.part == f"step:{went.held_at}"],
        "may_edit": request.member.may(Right.FLOW_ADMINISTRATOR),
        "query": request.GET.urlencode(),
    }
    return render(request, "participants/rehearsal.html", context)


@require_GET
@needs(*LOOKERS)
def letter(request: TenantRequest, tenant: str, flow_id: int, visit: int) -> HttpResponse:
    """One email of a rehearsal, for the frame of that page: the same rehearsal once more."""
    flow = visible_flow(request.member, flow_id)
    document = draft_of(flow)
    contact, start = _contact(request), _start(request, document)
    names = check_context(document)
    if contact is None or _unreadable(validation.problems(document, now=start, ctx=names)):
        raise Http404
    asked = ask(document, names, request.GET)
    went = _walk(request, flow, document, contact, start, asked)
    found = next((s.letter for s in went.stops if s.visit.number == visit and s.letter), None)
    if found is None or not found.html:
        raise Http404
    return mail_response(found.html, framed=True)


def _unreadable(found: list[FlowProblem]) -> list[FlowProblem]:
    """Return what keeps the engine from judging anybody: criteria that say nothing that can be asked. A step that
    cannot be done is no such thing, the way ends there."""
    return [p for p in found if not p.is_warning and (p.part == "filter" or p.part.startswith("success"))]


def _walk(
    request: TenantRequest,
    flow: Flow,
    document: FlowDocument,
    contact: Contact,
    start: dt.datetime,
    asked: Asked,
) -> Rehearsal:
    return walk(
        flow=flow,
        document=document,
        contact=contact,
        actor=request.user,
        now=start,
        assumed=asked.assumed,
    )


def _contact(request: TenantRequest) -> Contact | None:
    chosen = number(request.GET.get("contact", ""))
    return get_contact(request.member, chosen) if chosen else None


def _start(request: TenantRequest, document: FlowDocument) -> dt.datetime:
    """Return the moment to begin at, on the flow's clocks; now where none is given, or none that makes sense."""
    now = tenant_now(request.tenant.pk)
    try:
        given = dt.datetime.fromisoformat(request.GET.get("start", ""))
    except ValueError:
        return now
    if given.tzinfo is not None or not now.year - 1 <= given.year <= now.year + 10:
        return now
    return moment(given.date(), given.time(), document.settings.zone)


def _people(request: TenantRequest, flow: Flow, search: str) -> list[Contact]:
    """Return whom the search finds; without one, those who were in the flow last, then the newest contacts."""
    reachable = contacts_for(request.member).select_related("company")
    if search:
        return list(reachable.filter(pk__in=contacts_matching(search)).order_by("-pk")[:OFFERED])
    inside = Participant.objects.filter(flow_id=flow.pk).order_by("-pk").values_list("contact_id", flat=True)
    recent = list(dict.fromkeys(inside[:OFFERED]))
    known = {contact.pk: contact for contact in reachable.filter(pk__in=recent)}
    found = [known[pk] for pk in recent if pk in known]
    others = reachable.exclude(pk__in=known).order_by("-pk")[: OFFERED - len(found)]
    return [*found, *others]
