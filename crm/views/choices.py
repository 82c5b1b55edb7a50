"""Settings: types, stages, categories and priorities of sales and requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Licence, Membership
from accounts.urls_for import turl
from crm.forms.choices import FORMS, NamedForm
from crm.models import SaleStage, SaleType, Usage
from crm.models.choices import NamedChoice
from crm.operations import choices as operations
from crm.operations.choices import KINDS, SALE_TYPES, STAGES, ChoiceKind
from crm.operations.desk import NoSuchOwner
from crm.operations.lists import AlreadyListed, HasRecords, move_row
from crm.operations.usage import InUse
from crm.refusals import in_use
from crm.views.lists import EDITORS


def _kind(member: Membership, slug: str) -> ChoiceKind:
    """Return the list of a slug; 404 where there is none, or the tenant has no licence for it."""
    if slug not in KINDS or KINDS[slug] not in _open_kinds(member):
        raise Http404
    return KINDS[slug]


def _open_kinds(member: Membership) -> list[ChoiceKind]:
    sales, service = Licence.Code.SALES in member.licences, Licence.Code.SERVICE in member.licences
    return [kind for slug, kind in KINDS.items() if (sales if slug.startswith("sale-") else service)]


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def choices(request: TenantRequest, tenant: str, choice_list: str = "") -> HttpResponse:
    """Show one of the lists; add an entry to it."""
    first = next((kind.slug for kind in _open_kinds(request.member)), "")
    kind = _kind(request.member, choice_list or first)
    if kind is STAGES:
        raise Http404
    form = _form(kind, request)
    if request.method == "POST" and form.is_valid() and _save(request, kind, form, None) is not None:
        return redirect(turl(request.tenant, "crm:choices", kind.slug))
    return _page(request, kind, form, None)


def _form(kind: ChoiceKind, request: TenantRequest, choice: NamedChoice | None = None) -> NamedForm:
    form = FORMS.get(kind.slug, NamedForm)
    return form(request.POST if request.method == "POST" else None, choice=choice)


def _save(
    request: TenantRequest,
    kind: ChoiceKind,
    form: NamedForm,
    choice: NamedChoice | None,
    type_id: int | None = None,
) -> NamedChoice | None:
    try:
        return operations.save_choice(
            kind=kind,
            choice_id=choice.pk if choice else None,
            values=form.values(),
            actor=request.user,
            type_id=type_id,
        )
    except AlreadyListed as refusal:
        form.add_error("name", str(refusal))
    except NoSuchOwner as refusal:
        form.add_error("owner_id", str(refusal))
    return None


def _rows(kind: ChoiceKind, type_id: int | None = None) -> list[Any]:
    rows: Any = kind.model._default_manager.order_by("retired", "rank", "name")
    return list(rows.filter(type=type_id) if kind is STAGES else rows)


def _page(
    request: TenantRequest, kind: ChoiceKind, form: NamedForm, choice: NamedChoice | None
) -> HttpResponse:
    rows = _rows(kind)
    context = {
        "kind": kind,
        "rows": rows,
        "choice": choice,
        "form": form,
        "uses": _uses(kind, rows),
        "tabs": _tabs(request, kind),
    }
    return render(request, "crm/choices/list.html", context, status=422 if form.is_bound else 200)


def _uses(kind: ChoiceKind, rows: list[Any]) -> dict[int, list[Usage]]:
    found: dict[int, list[Usage]] = {}
    ids = [row.pk for row in rows]
    for use in Usage.objects.filter(used_kind=kind.usage, used_id__in=ids).order_by("user_name", "id"):
        found.setdefault(use.used_id, []).append(use)
    return found


def _tabs(request: TenantRequest, current: ChoiceKind) -> list[dict[str, object]]:
    return [
        {
            "name": kind.title,
            "url": turl(request.tenant, "crm:choices", kind.slug),
            "current": kind is current,
        }
        for kind in _open_kinds(request.member)
        if kind is not STAGES
    ]


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def choice(request: TenantRequest, tenant: str, choice_list: str, choice_id: int) -> HttpResponse:
    """Change one entry; a sale type's page also shows its stages."""
    kind = _kind(request.member, choice_list)
    row = get_object_or_404(kind.model._default_manager.all(), pk=choice_id)
    form = _form(kind, request, row)
    if request.method == "POST" and form.is_valid() and _save(request, kind, form, row) is not None:
        messages.success(request, f"{row.name} saved.")
        return redirect(_back(request, kind, row))
    stages = _rows(STAGES, row.pk) if kind is SALE_TYPES else []
    context = {
        "kind": kind,
        "choice": row,
        "form": form,
        "back": _back(request, kind, row),
        "stages": stages,
        "uses": _uses(STAGES, stages),
        "stage_form": FORMS[STAGES.slug]() if kind is SALE_TYPES else None,
    }
    return render(request, "crm/choices/choice.html", context, status=422 if form.is_bound else 200)


def _back(request: TenantRequest, kind: ChoiceKind, row: NamedChoice) -> str:
    if isinstance(row, SaleStage):
        return turl(request.tenant, "crm:choice", SALE_TYPES.slug, row.type_id)
    return turl(request.tenant, "crm:choices", kind.slug)


@needs(*EDITORS)
@require_http_methods(["POST"])
def stage_new(request: TenantRequest, tenant: str, sale_type_id: int) -> HttpResponse:
    """Add a stage to a sale type."""
    kind = _kind(request.member, STAGES.slug)
    sale_type = get_object_or_404(SaleType.objects.all(), pk=sale_type_id)
    form = _form(kind, request)
    if form.is_valid() and _save(request, kind, form, None, sale_type.pk) is not None:
        return redirect(turl(request.tenant, "crm:choice", SALE_TYPES.slug, sale_type.pk))
    stages = _rows(STAGES, sale_type.pk)
    context = {
        "kind": SALE_TYPES,
        "choice": sale_type,
        "form": FORMS[SALE_TYPES.slug](choice=sale_type),
        "back": turl(request.tenant, "crm:choices", SALE_TYPES.slug),
        "stages": stages,
        "uses": _uses(STAGES, stages),
        "stage_form": form,
    }
    return render(request, "crm/choices/choice.html", context, status=422)


@needs(*EDITORS)
@require_POST
def choice_do(request: TenantRequest, tenant: str, choice_list: str, choice_id: int) -> HttpResponse:
    """Move, retire, bring back or delete an entry."""
    kind = _kind(request.member, choice_list)
    row = get_object_or_404(kind.model._default_manager.all(), pk=choice_id)
    rows = _rows(kind, row.type_id if isinstance(row, SaleStage) else None)
    told: dict[str, Any] = {"kind": kind, "choice_id": row.pk, "actor": request.user}
    actions: dict[str, Callable[[], None]] = {
        "up": lambda: move_row(rows=rows, row_id=row.pk, up=True),
        "down": lambda: move_row(rows=rows, row_id=row.pk, up=False),
        "retire": lambda: operations.retire_choice(retired=True, **told),
        "bring-back": lambda: operations.retire_choice(retired=False, **told),
        "delete": lambda: operations.delete_choice(**told),
    }
    do, back = request.POST.get("do", ""), _back(request, kind, row)
    if do not in actions:
        raise Http404
    try:
        actions[do]()
    except HasRecords as refusal:
        messages.error(request, str(refusal))
    except InUse as used:
        messages.error(request, in_use(used))
    return redirect(back)
