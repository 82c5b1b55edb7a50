"""Add to flow: from a selection, a contact or chosen contacts; then how it goes and what the rules decided."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.reach import owners_within_reach
from accounts.rights import DataObject, Reach, Right
from accounts.urls_for import turl
from core.models import Job
from crm.models import Project, Selection
from crm.queries.reach import companies_for, contacts_for
from flows.models import Flow
from flows.visibility import within_sight
from participants.asked import number
from participants.flow_page import status_of
from participants.models import Suggestion
from participants.operations.adding import ADD_TO_FLOW, AT_ONCE, Chosen, FlowClosed, start_adding
from participants.words import verdict_label, verdict_sentence

ADDERS = (Right.FLOW_ADMINISTRATOR, Right.ADD_TO_FLOWS)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is to be added, in words, how many, and where the dialog was opened."""

    title: str
    number: int
    chosen: Chosen
    back: str


@dataclass(frozen=True, slots=True)
class Decided:
    """How many got one verdict."""

    verdict: str
    label: str
    sentence: str
    number: int
    is_enrolled: bool


@require_http_methods(["GET", "POST"])
@needs(*ADDERS)
def add(request: TenantRequest, tenant: str) -> HttpResponse:
    """Choose a flow for ?selection=id, ?project=id, ?company=id, ?contact=id&contact=id… or ?list=<query of the contact
    list>; add them."""
    audience = _audience(request)
    flows = list(
        within_sight(request.member)
        .exclude(status=Flow.Status.NOT_RUNNING)
        .select_related("folder")
        .defer("draft")
        .order_by("name")
    )
    chosen = number(request.POST.get("flow", request.GET.get("flow", "")))
    error = ""
    if request.method == "POST":
        flow = next((flow for flow in flows if flow.pk == chosen), None)
        if flow is None:
            error = "Choose a flow that is running or paused."
        else:
            return _start(request, flow, audience)
    context = {
        "audience": audience,
        "flows": [(flow, status_of(flow)) for flow in flows],
        "chosen": chosen,
        "error": error,
        "token": request.POST.get("token") or uuid.uuid4().hex,
        "in_background": audience.number > AT_ONCE,
    }
    name = "participants/add_dialog.html" if request.htmx else "participants/add.html"
    return render(request, name, context, status=422 if error else 200)


def _start(request: TenantRequest, flow: Flow, audience: Audience) -> HttpResponse:
    try:
        job = start_adding(
            flow_id=flow.pk,
            token=request.POST.get("token", "")[:64] or uuid.uuid4().hex,
            chosen=audience.chosen,
            member=request.member,
            now=tenant_now(request.tenant.pk),
        )
    except FlowClosed as refused:
        messages.error(request, str(refused))
        return redirect(audience.back)
    return redirect(turl(request.tenant, "participants:add_progress", job.pk))


@require_GET
@needs(*ADDERS)
def progress(request: TenantRequest, tenant: str, job_id: int) -> HttpResponse:
    """Show how an adding goes, and when it is over who entered and who did not, by rule."""
    job = Job.objects.filter(pk=job_id, kind=ADD_TO_FLOW.name, created_by=request.user).first()
    if job is None:
        raise Http404
    flow = within_sight(request.member).filter(pk=job.arguments["flow"]).first()
    if flow is None:
        raise Http404
    decided = _decided(job)
    context = {
        "job": job,
        "flow": flow,
        "enrolled": sum(one.number for one in decided if one.is_enrolled),
        "refused": sum(one.number for one in decided if not one.is_enrolled),
        "decided": decided,
        "selection": Selection.objects.filter(pk=job.arguments["selection"] or 0).first(),
        "may_open": request.member.may(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT),
    }
    name = "participants/add_result.html" if request.htmx else "participants/add_progress.html"
    return render(request, name, context)


def _decided(job: Job) -> list[Decided]:
    numbers: dict[str, int] = job.result.get("verdicts", {})
    ordered = sorted(numbers.items(), key=lambda pair: (pair[0] != Suggestion.Verdict.ENROLLED, -pair[1]))
    return [
        Decided(
            verdict,
            verdict_label(verdict),
            verdict_sentence(verdict),
            n,
            verdict == Suggestion.Verdict.ENROLLED,
        )
        for verdict, n in ordered
        if n
    ]


def _audience(request: TenantRequest) -> Audience:
    """Read who is meant; a selection or contact that the member may not see is not there."""
    selection_id = number(request.GET.get("selection", ""))
    if selection_id is not None:
        return _of_selection(request, selection_id)
    project_id, company_id = (number(request.GET.get(name, "")) for name in ("project", "company"))
    if project_id is not None:
        return _of_project(request, project_id)
    if company_id is not None:
        return _of_company(request, company_id)
    if "list" in request.GET:
        return _of_list(request, request.GET["list"])
    ids = [one for text in request.GET.getlist("contact")[:AT_ONCE] if (one := number(text)) is not None]
    contacts = list(contacts_for(request.member).filter(pk__in=ids).order_by("pk"))
    if not contacts:
        raise Http404
    one = len(contacts) == 1
    return Audience(
        title=str(contacts[0]) if one else f"{len(contacts):,} contacts",
        number=len(contacts),
        chosen=Chosen(contact_ids=[contact.pk for contact in contacts]),
        back=turl(request.tenant, "crm:contact", contacts[0].pk)
        if one
        else turl(request.tenant, "crm:contacts"),
    )


def _of_list(request: TenantRequest, query: str) -> Audience:
    """Everyone the contact list's query string finds, within the member's reach."""
    if request.member.reach(DataObject.CONTACT, "read") == Reach.NONE:
        raise Http404
    chosen = Chosen(query=query[:20_000])
    found = chosen.number(request.member, tenant_now(request.tenant.pk))
    back = f"{turl(request.tenant, 'crm:contacts')}?{QueryDict(query).urlencode()}"
    title = f"{found:,} contact{'' if found == 1 else 's'} of the list"
    return Audience(title=title, number=found, chosen=chosen, back=back)


def _of_selection(request: TenantRequest, selection_id: int) -> Audience:
    owners = owners_within_reach(request.member, DataObject.SELECTION, "read")
    selections = Selection.objects.filter(pk=selection_id)
    selection = (selections if owners is None else selections.filter(owner__in=owners)).first()
    if selection is None:
        raise Http404
    chosen = Chosen(selection_id=selection.pk)
    return Audience(
        title=selection.name,
        number=chosen.number(request.member, tenant_now(request.tenant.pk)),
        chosen=chosen,
        back=turl(request.tenant, "crm:selection", selection.pk),
    )


def _of_project(request: TenantRequest, project_id: int) -> Audience:
    """The members of a project, within the member's reach."""
    owners = owners_within_reach(request.member, DataObject.PROJECT, "read")
    projects = Project.objects.filter(pk=project_id)
    project = (projects if owners is None else projects.filter(owner__in=owners)).first()
    if project is None:
        raise Http404
    chosen = Chosen(project_id=project.pk)
    return _within_reach(request, project.name, chosen, turl(request.tenant, "crm:project", project.pk))


def _of_company(request: TenantRequest, company_id: int) -> Audience:
    """The contacts of a company, within the member's reach."""
    company = companies_for(request.member).filter(pk=company_id).first()
    if company is None:
        raise Http404
    chosen = Chosen(company_id=company.pk)
    return _within_reach(
        request, f"the contacts of {company}", chosen, turl(request.tenant, "crm:company", company.pk)
    )


def _within_reach(request: TenantRequest, title: str, chosen: Chosen, back: str) -> Audience:
    if request.member.reach(DataObject.CONTACT, "read") == Reach.NONE:
        raise Http404
    found = chosen.number(request.member, tenant_now(request.tenant.pk))
    return Audience(title=title, number=found, chosen=chosen, back=back)
