"""A contact's sales and requests: tabs of its page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.http import TenantRequest
from accounts.rights import DataObject
from core.paging import keyset_page
from crm.queries.desk import RELATED, may, requests_for, sales_for
from crm.queries.reach import get_contact
from crm.views.contact import contact_tabs
from crm.views.desk import open_to


@open_to(DataObject.SALE)
@require_GET
def contact_sales(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """List a contact's sales, newest first."""
    contact = get_contact(request.member, contact_id)
    rows = sales_for(request.member).filter(contact=contact).select_related(*RELATED, "stage")
    context = {
        "contact": contact,
        "tabs": contact_tabs(request, contact, "Sales"),
        "page": keyset_page(rows, by=["-id"], query=request.GET),
        "may_create": may(request.member, DataObject.SALE, "create"),
    }
    return render(request, "crm/sales/of_contact.html", context)


@open_to(DataObject.REQUEST)
@require_GET
def contact_requests(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """List a contact's requests, newest first."""
    contact = get_contact(request.member, contact_id)
    rows = requests_for(request.member).filter(contact=contact)
    context = {
        "contact": contact,
        "tabs": contact_tabs(request, contact, "Requests"),
        "page": keyset_page(
            rows.select_related(*RELATED, "category", "priority"), by=["-id"], query=request.GET
        ),
        "may_create": may(request.member, DataObject.REQUEST, "create"),
    }
    return render(request, "crm/requests/of_contact.html", context)
