"""Settings: lists with their values, custom fields, subscription types."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from accounts.urls_for import turl
from crm.forms.small import FieldForm, NameForm, SubscriptionTypeForm
from crm.models import CustomField, ListItem, SubscriptionType, Usage
from crm.operations import lists as operations
from crm.operations.usage import InUse
from crm.refusals import in_use

EDITORS = (Right.MANAGE_LISTS, Right.ADMINISTRATOR)
FIXED = {
    "category": "Categories",
    "business": "Businesses",
    "interest": "Interests",
    "follow_up_type": "Follow-up types",
}


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def lists(request: TenantRequest, tenant: str, list_name: str = "category") -> HttpResponse:
    """Show one list's values; add one."""
    field = _field_of(list_name)
    if field is None and list_name not in FIXED:
        raise Http404
    form = NameForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            operations.add_item(
                list_name="custom" if field else list_name,
                field_id=field.pk if field else None,
                name=form.cleaned_data["name"],
                actor=request.user,
            )
        except operations.AlreadyListed as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect(turl(request.tenant, "crm:list", list_name))
    items = list(_items(list_name))
    context = {
        "list_name": list_name,
        "title": field.name if field else FIXED[list_name],
        "items": items,
        "uses": _uses("list_item", [item.pk for item in items]),
        "form": form,
        "tabs": _tabs(request, list_name),
    }
    return render(request, "crm/lists.html", context, status=422 if form.is_bound else 200)


def _field_of(list_name: str) -> CustomField | None:
    """A list field's values are the list "field-7"."""
    number = list_name.removeprefix("field-")
    if number == list_name or not number.isdecimal():
        return None
    return get_object_or_404(CustomField, pk=int(number), type=CustomField.Type.LIST)


def _items(list_name: str) -> list[ListItem]:
    field = _field_of(list_name)
    same = ListItem.objects.filter(list="custom" if field else list_name, field=field)
    return list(same.order_by("retired", "rank", "name"))


def _tabs(request: TenantRequest, current: str) -> list[dict[str, object]]:
    names = list(FIXED.items())
    names += [(f"field-{f.pk}", f.name) for f in CustomField.objects.filter(type=CustomField.Type.LIST)]
    return [
        {"name": name, "url": turl(request.tenant, "crm:list", key), "current": key == current}
        for key, name in names
    ]


def _uses(kind: str, ids: list[int]) -> dict[int, list[Usage]]:
    found: dict[int, list[Usage]] = {}
    for use in Usage.objects.filter(used_kind=kind, used_id__in=ids).order_by("user_name", "id"):
        found.setdefault(use.used_id, []).append(use)
    return found


@needs(*EDITORS)
@require_POST
def list_item(request: TenantRequest, tenant: str, list_name: str, item_id: int) -> HttpResponse:
    """Rename, move, retire, bring back or delete a value."""
    items = _items(list_name)
    if item_id not in {item.pk for item in items}:
        raise Http404
    do = request.POST.get("do", "")
    actions: dict[str, Callable[[], None]] = {
        "rename": lambda: operations.rename_item(
            item_id=item_id, name=request.POST.get("name", "").strip() or "–", actor=request.user
        ),
        "up": lambda: operations.move_row(rows=items, row_id=item_id, up=True),
        "down": lambda: operations.move_row(rows=items, row_id=item_id, up=False),
        "retire": lambda: operations.retire_item(item_id=item_id, retired=True, actor=request.user),
        "bring-back": lambda: operations.retire_item(item_id=item_id, retired=False, actor=request.user),
        "delete": lambda: operations.delete_item(item_id=item_id, actor=request.user),
    }
    return _do(request, actions, do, turl(request.tenant, "crm:list", list_name))


def _do(request: TenantRequest, actions: dict[str, Callable[[], None]], do: str, back: str) -> HttpResponse:
    if do not in actions:
        raise Http404
    try:
        actions[do]()
    except (operations.AlreadyListed, operations.HasRecords) as refusal:
        messages.error(request, str(refusal))
    except InUse as used:
        messages.error(request, in_use(used))
    return redirect(back)


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def custom_fields(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the tenant's own fields; add one."""
    form = FieldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            operations.add_field(on=data["on"], name=data["name"], type_=data["type"], actor=request.user)
        except operations.AlreadyListed as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"Field {data['name']} added.")
            return redirect(turl(request.tenant, "crm:custom_fields"))
    fields = list(CustomField.objects.all())
    context = {"fields": fields, "form": form, "uses": _uses("custom_field", [field.pk for field in fields])}
    return render(request, "crm/custom_fields.html", context, status=422 if form.is_bound else 200)


@needs(*EDITORS)
@require_POST
def custom_field(request: TenantRequest, tenant: str, field_id: int) -> HttpResponse:
    """Rename, move or delete a custom field."""
    field = get_object_or_404(CustomField, pk=field_id)
    same = list(CustomField.objects.filter(on=field.on))
    actions: dict[str, Callable[[], None]] = {
        "rename": lambda: operations.rename_field(
            field_id=field.pk, name=request.POST.get("name", "").strip() or field.name, actor=request.user
        ),
        "up": lambda: operations.move_row(rows=same, row_id=field.pk, up=True),
        "down": lambda: operations.move_row(rows=same, row_id=field.pk, up=False),
        "delete": lambda: operations.delete_field(field_id=field.pk, actor=request.user),
    }
    return _do(request, actions, request.POST.get("do", ""), turl(request.tenant, "crm:custom_fields"))


@needs(*EDITORS)
@require_http_methods(["GET", "POST"])
def subscription_types(request: TenantRequest, tenant: str, type_id: int | None = None) -> HttpResponse:
    """List the subscription types; add or change one."""
    kind = get_object_or_404(SubscriptionType, pk=type_id) if type_id else None
    initial = {"name": kind.name, "description": kind.description} if kind else {}
    form = SubscriptionTypeForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            operations.save_subscription_type(type_id=type_id, **form.cleaned_data, actor=request.user)
        except operations.AlreadyListed as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, "Subscription type saved.")
            return redirect(turl(request.tenant, "crm:subscription_types"))
    types = list(SubscriptionType.objects.order_by("retired", "rank", "name"))
    context = {
        "types": types,
        "kind": kind,
        "form": form,
        "uses": _uses("subscription_type", [one.pk for one in types]),
    }
    return render(request, "crm/subscription_types.html", context, status=422 if form.is_bound else 200)


@needs(*EDITORS)
@require_POST
def subscription_type_do(request: TenantRequest, tenant: str, type_id: int) -> HttpResponse:
    """Move, retire or bring back a subscription type."""
    kind = get_object_or_404(SubscriptionType, pk=type_id)
    rows = list(SubscriptionType.objects.order_by("retired", "rank", "name"))
    actions: dict[str, Callable[[], None]] = {
        "up": lambda: operations.move_row(rows=rows, row_id=kind.pk, up=True),
        "down": lambda: operations.move_row(rows=rows, row_id=kind.pk, up=False),
        "retire": lambda: operations.retire_subscription_type(
            type_id=kind.pk, retired=True, actor=request.user
        ),
        "bring-back": lambda: operations.retire_subscription_type(
            type_id=kind.pk, retired=False, actor=request.user
        ),
    }
    return _do(request, actions, request.POST.get("do", ""), turl(request.tenant, "crm:subscription_types"))
