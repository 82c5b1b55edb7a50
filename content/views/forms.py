"""The forms of a tenant: list, new, fields, settings, actions, preview, open and close, copy, delete."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Licence
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from content import queries_form
from content.django_forms.form import FormActionsForm, NewFormForm, SettingsForm
from content.flows_above import hidden_flows, repeats
from content.forms.document import FormDocument
from content.forms.page import form_url
from content.models import Form
from content.operations import forms as operations
from content.views.library import WRITERS
from core.paging import keyset_page
from crm.operations.usage import InUse, uses_of
from crm.refusals import in_use


def get_form(form_id: int) -> Form:
    """Return a form that was not deleted, or raise Http404."""
    form = Form.objects.filter(pk=form_id, deleted_at=None).select_related("managed_by", "updated_by").first()
    if form is None:
        raise Http404
    return form


@require_safe
@needs(*WRITERS)
def forms(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the forms by name."""
    search = request.GET.get("q", "")[:120]
    page = keyset_page(queries_form.forms(search), by=["name", "id"], query=request.GET)
    counts = queries_form.counts_of(page.rows)
    lines = [(form, counts.get(form.pk, queries_form.Counts())) for form in page.rows]
    manages = queries_form.managed_forms(request.member).exists()
    context = {"page": page, "lines": lines, "search": search, "manages": manages}
    return render(request, "content/forms.html", context)


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Begin a form; its maker's group manages it until another is chosen."""
    form = NewFormForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        group = request.member.group
        name = " ".join(form.cleaned_data["name"].split())
        try:
            made = operations.create_form(
                name=name, actor=request.user, now=tenant_now(request.tenant.pk), managed_by=group
            )
        except operations.FormNameTaken as taken:
            form.add_error("name", str(taken))
        else:
            return redirect(turl(request.tenant, "content:form", made.pk))
    return render(request, "content/form_new.html", {"form": form}, status=422 if form.is_bound else 200)


def form_context(request: TenantRequest, it: Form, current: str, **more: Any) -> dict[str, Any]:
    """Return what every page of a form's editor needs."""
    hidden = hidden_flows(request.member)
    uses = [u for u in uses_of("form", it.pk) if u.user_kind != "flow" or u.user_id not in hidden]
    document = operations.document_of(it)
    return {
        "it": it, "document": document, "current": current, "public_url": form_url(it), "uses": uses,
        "repeats": repeats(request.member, "form", it.pk, document.actions),
        "problems": operations.form_problems(document),
        "may_process": queries_form.managed_forms(request.member).filter(pk=it.pk).exists(),
        "counts": queries_form.counts_of([it]).get(it.pk, queries_form.Counts()), **more,
    }  # fmt: skip


def save_document(request: TenantRequest, it: Form, document: FormDocument) -> None:
    """Save what a page began with its revision; raises FormRefused."""
    began = request.POST.get("revision", "")
    operations.save_form(
        form_id=it.pk,
        document=document,
        revision=int(began) if began.isdecimal() else it.revision,
        actor=request.user,
        now=tenant_now(request.tenant.pk),
    )


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def settings(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show the form's settings; a POST saves them."""
    it = get_form(form_id)
    document = operations.document_of(it)
    zone = ZoneInfo(request.tenant.timezone)
    editing = SettingsForm(
        form=it,
        document=document,
        zone=zone,
        tenant_language=request.tenant.language,
        data=request.POST if request.method == "POST" else None,
    )
    if editing.is_bound and editing.is_valid():
        try:
            with transaction.atomic():
                save_document(request, it, editing.document())
                _change(request, it, editing)
        except operations.FormNameTaken as taken:
            editing.add_error("name", str(taken))
        except operations.FormRefused as refused:
            editing.add_error(None, str(refused))
        else:
            messages.success(request, "Settings saved.")
            return redirect(turl(request.tenant, "content:form_settings", it.pk))
    context = form_context(request, it, "settings", form=editing, zone=request.tenant.timezone)
    return render(request, "content/form_settings.html", context, status=422 if editing.is_bound else 200)


def _change(request: TenantRequest, it: Form, editing: SettingsForm) -> None:
    given = editing.cleaned_data
    operations.change_form(
        form_id=it.pk,
        name=" ".join(given["name"].split()),
        managed_by=editing.group(),
        closes_at=given["closes_at"],
        closes_after=given["closes_after"],
        actor=request.user,
        now=tenant_now(request.tenant.pk),
    )


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def actions(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show what happens when a submission is processed; a POST saves it."""
    it = get_form(form_id)
    document = operations.document_of(it)
    editing = FormActionsForm(
        request.POST if request.method == "POST" else None,
        actions=document.actions,
        has_service=Licence.Code.SERVICE in request.member.licences,
    )
    failed = editing.is_bound and not editing.is_redraw
    if failed and editing.is_valid():
        changed = document.model_copy(update={"actions": editing.form_actions()})
        try:
            save_document(request, it, changed)
        except operations.FormRefused as refused:
            editing.add_error(None, str(refused))
        else:
            messages.success(request, "Actions saved.")
            return redirect(turl(request.tenant, "content:form_actions", it.pk))
    context = form_context(request, it, "actions", form=editing)
    return render(request, "content/form_actions.html", context, status=422 if failed else 200)


@require_safe
@needs(*WRITERS)
def preview(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show the page as people outside see it; it sends nothing."""
    return render(request, "content/form_preview.html", form_context(request, get_form(form_id), "preview"))


@require_POST
@needs(*WRITERS)
def switch(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Open or close the form."""
    it = get_form(form_id)
    now = tenant_now(request.tenant.pk)
    try:
        if request.POST.get("open") == "yes":
            operations.open_form(form_id=it.pk, actor=request.user, now=now)
        else:
            operations.close_form(form_id=it.pk, actor=request.user, now=now)
    except operations.FormNotReady as refused:
        messages.error(request, str(refused))
    return redirect(turl(request.tenant, "content:form", it.pk))


@require_POST
@needs(*WRITERS)
def copy(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Copy a form; the copy is closed."""
    it = get_form(form_id)
    made = operations.copy_form(form_id=it.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    messages.success(request, f"Copied as “{made.name}”.")
    return redirect(turl(request.tenant, "content:form", made.pk))


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def delete(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Delete a form that nothing uses."""
    it = get_form(form_id)
    try:
        operations.delete_form(form_id=it.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    except InUse as used:
        messages.error(request, in_use(used))
        return redirect(turl(request.tenant, "content:form", it.pk))
    messages.success(request, f"“{it.name}” deleted.")
    return redirect(turl(request.tenant, "content:forms"))
