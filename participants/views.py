"""Pages of a flow's participants: the table, its export, one participant's story, and what can be done to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import write_audit
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.csv_out import csv_lines
from core.tenancy import tenant_scope
from flows.models import Step
from participants.export import HEADINGS, export_rows
from participants.flow_page import flow_page, visible_flow
from participants.forms import REPORT_FIELDS, ActForm, Asked, Targets, asked
from participants.models import Participant
from participants.operations import handing_on, members, moving_on
from participants.queries import COMPLETED, participants_page
from participants.queries_made import made_at_visits
from participants.queries_story import story_of
from participants.report_words import report_words

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
    """Show the participants of a flow, newest first, narrowed by status, step, reason and search."""
    page = flow_page(request, flow_id)
    wanted = asked(request.GET, request.member)
    rows = participants_page(
        flow_id=flow_id, narrowed=wanted.as_filter(), before=wanted.before, after=wanted.after
    )
    context = {
        "page": page,
        "tab": "participants",
        "asked": wanted,
        "rows": rows,
        "statuses": [*Participant.Status.choices, (COMPLETED, "Completed (both)")],
        "reasons": page.figures.dropped_by,
        "by_visit": _by_visit(flow_id, wanted) if wanted.by_visit else "",
        "by_report": report_words(wanted),
        "report_fields": [(name, request.GET[name]) for name in REPORT_FIELDS if request.GET.get(name)],
        "steps": Step.objects.filter(flow_id=flow_id, removed_at=None),
        "targets": Targets.of(page.flow, request.member) if page.may_run else None,
    }
    return render(request, "participants/participants.html", context)


def _by_visit(flow_id: int, wanted: Asked) -> str:
    """Say what a number of the canvas asked for."""
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


VERBS: dict[str, Any] = {
    "take_out": members.take_out,
    "move_on": moving_on.move_on_now,
    "retry": moving_on.retry,
    "add_to_selection": handing_on.add_to_selection,
    "suggest": handing_on.suggest_for_flow,
    "remove": members.remove_from_flow,
}


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def act(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Take the chosen participants out, move them on, or remove them from the flow; then show the table again."""
    flow = visible_flow(request.member, flow_id)
    form = ActForm(request.POST, Targets.of(flow, request.member))
    if not form.is_valid():
        said = [str(error) for name in ("selection", "flow") for error in form.errors.get(name, ())]
        messages.warning(request, " ".join(said) or "Choose at least one participant.")
        return redirect(_back(request, flow_id))
    try:
        count = VERBS[form.cleaned_data["action"]](
            flow_id=flow.pk,
            participant_ids=form.cleaned_data["ids"],
            actor=request.user,
            now=tenant_now(request.tenant.pk),
            **form.target,
        )
    except (moving_on.NobodyMoves, handing_on.NoSuchTarget) as refused:
        messages.warning(request, str(refused))
        return redirect(_back(request, flow_id))
    messages.success(request, _told(form.cleaned_data["action"], count))
    return redirect(_back(request, flow_id))


NOBODY = {
    "": "Nothing changed: nobody chosen is active any more.",
    "add_to_selection": "Nothing changed: they are all in the selection.",
    "suggest": "Nobody entered: the other flow's rules kept them out.",
    "retry": "Nothing changed: nobody chosen stands at a step that failed.",
}


def _told(action: str, count: int) -> str:
    people = f"{count:,} participant{'' if count == 1 else 's'}"
    done = {
        "take_out": "taken out",
        "move_on": "moved on",
        "retry": "will be tried again",
        "add_to_selection": "added to the selection",
        "suggest": "entered the other flow",
        "remove": "removed from the flow",
    }
    return f"{people} {done[action]}." if count else NOBODY.get(action, NOBODY[""])


def _back(request: TenantRequest, flow_id: int) -> str:
    """Return to where the list was, never to another site."""
    base = turl(request.tenant, "participants:participants", flow_id)
    query = request.POST.get("query", "")
    one = request.POST.get("participant", "")
    if one.isdigit() and request.POST.get("action") != "remove":
        return turl(request.tenant, "participants:participant", flow_id, int(one))
    return f"{base}?{query.lstrip('?')}" if query.startswith("?") and "\n" not in query else base
