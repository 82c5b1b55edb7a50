"""Sales: the list, a sale's page with its form, making one, and what may be done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject
from accounts.urls_for import turl
from core.paging import keyset_page
from crm.bulk.sales import NewSale, UnknownSaleChoice
from crm.criteria.choices import users
from crm.currencies import currency_of
from crm.forms.sales import ReasonForm, SaleForm
from crm.models import Contact, Sale
from crm.operations import sales as operations
from crm.operations.desk import ContactGone, NoSuchOwner
from crm.queries.desk import get_sale, may, owners_for, sales_for, seen_contacts
from crm.queries.desk_lists import SALE_SORTS, find_sales, read_filter
from crm.views.desk import candidates, chosen_contact, home_of, open_to

REFUSALS = (UnknownSaleChoice, NoSuchOwner, ContactGone)


@open_to(DataObject.SALE)
@require_GET
def sales(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the sales within the member's reach."""
    asked = read_filter(request.GET, Sale.Status.values)
    page = keyset_page(find_sales(request.member, asked), by=SALE_SORTS[asked.sort], query=request.GET)
    context = {
        "page": page,
        "seen": seen_contacts(request.member, page.rows),
        "asked": asked,
        "statuses": Sale.Status.choices,
        "owners": [one for one in users() if not one.retired],
        "may_create": may(request.member, DataObject.SALE, "create"),
    }
    return render(request, "crm/sales/list.html", context)


@open_to(DataObject.SALE, "create")
@require_http_methods(["GET", "POST"])
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a sale for a contact (`?contact=`); without one, choose the contact first."""
    contact = chosen_contact(request)
    if contact is None:
        context: dict[str, Any] = {"candidates": candidates(request), "q": request.GET.get("q", "")}
        return render(request, "crm/sales/choose_contact.html", context)
    form = SaleForm(
        request.POST if request.method == "POST" else None,
        owner_id=request.member.user_id,
        within=owners_for(request.member, DataObject.SALE, "create"),
        currency=currency_of(request.tenant.country),
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = _create(request, contact, form)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Sale created.")
            return redirect(home_of(request, made, sales_for(request.member), "sale"))
    context = {"form": form, "contact": contact}
    return render(request, "crm/sales/new.html", context, status=422 if form.is_bound else 200)


def _create(request: TenantRequest, contact: Contact, form: SaleForm) -> Sale:
    now = tenant_now(request.tenant.pk)
    return operations.create_sale(
        sale=NewSale(contact_id=contact.pk, form_key=form.cleaned_data["form_key"], **form.values()),
        now=now,
        today=now.astimezone(ZoneInfo(request.tenant.timezone)).date(),
        actor_id=request.user.pk,
    )


@open_to(DataObject.SALE)
@require_http_methods(["GET", "POST"])
def sale(request: TenantRequest, tenant: str, sale_id: int) -> HttpResponse:
    """Show a sale, as a form for those who may change it."""
    shown = get_sale(request.member, sale_id)
    may_edit = sales_for(request.member, "update").filter(pk=sale_id).exists()
    if request.method == "POST" and not may_edit:
        raise Http404
    form = SaleForm(request.POST if request.method == "POST" else None, sale=shown)
    if request.method == "POST" and form.is_valid():
        try:
            operations.update_sale(
                sale_id=shown.pk,
                values=form.changes(shown),
                now=tenant_now(request.tenant.pk),
                actor_id=request.user.pk,
            )
        except REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Sale saved.")
            return redirect(home_of(request, shown, sales_for(request.member), "sale"))
    context: dict[str, Any] = {
        "sale": shown,
        "form": form,
        "may_edit": may_edit,
        "may_delete": sales_for(request.member, "remove").filter(pk=sale_id).exists(),
        "seen": seen_contacts(request.member, [shown]),
        "stages": shown.type.stages.filter(retired=False),
        "reason_form": ReasonForm(),
    }
    return render(request, "crm/sales/sale.html", context, status=422 if form.is_bound else 200)


_SAID = {
    "sell": "Sale won.",
    "lose": "Sale lost.",
    "stall": "Sale stalled.",
    "reopen": "Sale reopened.",
    "stage": "Stage changed.",
}


@open_to(DataObject.SALE)
@require_POST
def sale_do(request: TenantRequest, tenant: str, sale_id: int) -> HttpResponse:
    """Sell, lose, stall or reopen a sale, or move it to another stage."""
    shown = get_sale(request.member, sale_id, "update")
    told: dict[str, Any] = {
        "sale_id": shown.pk,
        "now": tenant_now(request.tenant.pk),
        "actor_id": request.user.pk,
    }
    reason = request.POST.get("reason", "")[:200]
    stage = request.POST.get("stage", "")
    actions: dict[str, Callable[[], bool]] = {
        "sell": lambda: operations.sell(**told),
        "lose": lambda: operations.lose(reason=reason, **told),
        "stall": lambda: operations.stall(reason=reason, **told),
        "reopen": lambda: operations.reopen(**told),
        "stage": lambda: operations.change_stage(stage_id=int(stage), **told),
    }
    do = request.POST.get("do", "")
    if do not in actions or (do == "stage" and not (stage.isdecimal() and len(stage) < 19)):
        raise Http404
    try:
        if actions[do]():
            messages.success(request, _SAID[do])
    except UnknownSaleChoice as refusal:
        messages.error(request, str(refusal))
    return redirect(turl(request.tenant, "crm:sale", shown.pk))


@open_to(DataObject.SALE, "remove")
@require_POST
def sale_delete(request: TenantRequest, tenant: str, sale_id: int) -> HttpResponse:
    """Delete a sale."""
    shown = get_sale(request.member, sale_id, "remove")
    operations.delete_sale(sale_id=shown.pk, now=tenant_now(request.tenant.pk), actor=request.user)
    messages.success(request, "Sale deleted.")
    return redirect(turl(request.tenant, "crm:sales"))
