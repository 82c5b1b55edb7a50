"""The contact list: search, filter, sort, choose and add to a selection; export; make one."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.audit import write_audit
from accounts.guards import needs, outside_transaction
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach, Right
from accounts.urls_for import turl
from core.csv_out import csv_lines
from core.paging import keyset_page
from core.tenancy import tenant_scope
from crm.forms.contact import ContactForm
from crm.models import Company, Selection
from crm.operations.bulk_add import NotChosen, add_chosen
from crm.operations.contacts import create_contact
from crm.queries import listing
from crm.queries.export import HEADERS, export_rows
from crm.queries.reach import companies_for

SHOWN = ("company", "company__category", "company__our_contact", "category", "our_contact")


@require_GET
def contacts(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the contacts within the member's reach."""
    _may_read(request)
    asked = listing.read_query(request.GET)
    zone = ZoneInfo(request.tenant.timezone)
    found = listing.look_up(request.member, asked, now=tenant_now(request.tenant.pk), zone=zone)
    few = found.few and asked.sort in {"name", "-name"}
    context = {
        "asked": asked,
        "page": keyset_page(
            found.contacts.select_related(*SHOWN), by=asked.order, query=request.GET, few=few
        ),
        "count": found.count,
        "of": listing.count_words(found.count),
        "sort": asked.sort,
        "filtering": bool(asked.criteria.groups),
        "selections": Selection.objects.filter(kind="static").only("pk", "name")[:500],
        "may_create": request.member.reach(DataObject.CONTACT, "create") != Reach.NONE,
        "may_choose": request.member.reach(DataObject.SELECTION, "update") != Reach.NONE,
        "may_merge": request.member.reach(DataObject.CONTACT, "update") != Reach.NONE
        and request.member.reach(DataObject.CONTACT, "remove") != Reach.NONE,
        "query_string": request.META.get("QUERY_STRING", ""),
    }
    return render(request, "crm/contacts.html", context)


def _may_read(request: TenantRequest) -> None:
    if request.member.reach(DataObject.CONTACT, "read") == Reach.NONE:
        raise Http404


@require_POST
def add_to_selection(request: TenantRequest, tenant: str) -> HttpResponse:
    """Add the chosen contacts (or all that match) to a selection, at once or as a job."""
    _may_read(request)
    if request.member.reach(DataObject.SELECTION, "update") == Reach.NONE:
        raise Http404
    every = request.POST.get("every") == "on"
    try:
        done = add_chosen(
            member=request.member,
            contact_ids=[int(number) for number in request.POST.getlist("ids") if number.isdecimal()],
            query=request.POST.get("query", "") if every else None,
            selection_id=int(request.POST["selection"])
            if request.POST.get("selection", "").isdecimal()
            else None,
            new_name=request.POST.get("new_name", "").strip(),
            now=tenant_now(request.tenant.pk),
        )
    except NotChosen as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{turl(request.tenant, 'crm:contacts')}?{_safe(request.POST.get('query', ''))}")
    if done.job is not None:
        messages.info(request, f"The contacts are being added to {done.selection}. You can go on meanwhile.")
    else:
        messages.success(request, f"{done.added:,} added to {done.selection}.")
    return redirect(turl(request.tenant, "crm:selection", done.selection.pk))


@require_POST
@needs(Right.FLOW_ADMINISTRATOR, Right.ADD_TO_FLOWS)
def to_flow(request: TenantRequest, tenant: str) -> HttpResponse:
    """Hand the chosen contacts over to the dialog of the room above."""
    _may_read(request)
    asked = _safe(request.POST.get("query", ""))
    if request.POST.get("every") == "on":
        return redirect(f"{turl(request.tenant, 'participants:add')}?{urlencode({'list': asked})}")
    ids = [number for number in request.POST.getlist("ids") if number.isdecimal()]
    if not ids:
        messages.error(request, "Choose at least one contact.")
        return redirect(f"{turl(request.tenant, 'crm:contacts')}?{asked}")
    query = urlencode([("contact", number) for number in ids])
    return redirect(f"{turl(request.tenant, 'participants:add')}?{query}")


def _safe(query: str) -> str:
    return QueryDict(query).urlencode()


@needs(Right.EXPORT)
@require_GET
@outside_transaction
def export(request: TenantRequest, tenant: str) -> StreamingHttpResponse:
    """Stream the contacts that match as CSV; cells that a spreadsheet would run are made harmless. Audited."""
    asked = listing.read_query(request.GET)
    tenant_id, zone, member = request.tenant.pk, ZoneInfo(request.tenant.timezone), request.member

    def lines() -> Iterator[str]:
        with tenant_scope(tenant_id):
            found = listing.matching(member, asked, now=tenant_now(tenant_id), zone=zone)
            yield from csv_lines(export_rows(found))

    with tenant_scope(tenant_id):
        payload = {"query": request.META.get("QUERY_STRING", "")[:2000], "columns": len(HEADERS)}
        write_audit(
            actor=request.user,
            action="contact.exported",
            object_kind="contact",
            object_id="",
            payload=payload,
        )
    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="contacts.csv"'
    return response


def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a contact."""
    if request.member.reach(DataObject.CONTACT, "create") == Reach.NONE:
        raise Http404
    country = request.tenant.country
    initial_company = _company_asked(request)
    form = ContactForm(request.POST if request.method == "POST" else None, country=country)
    form.initial.setdefault("company", "")
    form.initial["company"] = form.initial["company"] or initial_company
    if request.method == "POST" and form.is_valid():
        contact = create_contact(
            changes=[change for change in form.changes() if change.action != "clear"],
            company_name=form.cleaned_data["company"],
            now=tenant_now(request.tenant.pk),
            actor_id=request.user.pk,
            country=form.cleaned_data.get("contact_country") or country,
        )
        messages.success(request, f"{contact} created.")
        return redirect(turl(request.tenant, "crm:contact", contact.pk))
    return render(request, "crm/contact_new.html", {"form": form}, status=422 if form.is_bound else 200)


def _company_asked(request: TenantRequest) -> str:
    number = request.GET.get("company", "")
    company = companies_for(request.member).filter(pk=int(number)).first() if number.isdecimal() else None
    return company.name if isinstance(company, Company) else ""


@require_GET
def company_names(request: TenantRequest, tenant: str) -> HttpResponse:
    """Offer companies by the beginning of a word, for the contact form's list."""
    _may_read(request)
    found = listing.find_ids("company", request.GET.get("company", ""), limit=20)
    names = (
        companies_for(request.member)
        .filter(pk__in=found)
        .order_by("name_norm")
        .values_list("name", flat=True)
    )
    return render(request, "crm/company_names.html", {"names": list(names[:20])})
