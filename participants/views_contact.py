"""Flows from a contact's side: the tab on a contact's page, "why not?", and a rep's own contacts in flows."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach, Right
from crm.queries.reach import get_contact
from crm.views.contact import contact_tabs
from flows.models import Flow
from flows.visibility import visible_flows
from participants.asked import number
from participants.flow_page import visible_flow
from participants.models import Participant
from participants.queries_contact import flows_of_contact, my_contacts_in_flows
from participants.why_words import both_answers


@require_GET
def contact_flows(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Show the flows of a contact that the member may see, to everyone; links into flows only to whom they open."""
    contact = get_contact(request.member, contact_id)
    now = tenant_now(request.tenant.pk)
    found = flows_of_contact(member=request.member, contact=contact, now=now)
    inside = {row.flow.pk for row in found if row.participant.status == Participant.Status.ACTIVE}
    others = visible_flows(request.member).exclude(pk__in=inside).order_by("name")
    context = {
        "contact": contact,
        "tabs": contact_tabs(request, contact, "Flows"),
        "rows": found,
        "others": others.only("pk", "name")[:200],
        "may_add": request.member.may(Right.FLOW_ADMINISTRATOR, Right.ADD_TO_FLOWS),
    }
    return render(request, "participants/contact_flows.html", context)


@require_GET
@needs(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)
def why(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Answer why a contact is not in a flow (?flow=id): what was decided, and what would be decided now."""
    contact = get_contact(request.member, contact_id)
    flow = visible_flow(request.member, number(request.GET.get("flow", "")) or 0)
    context = {
        "contact": contact,
        "flow": flow,
        "why": both_answers(flow=flow, contact=contact, now=tenant_now(request.tenant.pk)),
        "is_active": Participant.objects.filter(
            flow_id=flow.pk, contact_id=contact.pk, status=Participant.Status.ACTIVE
        ).first(),
        "open": flow.status != Flow.Status.NOT_RUNNING,
        "may_add": request.member.may(Right.FLOW_ADMINISTRATOR, Right.ADD_TO_FLOWS),
    }
    name = "participants/why_panel.html" if request.htmx else "participants/why.html"
    return render(request, name, context)


@require_GET
def my_contacts(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show the member's own contacts that are (or were) in flows, newest entry first."""
    if request.member.reach(DataObject.CONTACT, "read") == Reach.NONE:
        raise Http404
    everyone = request.GET.get("show") == "all"
    before = number(request.GET.get("before", ""))
    page = my_contacts_in_flows(user_id=request.user.pk, only_active=not everyone, before=before)
    seen = set(
        visible_flows(request.member)
        .filter(pk__in={row.flow.pk for row in page.rows})
        .values_list("pk", flat=True)
    )
    context = {"page": page, "everyone": everyone, "is_first": before is None, "seen": seen}
    return render(request, "participants/my_contacts.html", context)
