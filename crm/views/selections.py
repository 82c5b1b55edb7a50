"""Dynamic and combined selections: make one, change its rule, see how many are in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from crm.criteria.editor import read_criteria
from crm.criteria.schema import Criteria
from crm.criteria.unseen import unseen_problem
from crm.forms.selections import CombinedForm, DynamicForm, RuleForm
from crm.models import Selection
from crm.operations.clubs import NameTaken
from crm.operations.selections import BadSelection, Rule, change_selection, create_selection
from crm.queries.selections import count_combined
from crm.views.clubs import SELECTIONS

Save = Callable[[str, str, Rule], Selection]


@require_http_methods(["GET", "POST"])
def new_dynamic(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a selection of everyone who matches criteria."""
    return _new(request, dynamic=True)


@require_http_methods(["GET", "POST"])
def new_combined(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a selection of two others."""
    return _new(request, dynamic=False)


def _new(request: TenantRequest, *, dynamic: bool) -> HttpResponse:
    if not SELECTIONS.may(request, "create"):
        raise Http404

    def save(name: str, description: str, rule: Rule) -> Selection:
        now = tenant_now(request.tenant.pk)
        return create_selection(name=name, description=description, rule=rule, actor=request.user, now=now)

    return _page(request, None, dynamic=dynamic, save=save)


@require_http_methods(["GET", "POST"])
def rule(request: TenantRequest, tenant: str, club_id: int) -> HttpResponse:
    """Change name and rule of a dynamic or combined selection."""
    selection: Selection = SELECTIONS.get(request, club_id, "update")
    if selection.is_static:
        raise Http404

    def save(name: str, description: str, rule: Rule) -> Selection:
        return change_selection(selection_id=selection.pk, name=name, description=description, rule=rule)

    return _page(request, selection, dynamic=selection.kind == Selection.Kind.DYNAMIC, save=save)


def _page(request: TenantRequest, selection: Selection | None, *, dynamic: bool, save: Save) -> HttpResponse:
    data = request.POST if request.method == "POST" else None
    kind: type[RuleForm] = DynamicForm if dynamic else CombinedForm
    form = kind(data, selection=selection, readable=SELECTIONS.within(request, "read"))
    criteria = _criteria(request, selection) if dynamic else None
    counted: int | None = None
    if data is not None and (hidden := unseen_problem(criteria, _kept(selection))):
        form.add_error(None, hidden)
    if data is not None and form.is_valid():
        rule = form.rule(criteria)
        if data.get("do") == "count" and not dynamic:
            counted = count_combined(
                rule.left_id, rule.right_id, rule.combine, now=tenant_now(request.tenant.pk)
            )
        else:
            try:
                saved = save(form.cleaned_data["name"], form.cleaned_data["description"], rule)
            except NameTaken as taken:
                form.add_error("name", str(taken))
            except BadSelection as bad:
                for text in bad.problems:
                    form.add_error(None, text)
            else:
                messages.success(request, "Selection saved.")
                return redirect(turl(request.tenant, "crm:selection", saved.pk))
    context: dict[str, Any] = {
        "selection": selection,
        "form": form,
        "dynamic": dynamic,
        "criteria": criteria,
        "counted": counted,
    }
    status = 422 if form.is_bound and counted is None else 200
    return render(request, "crm/selection_rule.html", context, status=status)


def _criteria(request: TenantRequest, selection: Selection | None) -> Criteria:
    return read_criteria(request.POST, "rule") if request.method == "POST" else _kept(selection)


def _kept(selection: Selection | None) -> Criteria:
    return Criteria.model_validate(selection.criteria or {}) if selection else Criteria()
