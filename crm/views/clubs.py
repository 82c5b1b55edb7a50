"""Selections and projects: both are named groups of contacts, so they share their pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.reach import owners_within_reach
from accounts.rights import DataObject, Reach
from accounts.urls_for import turl
from core.models import Job
from core.paging import keyset_page
from crm import search
from crm.criteria.describe import describe
from crm.criteria.schema import Criteria
from crm.forms.small import ClubForm
from crm.models import Project, Selection
from crm.operations.bulk_add import ADD_TO_SELECTION
from crm.operations.clubs import NameTaken, change_club, change_members, create_club, delete_club
from crm.operations.usage import InUse, uses_of
from crm.queries.listing import find_ids
from crm.queries.reach import contacts_for
from crm.queries.selections import MOST_COUNTED, count_members, members_of, size_of
from crm.refusals import in_use
from crm.views.to_flow import add_to_flow_url

View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class RuleText:
    """The rule of a selection in words: criteria, or how A and B are combined."""

    heading: str
    text: str
    left: Selection | None = None
    right: Selection | None = None


@dataclass(frozen=True)
class ClubPages:
    """The pages of one kind of club."""

    model: Any
    kind: DataObject
    word: str
    words: str
    icon: str
    text: str

    def within(self, request: TenantRequest, verb: str) -> Any:
        """Return the clubs within the member's reach; those without an owner are everybody's."""
        owners = owners_within_reach(request.member, self.kind, verb)
        clubs = self.model.objects.select_related("owner")
        return clubs if owners is None else clubs.filter(Q(owner=None) | Q(owner__in=owners))

    def get(self, request: TenantRequest, club_id: int, verb: str = "read") -> Any:
        """Return a club, or raise Http404."""
        if request.member.reach(self.kind, verb) == Reach.NONE:
            raise Http404
        found = self.within(request, verb).filter(pk=club_id).first()
        if found is None:
            raise Http404
        return found

    def may(self, request: TenantRequest, verb: str) -> bool:
        """Say whether the member may at all."""
        return request.member.reach(self.kind, verb) != Reach.NONE

    def context(self, **more: Any) -> dict[str, Any]:
        """Return what every page of this kind shows."""
        urls = {
            "url_list": f"crm:{self.words}",
            "url_one": f"crm:{self.word}",
            "url_members": f"crm:{self.word}_members",
            "url_delete": f"crm:{self.word}_delete",
        }
        return {
            "word": self.word,
            "words": self.words,
            "icon_name": self.icon,
            "text": self.text,
            **urls,
            **more,
        }


SELECTIONS = ClubPages(
    Selection,
    DataObject.SELECTION,
    "selection",
    "selections",
    "list-checks",
    "A selection holds contacts that belong together: the people of a campaign, say.",
)
PROJECTS = ClubPages(
    Project,
    DataObject.PROJECT,
    "project",
    "projects",
    "kanban",
    "A project holds the contacts that take part in something you run.",
)


def _list(pages: ClubPages) -> View:
    @require_http_methods(["GET", "POST"])
    def view(request: TenantRequest, tenant: str) -> HttpResponse:
        """List the clubs; make a new one."""
        if not pages.may(request, "read"):
            raise Http404
        form = ClubForm(request.POST if request.method == "POST" else None)
        if request.method == "POST":
            if not pages.may(request, "create"):
                raise Http404
            if form.is_valid():
                try:
                    made = create_club(
                        model=pages.model,
                        **form.cleaned_data,
                        actor=request.user,
                        now=tenant_now(request.tenant.pk),
                    )
                except NameTaken as taken:
                    form.add_error("name", str(taken))
                else:
                    return redirect(turl(request.tenant, f"crm:{pages.word}", made.pk))
        words = request.GET.get("q", "").strip()[:100]
        found = pages.within(request, "read").annotate(size=size_of(pages.model)).order_by("name", "pk")
        if words:
            found = found.filter(name__icontains=words)
        context = pages.context(
            clubs=found[:500], form=form, q=words, may_create=pages.may(request, "create"), most=MOST_COUNTED
        )
        return render(request, "crm/clubs.html", context, status=422 if form.is_bound else 200)

    return view


def _page(pages: ClubPages) -> View:
    @require_http_methods(["GET", "POST"])
    def view(request: TenantRequest, tenant: str, club_id: int) -> HttpResponse:
        """Show a club with its members; rename it."""
        club = pages.get(request, club_id)
        may_edit = (
            pages.may(request, "update") and pages.within(request, "update").filter(pk=club_id).exists()
        )
        form = ClubForm(
            request.POST if request.method == "POST" else None,
            initial={"name": club.name, "description": club.description},
        )
        if request.method == "POST":
            if not may_edit:
                raise Http404
            if form.is_valid():
                try:
                    change_club(model=pages.model, club_id=club.pk, **form.cleaned_data)
                except NameTaken as taken:
                    form.add_error("name", str(taken))
                else:
                    messages.success(request, "Saved.")
                    return redirect(turl(request.tenant, f"crm:{pages.word}", club.pk))
        return render(request, "crm/club.html", _club_context(pages, request, club, form, may_edit=may_edit))

    return view


def _club_context(
    pages: ClubPages, request: TenantRequest, club: Any, form: ClubForm, *, may_edit: bool
) -> dict[str, Any]:
    lookup = f"{pages.words}__{pages.word}"
    now = tenant_now(request.tenant.pk)
    takes = pages is PROJECTS or club.is_static
    readable = contacts_for(request.member)
    members = readable.filter(**{lookup: club}) if takes else readable & members_of(club, now=now)
    words = request.GET.get("q", "").strip()[:100]
    candidates = []
    if words and may_edit and takes:
        ids = find_ids(search.CONTACT, words, limit=200)
        others = contacts_for(request.member).filter(pk__in=ids).exclude(**{lookup: club})
        candidates = list(others.select_related("company").order_by("name_norm", "pk")[:20])
    job = None
    if pages is SELECTIONS:
        open_jobs = Job.objects.filter(kind=ADD_TO_SELECTION.name, status__in=["waiting", "running"])
        job = open_jobs.filter(arguments__selection=club.pk).first()
    return pages.context(
        club=club,
        form=form,
        may_edit=may_edit,
        may_add=may_edit and takes,
        rule=_rule_text(club) if not takes else None,
        may_delete=pages.may(request, "remove")
        and pages.within(request, "remove").filter(pk=club.pk).exists(),
        page=keyset_page(members.select_related("company"), by=["name_norm", "id"], query=request.GET),
        count=club.members.count() if takes else count_members(club, now=now),
        uses=uses_of(pages.word, club.pk),
        q=words,
        candidates=candidates,
        job=job,
        add_to_flow=add_to_flow_url(request, **{pages.word: club.pk}),
    )


def _rule_text(selection: Selection) -> RuleText:
    """Say what decides who is in a dynamic or combined selection."""
    if selection.kind == Selection.Kind.DYNAMIC:
        return RuleText("Everyone who matches", describe(Criteria.model_validate(selection.criteria)))
    return RuleText(selection.get_combine_display(), "", selection.left, selection.right)


def _members(pages: ClubPages) -> View:
    @require_POST
    def view(request: TenantRequest, tenant: str, club_id: int) -> HttpResponse:
        """Add or remove members by id."""
        club = pages.get(request, club_id, "update")
        if pages is SELECTIONS and not club.is_static:
            raise Http404
        ids = [int(number) for number in request.POST.getlist("ids") if number.isdecimal()][:1_000]
        allowed = list(contacts_for(request.member).filter(pk__in=ids).values_list("pk", flat=True))
        adding = request.POST.get("do") == "add"
        count = change_members(
            model=pages.model,
            club_id=club.pk,
            add=allowed if adding else (),
            remove=() if adding else allowed,
            actor=request.user,
            now=tenant_now(request.tenant.pk),
        )
        messages.success(request, f"{count} {'added' if adding else 'removed'}.")
        return redirect(turl(request.tenant, f"crm:{pages.word}", club.pk))

    return view


def _delete(pages: ClubPages) -> View:
    @require_POST
    def view(request: TenantRequest, tenant: str, club_id: int) -> HttpResponse:
        """Delete a club that nothing uses."""
        club = pages.get(request, club_id, "remove")
        try:
            delete_club(model=pages.model, club_id=club.pk, actor=request.user)
        except InUse as used:
            messages.error(request, in_use(used))
            return redirect(turl(request.tenant, f"crm:{pages.word}", club.pk))
        messages.success(request, f"{club.name} deleted. Its members are still contacts.")
        return redirect(turl(request.tenant, f"crm:{pages.words}"))

    return view


selections, projects = _list(SELECTIONS), _list(PROJECTS)
selection, project = _page(SELECTIONS), _page(PROJECTS)
selection_members, project_members = _members(SELECTIONS), _members(PROJECTS)
selection_delete, project_delete = _delete(SELECTIONS), _delete(PROJECTS)
