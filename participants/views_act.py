"""What is done to the participants of a flow from their list: to the chosen ones here and now, to all that match as a
job that may be watched."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.models import Job
from flows.models import Flow
from participants.flow_page import flow_page, visible_flow
from participants.forms import ActForm, Targets
from participants.operations import handing_on, moving_on
from participants.operations.many import ACT_ON_MANY, VERBS, start_acting


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def act(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Do something to the chosen participants, then show the table again; to all that match, then show how far."""
    flow = visible_flow(request.member, flow_id)
    form = ActForm(request.POST, Targets.of(flow, request.member))
    if not form.is_valid():
        said = [str(error) for name in ("selection", "flow") for error in form.errors.get(name, ())]
        messages.warning(request, " ".join(said) or "Choose at least one participant.")
        return redirect(_back(request, flow_id))
    if form.cleaned_data["every"]:
        return _act_on_all(request, flow, form)
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


def _act_on_all(request: TenantRequest, flow: Flow, form: ActForm) -> HttpResponse:
    job = start_acting(
        flow=flow,
        action=form.cleaned_data["action"],
        target=form.target,
        query=request.POST.get("query", "").lstrip("?"),
        token=form.cleaned_data["token"] or uuid.uuid4().hex,
        member=request.member,
        now=tenant_now(request.tenant.pk),
    )
    return redirect(turl(request.tenant, "participants:act_progress", flow.pk, job.pk))


@require_GET
@needs(Right.FLOW_ADMINISTRATOR)
def progress(request: TenantRequest, tenant: str, flow_id: int, job_id: int) -> HttpResponse:
    """Show how far what was begun for all that match is, and what came of it."""
    page = flow_page(request, flow_id)
    job = Job.objects.filter(pk=job_id, kind=ACT_ON_MANY.name, arguments__flow=flow_id).first()
    if job is None:
        raise Http404
    context = {
        "page": page,
        "tab": "participants",
        "job": job,
        "doing": DOING[job.arguments["action"]],
        "told": _told(job.arguments["action"], int(job.result.get("changed", 0))),
        "query": job.arguments["query"],
    }
    name = "participants/act_result.html" if request.htmx else "participants/act_progress.html"
    return render(request, name, context)


DOING = {
    "take_out": "Taking participants out",
    "move_on": "Moving participants on",
    "retry": "Trying again",
    "add_to_selection": "Adding to the selection",
    "suggest": "Suggesting for the other flow",
    "remove": "Removing participants from the flow",
}
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
