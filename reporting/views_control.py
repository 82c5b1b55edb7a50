"""View flow: who is held out as the control group, and who of them met success all the same."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from core.paging import keyset_page
from crm.models import Contact
from participants.control import held_out_contacts
from participants.flow_page import flow_page

SUCCESS = {"met": True, "not-met": False}


@require_safe
@needs(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)
def held_out(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """List those held out, newest first. Three queries, whatever their number."""
    page = flow_page(request, flow_id)
    chosen = request.GET.get("success", "")
    listed = keyset_page(
        held_out_contacts(flow_id, success=SUCCESS.get(chosen)), by=["-id"], query=request.GET
    )
    people = Contact.objects.filter(pk__in=[row.contact_id for row in listed.rows]).select_related("company")
    known = {contact.pk: contact for contact in people}
    context = {
        "page": page,
        "tab": "reports",
        "success": chosen if chosen in SUCCESS else "",
        "tabs": [("", "All"), ("met", "With success"), ("not-met", "Without success")],
        "listed": listed,
        "rows": [(row, known.get(row.contact_id)) for row in listed.rows],
    }
    return render(request, "reporting/held_out.html", context)
