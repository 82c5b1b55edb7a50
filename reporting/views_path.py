"""One participant's path on the flow's canvas: choosing whose, the drawing, and what happened at a card."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from flows.canvas import canvas_of
from flows.document import FlowDocument
from flows.queries import NeverSaved, revision_document
from participants.flow_page import FlowPage, flow_page
from participants.models import Participant
from participants.path import path_of
from participants.queries import ParticipantFilter, participants_page
from participants.queries_made import made_at_visits
from participants.queries_story import Story, story_of
from participants.search import contacts_matching
from reporting.views import PEOPLE_SHOWN, VIEWERS


@require_GET
@needs(*VIEWERS)
def choose(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Offer the flow's participants, newest first, or those a search finds."""
    page = flow_page(request, flow_id)
    search = request.GET.get("q", "").strip()[:100]
    narrowed = ParticipantFilter(contact_ids=contacts_matching(search) if search else None)
    rows = participants_page(flow_id=flow_id, narrowed=narrowed, size=PEOPLE_SHOWN).rows
    return render(request, "reporting/panel_path_choose.html", {"page": page, "rows": rows, "search": search})


@require_GET
@needs(*VIEWERS)
def path(request: TenantRequest, tenant: str, flow_id: int, participant_id: int) -> HttpResponse:
    """Draw the path on the newest revision, or on another that the participant met."""
    page = flow_page(request, flow_id)
    story = _story(request, page, participant_id)
    met = sorted({visit.revision for visit in story.visits} | {page.flow.revision}, reverse=True)
    number = _number(request.GET.get("revision", ""), met, page.flow.revision)
    drawn = path_of(story, _document(flow_id, number), number)
    context = {
        "page": page,
        "tab": "flow",
        "story": story,
        "canvas": canvas_of(_document(flow_id, number), linked=True, trail=drawn.trail),
        "elsewhere": drawn.elsewhere,
        "revision": number,
        "revisions": met,
    }
    return render(request, "reporting/path.html", context)


@require_GET
@needs(*VIEWERS)
def part(request: TenantRequest, tenant: str, flow_id: int, participant_id: int) -> HttpResponse:
    """Tell in the side panel what happened at one card, or at the split that a branch belongs to."""
    page = flow_page(request, flow_id)
    story = _story(request, page, participant_id)
    kind, _, name = request.GET.get("part", "").partition(":")
    visits = [visit for visit in story.visits if kind in {"step", "branch"} and _is_at(visit, kind, name)]
    context = {
        "page": page,
        "story": story,
        "end": kind if kind in {"start", "finish"} else "",
        "visits": visits,
        "made": made_at_visits(member=request.member, participant=story.participant) if visits else {},
    }
    return render(request, "reporting/panel_path.html", context)


def _is_at(visit: object, kind: str, name: str) -> bool:
    try:
        wanted = uuid.UUID(name)
    except ValueError:
        raise Http404 from None
    return bool(getattr(visit, f"{kind}_id") == wanted)


def _story(request: TenantRequest, page: FlowPage, participant_id: int) -> Story:
    found = Participant.objects.filter(pk=participant_id, flow_id=page.flow.pk).first()
    if found is None:
        raise Http404
    return story_of(flow=page.flow, participant=found, now=tenant_now(request.tenant.pk))


def _document(flow_id: int, number: int) -> FlowDocument:
    try:
        return revision_document(flow_id, number)
    except NeverSaved:
        raise Http404 from None


def _number(text: str, met: list[int], newest: int) -> int:
    if not text:
        return newest
    if not (text.isascii() and text.isdigit()) or int(text[:9]) not in met:
        raise Http404
    return int(text)
