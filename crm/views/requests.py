"""Requests: the list, a request's page with its log, registering one, and what may be done to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject
from accounts.urls_for import turl
from core.paging import keyset_page
from crm.bulk.requests import NewRequest, UnknownRequestChoice
from crm.criteria.choices import users
from crm.forms.requests import MessageForm, RequestForm
from crm.models import Contact, Request
from crm.operations import requests as operations
from crm.operations.desk import ContactGone, NoSuchOwner
from crm.queries.desk import get_request, may, owners_for, requests_for, seen_contacts
from crm.queries.desk_lists import find_requests, read_filter
from crm.views.desk import candidates, chosen_contact, home_of, open_to

REFUSALS = (UnknownRequestChoice, NoSuchOwner, ContactGone)


@open_to(DataObject.REQUEST)
@require_GET
def requests(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the requests within the member's reach."""
    asked = read_filter(request.GET, Request.Status.values)
    page = keyset_page(find_requests(request.member, asked), by=["-id"], query=request.GET)
    context = {
        "page": page,
        "seen": seen_contacts(request.member, page.rows),
        "asked": asked,
        "statuses": Request.Status.choices,
        "owners": [one for one in users() if not one.retired],
        "may_create": may(request.member, DataObject.REQUEST, "create"),
    }
    return render(request, "crm/requests/list.html", context)


@open_to(DataObject.REQUEST, "create")
@require_http_methods(["GET", "POST"])
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Register a request of a contact (`?contact=`); without one, choose the contact first."""
    contact = chosen_contact(request)
    if contact is None:
        context: dict[str, Any] = {"candidates": candidates(request), "q": request.GET.get("q", "")}
        return render(request, "crm/requests/choose_contact.html", context)
    within = owners_for(request.member, DataObject.REQUEST, "create")
    form = RequestForm(request.POST if request.method == "POST" else None, within=within)
    if request.method == "POST" and form.is_valid():
        try:
            made = _register(request, contact, form)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Request registered.")
            return redirect(home_of(request, made, requests_for(request.member), "request"))
    context = {"form": form, "contact": contact}
    return render(request, "crm/requests/new.html", context, status=422 if form.is_bound else 200)


def _register(request: TenantRequest, contact: Contact, form: RequestForm) -> Request:
    return operations.register_request(
        request=NewRequest(
            contact_id=contact.pk,
            message=form.cleaned_data["message"],
            automatic=form.is_automatic,
            author_id=request.user.pk,
            form_key=form.cleaned_data["form_key"],
            **form.values(),
        ),
        now=tenant_now(request.tenant.pk),
        actor_id=request.user.pk,
    )


@open_to(DataObject.REQUEST)
@require_http_methods(["GET", "POST"])
def one(request: TenantRequest, tenant: str, request_id: int) -> HttpResponse:
    """Show a request with its log, its fields as a form for those who may change it."""
    shown = get_request(request.member, request_id)
    may_edit = requests_for(request.member, "update").filter(pk=request_id).exists()
    if request.method == "POST" and not may_edit:
        raise Http404
    form = RequestForm(request.POST if request.method == "POST" else None, request=shown)
    if request.method == "POST" and form.is_valid():
        try:
            _update(request, shown, form)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Request saved.")
            return redirect(home_of(request, shown, requests_for(request.member), "request"))
    return _page(request, shown, form, MessageForm(), may_edit=may_edit, status=422 if form.is_bound else 200)


def _update(request: TenantRequest, shown: Request, form: RequestForm) -> None:
    told: dict[str, Any] = {
        "request_id": shown.pk,
        "now": tenant_now(request.tenant.pk),
        "actor_id": request.user.pk,
    }
    operations.update_request(values=form.values(), **told)
    if form.is_automatic:
        operations.assign_by_rule(**told)


def _page(
    request: TenantRequest,
    shown: Request,
    form: RequestForm,
    message_form: MessageForm,
    *,
    may_edit: bool,
    status: int,
) -> HttpResponse:
    context = {
        "shown": shown,
        "form": form,
        "message_form": message_form,
        "log": shown.messages.select_related("author").order_by("at", "id")[:500],
        "may_edit": may_edit,
        "may_delete": requests_for(request.member, "remove").filter(pk=shown.pk).exists(),
        "seen": seen_contacts(request.member, [shown]),
    }
    return render(request, "crm/requests/request.html", context, status=status)


@open_to(DataObject.REQUEST)
@require_POST
def message(request: TenantRequest, tenant: str, request_id: int) -> HttpResponse:
    """Write into the log."""
    shown = get_request(request.member, request_id, "update")
    form = MessageForm(request.POST)
    if not form.is_valid():
        return _page(request, shown, RequestForm(request=shown), form, may_edit=True, status=422)
    operations.add_message(
        request_id=shown.pk,
        body=form.cleaned_data["body"],
        is_note=form.cleaned_data["is_note"],
        now=tenant_now(request.tenant.pk),
        author=request.user,
        form_key=form.cleaned_data["form_key"],
    )
    return redirect(turl(request.tenant, "crm:request", shown.pk))


@open_to(DataObject.REQUEST)
@require_POST
def request_do(request: TenantRequest, tenant: str, request_id: int) -> HttpResponse:
    """Close, postpone, reopen or take a request."""
    shown = get_request(request.member, request_id, "update")
    values: dict[str, dict[str, Any]] = {
        "close": {"status": Request.Status.CLOSED},
        "postpone": {"status": Request.Status.POSTPONED},
        "reopen": {"status": Request.Status.OPEN},
        "take": {"owner_id": request.member.user_id},
    }
    do = request.POST.get("do", "")
    if do not in values:
        raise Http404
    operations.update_request(
        request_id=shown.pk, values=values[do], now=tenant_now(request.tenant.pk), actor_id=request.user.pk
    )
    return redirect(turl(request.tenant, "crm:request", shown.pk))


@open_to(DataObject.REQUEST, "remove")
@require_POST
def request_delete(request: TenantRequest, tenant: str, request_id: int) -> HttpResponse:
    """Delete a request with its log."""
    shown = get_request(request.member, request_id, "remove")
    now = tenant_now(request.tenant.pk)
    operations.delete_request(request_id=shown.pk, now=now, actor=request.user)
    messages.success(request, "Request deleted.")
    return redirect(turl(request.tenant, "crm:requests"))
