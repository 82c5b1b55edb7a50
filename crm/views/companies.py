"""Companies: the list, a company's page with its form and contacts, and making one."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach
from accounts.urls_for import turl
from core.paging import keyset_page
from crm import search
from crm.forms.contact import CompanyForm
from crm.models import Company
from crm.operations.companies import CompanyNameTaken, create_company, edit_company
from crm.queries.desk_lists import company_desk
from crm.queries.listing import find_ids
from crm.queries.reach import companies_for, contacts_for, get_company
from crm.views.to_flow import add_to_flow_url

_SORTS = {"name": ["name_norm", "id"], "-name": ["-name_norm", "-id"]}


@require_GET
def companies(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the companies within the member's reach."""
    if request.member.reach(DataObject.COMPANY, "read") == Reach.NONE:
        raise Http404
    words = request.GET.get("q", "").strip()[:200]
    found = companies_for(request.member).select_related("category", "our_contact")
    if words:
        found = found.filter(pk__in=find_ids(search.COMPANY, words))
    sort = request.GET.get("sort", "name")
    page = keyset_page(found, by=_SORTS.get(sort, _SORTS["name"]), query=request.GET)
    here = Company.objects.filter(pk__in=[company.pk for company in page.rows])
    people = Count("contacts", filter=Q(contacts__deleted_at=None))
    sizes = dict(here.order_by().annotate(people=people).values_list("pk", "people"))
    context = {
        "page": page,
        "rows": [(company, sizes.get(company.pk, 0)) for company in page.rows],
        "words": words,
        "sort": sort,
        "may_create": request.member.reach(DataObject.COMPANY, "create") != Reach.NONE,
    }
    return render(request, "crm/companies.html", context)


@require_http_methods(["GET", "POST"])
def company(request: TenantRequest, tenant: str, company_id: int) -> HttpResponse:
    """Show a company: its fields, as a form for those who may change them, and its contacts."""
    shown = get_company(request.member, company_id)
    may_edit = companies_for(request.member, "update").filter(pk=company_id).exists()
    if request.method == "POST" and not may_edit:
        raise Http404
    country = shown.country or request.tenant.country
    form = CompanyForm(request.POST if request.method == "POST" else None, company=shown, country=country)
    if request.method == "POST" and form.is_valid():
        try:
            edit_company(
                company_id=shown.pk,
                name=form.cleaned_data["name"],
                changes=form.changes(),
                now=tenant_now(request.tenant.pk),
                actor_id=request.user.pk,
                country=form.cleaned_data.get("company_country") or country,
            )
        except CompanyNameTaken as taken:
            form.add_error("name", str(taken))
        else:
            messages.success(request, "Company saved.")
            return redirect(turl(request.tenant, "crm:company", shown.pk))
    people = contacts_for(request.member).filter(company=shown)
    context = {
        "company": shown,
        "form": form,
        "may_edit": may_edit,
        "page": keyset_page(people, by=["name_norm", "id"], query=request.GET),
        "may_create": request.member.reach(DataObject.CONTACT, "create") != Reach.NONE,
        "add_to_flow": add_to_flow_url(request, company=shown.pk),
        **company_desk(request.member, shown),
    }
    return render(request, "crm/company.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a company."""
    if request.member.reach(DataObject.COMPANY, "create") == Reach.NONE:
        raise Http404
    country = request.tenant.country
    form = CompanyForm(request.POST if request.method == "POST" else None, country=country)
    if request.method == "POST" and form.is_valid():
        try:
            made = create_company(
                name=form.cleaned_data["name"],
                changes=form.changes(),
                now=tenant_now(request.tenant.pk),
                actor_id=request.user.pk,
                country=form.cleaned_data.get("company_country") or country,
            )
        except CompanyNameTaken as taken:
            form.add_error("name", str(taken))
        else:
            messages.success(request, f"{made} created.")
            return redirect(turl(request.tenant, "crm:company", made.pk))
    return render(request, "crm/company_new.html", {"form": form}, status=422 if form.is_bound else 200)
