"""Start, pause, resume and end a flow. A refused start leads back to the flow, which lists what stands in the way."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.localtime import moment
from flows.operations import lifecycle
from flows.queries import has_unsaved_changes, newest_document
from participants.dialogs import form_dialog, go
from participants.flow_page import flow_page, visible_flow
from participants.operations.lifecycle import end_flow


def _back(request: TenantRequest, flow_id: int) -> str:
    """Return to where the button was: the list of flows, the designer, or the flow."""
    match request.POST.get("back", ""):
        case "list":
            return turl(request.tenant, "reporting:flows")
        case "designer":
            return turl(request.tenant, "flows:edit", flow_id)
    return turl(request.tenant, "reporting:flow", flow_id)


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def run(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Start a flow, or resume a paused one. A second click changes nothing. Asks first where the draft has changes:
    what runs is the newest revision, without them."""
    flow = visible_flow(request.member, flow_id)
    was_paused = flow.status == flow.Status.PAUSED
    if request.POST.get("as_saved") != str(flow.revision) and has_unsaved_changes(flow):
        back = request.POST.get("back", "")
        context = {
            "page": flow_page(request, flow_id),
            "tab": "summary",
            "verb": "Resume" if was_paused else "Start",
            "back": back if back == "list" else "",
        }
        return render(request, "participants/run.html", context)
    here = turl(request.tenant, "reporting:flow", flow.pk)
    try:
        lifecycle.start(flow_id=flow.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    except lifecycle.NotReady as refused:
        number = len(refused.problems)
        messages.error(request, f"Not started: {number} thing{'' if number == 1 else 's'} to fix first.")
        return redirect(f"{here}?problems=1")
    except lifecycle.WrongStatus as refused:
        messages.warning(request, str(refused))
        return redirect(_back(request, flow.pk))
    messages.success(request, f"{flow.name} is running{' again' if was_paused else ''}.")
    return redirect(_back(request, flow.pk))


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def pause(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Pause a running flow: people are still enrolled, nobody moves, messages wait."""
    flow = visible_flow(request.member, flow_id)
    try:
        lifecycle.pause(flow_id=flow.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    except lifecycle.WrongStatus as refused:
        messages.warning(request, str(refused))
    else:
        messages.success(request, f"{flow.name} is paused. New participants wait, nobody moves.")
    return redirect(_back(request, flow.pk))


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def end(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Ask first, naming how many become cancelled; then end the flow."""
    page = flow_page(request, flow_id)
    if request.method == "GET":
        name = "participants/end_dialog.html" if request.htmx else "participants/end.html"
        back = request.GET.get("back", "")
        context = {"page": page, "tab": "summary", "back": back if back in {"list", "designer"} else ""}
        return render(request, name, context)
    ended = end_flow(flow_id=flow_id, actor=request.user, now=tenant_now(request.tenant.pk))
    people = f"{ended.cancelled:,} active participant{'' if ended.cancelled == 1 else 's'} became cancelled"
    more = "; the others follow in the background" if ended.goes_on else ""
    messages.success(request, f"{page.flow.name} has ended. {people}{more}.")
    return redirect(_back(request, flow_id))


class StartTimeForm(forms.Form):
    """When a flow that waits for it begins, by the flow's clocks; nothing means now."""

    starts_at = forms.DateTimeField(
        label="Start time",
        required=False,
        help_text="Leave it empty to begin now.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )


@require_http_methods(["GET", "POST"])
@needs(Right.FLOW_ADMINISTRATOR)
def start_time(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Ask for another start time of a running flow that waits for it, and change it."""
    flow = visible_flow(request.member, flow_id)
    zone = newest_document(flow.pk).settings.zone if flow.revision else ZoneInfo("UTC")
    shown = flow.starts_at.astimezone(zone).replace(tzinfo=None) if flow.starts_at else None
    form = StartTimeForm(request.POST or None, initial={"starts_at": shown})
    here = turl(request.tenant, "reporting:flow", flow.pk)
    if request.method == "POST" and form.is_valid() and _changed_start(request, flow.pk, form, zone):
        return go(request, here)
    text = f"{flow.name} waits for its start time. Its clocks are those of {zone.key.replace('_', ' ')}."
    return form_dialog(request, title="Change the start time", form=form, verb="Change", back=here, text=text)


def _changed_start(request: TenantRequest, flow_id: int, form: StartTimeForm, zone: ZoneInfo) -> bool:
    """Change it and say so; False where the form has to say what is wrong."""
    local, now = form.cleaned_data["starts_at"], tenant_now(request.tenant.pk)
    at = moment(local.date(), local.time(), zone) if local else None
    try:
        flow = lifecycle.change_start(flow_id=flow_id, starts_at=at, actor=request.user, now=now)
    except lifecycle.NotReady as refused:
        form.add_error("starts_at", ". ".join(problem.message for problem in refused.problems[:3]))
        return False
    except lifecycle.WrongStatus as refused:
        messages.warning(request, str(refused))
        return True
    waits = lifecycle.begins_later(flow, now=now)
    messages.success(request, "Start time changed." if waits else f"{flow.name} has begun.")
    return True
