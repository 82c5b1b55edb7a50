"""Scripts: the list, the editor, the runs that failed, deleting."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from content import queries_script as queries
from content.models import Script
from content.operations.scripts import (
    LONGEST,
    STARTER,
    ScriptChanged,
    ScriptRefused,
    delete_script,
    save_script,
)
from core.paging import keyset_page
from crm.operations.usage import InUse, uses_of
from crm.refusals import in_use

_OF_CONTACT = (
    "first_name, last_name, name, email, mobile, phone, job_title, country, language, date_of_birth, category, "
    "business, interests (a list), custom (by key)"
)
FACTS = (
    ("contact", _OF_CONTACT),
    ("company", "name, phone, website, country, category, business, custom"),
    ("our_contact, service_contact", "first_name, last_name, name, email"),
    ("event", "what the trigger’s event carried"),
    ("flow", "id, name"),
    ("today", "the day in the flow’s timezone, as 2026-11-24"),
)


class ScriptForm(forms.Form):
    """A script as it is written."""

    name = forms.CharField(max_length=120)
    description = forms.CharField(max_length=250, required=False)
    source = forms.CharField(
        label="Script",
        max_length=LONGEST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 22, "spellcheck": "false"}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput)


def get_script(script_id: int) -> Script:
    """Return a script that was not deleted, or raise Http404."""
    script = (
        Script.objects.select_related("current", "updated_by").filter(pk=script_id, deleted_at=None).first()
    )
    if script is None:
        raise Http404
    return script


@require_safe
@needs(Right.FLOW_ADMINISTRATOR)
def scripts(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the scripts by name."""
    found = Script.objects.filter(deleted_at=None).select_related("updated_by")
    page = keyset_page(found, by=["name", "id"], query=request.GET)
    failing = queries.failing(page.rows, now=tenant_now(request.tenant.pk))
    lines = [(script, failing.get(script.pk, 0)) for script in page.rows]
    return render(request, "content/scripts.html", {"page": page, "lines": lines})


@needs(Right.FLOW_ADMINISTRATOR)
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Write a script."""
    return _editor(request, None)


@needs(Right.FLOW_ADMINISTRATOR)
def edit(request: TenantRequest, tenant: str, script_id: int) -> HttpResponse:
    """Show and save a script."""
    return _editor(request, get_script(script_id))


def _editor(request: TenantRequest, script: Script | None) -> HttpResponse:
    initial = {"source": STARTER, "revision": 0}
    if script is not None and script.current is not None:
        initial = {"name": script.name, "description": script.description, "source": script.current.source,
                   "revision": script.revision}  # fmt: skip
    form = ScriptForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = _saved(request, script, form)
        if saved is not None:
            messages.success(request, f"“{saved.name}” is saved.")
            return redirect(turl(request.tenant, "content:script", saved.pk))
    page = {
        "form": form,
        "script": script,
        "facts": FACTS,
        "uses": uses_of("script", script.pk) if script else [],
        "failing": _failing(request, script) if script else 0,
    }
    return render(request, "content/script.html", page, status=422 if form.errors else 200)


def _failing(request: TenantRequest, script: Script) -> int:
    return queries.failing([script], now=tenant_now(request.tenant.pk)).get(script.pk, 0)


@require_safe
@needs(Right.FLOW_ADMINISTRATOR)
def failures(request: TenantRequest, tenant: str, script_id: int) -> HttpResponse:
    """Show for whom the script failed after a click or an answered form, and why."""
    script = get_script(script_id)
    found = queries.failures(script, now=tenant_now(request.tenant.pk))
    page = keyset_page(found, by=["-at", "-id"], query=request.GET)
    context = {
        "script": script,
        "page": page,
        "lines": queries.failed_runs(page.rows, member=request.member),
        "failing": _failing(request, script),
    }
    return render(request, "content/script_failures.html", context)


def _saved(request: TenantRequest, script: Script | None, form: ScriptForm) -> Script | None:
    try:
        return save_script(
            script_id=script.pk if script else None,
            **form.cleaned_data,
            actor=request.user,
            now=tenant_now(request.tenant.pk),
        )
    except ScriptRefused as refused:
        form.add_error(refused.field, str(refused))
    except ScriptChanged as changed:
        form.add_error(None, str(changed))
    return None


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def delete(request: TenantRequest, tenant: str, script_id: int) -> HttpResponse:
    """Delete a script that no step names."""
    script = get_script(script_id)
    try:
        delete_script(script_id=script.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    except InUse as used:
        messages.error(request, in_use(used))
        return redirect(turl(request.tenant, "content:script", script.pk))
    messages.success(request, f"“{script.name}” is deleted.")
    return redirect(turl(request.tenant, "content:scripts"))
