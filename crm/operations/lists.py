"""The lists that an administrator edits, custom fields and subscription types: add, rename, order, retire, delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify

from accounts.audit import write_audit
from accounts.models import User
from core.text import norm
from crm.models import Contact, ContactInterest, CustomField, FollowUp, ListItem, SubscriptionType
from crm.models.company import Company
from crm.models.custom import CompanyFieldValue, ContactFieldValue
from crm.operations.usage import check_unused


class AlreadyListed(ValueError):
    """The list has this name already."""


class HasRecords(ValueError):
    """Contacts or companies have this value, so it can be retired but not deleted."""


@transaction.atomic
def add_item(*, list_name: str, field_id: int | None, name: str, actor: User) -> ListItem:
    """Add a value at the end of a list. Raises AlreadyListed."""
    cleaned = " ".join(name.split())[:120]
    same = ListItem.objects.filter(list=list_name, field_id=field_id)
    if same.filter(name_norm=norm(cleaned)).exists():
        raise AlreadyListed(f"The list has {cleaned!r} already.")
    last = same.aggregate(last=models.Max("rank"))["last"]
    item = ListItem.objects.create(
        list=list_name, field_id=field_id, name=cleaned, name_norm=norm(cleaned), rank=(last or 0) + 1
    )
    _audit(actor, "list_item.added", "list_item", item.pk, cleaned)
    return item


@transaction.atomic
def rename_item(*, item_id: int, name: str, actor: User) -> None:
    """Rename a value everywhere. Raises AlreadyListed."""
    item = ListItem.objects.select_for_update().get(pk=item_id)
    cleaned = " ".join(name.split())[:120]
    same = ListItem.objects.filter(list=item.list, field_id=item.field_id, name_norm=norm(cleaned))
    if same.exclude(pk=item_id).exists():
        raise AlreadyListed(f"The list has {cleaned!r} already.")
    old, item.name, item.name_norm = item.name, cleaned, norm(cleaned)
    item.save(update_fields=["name", "name_norm"])
    _audit(actor, "list_item.renamed", "list_item", item_id, cleaned, {"name": [old, cleaned]})


@transaction.atomic
def retire_item(*, item_id: int, retired: bool, actor: User) -> None:
    """Retire a value (old uses keep working, nobody can choose it anew) or bring it back."""
    item = ListItem.objects.select_for_update().get(pk=item_id)
    item.retired = retired
    item.save(update_fields=["retired"])
    action = "list_item.retired" if retired else "list_item.brought_back"
    _audit(actor, action, "list_item", item_id, item.name)


@transaction.atomic
def delete_item(*, item_id: int, actor: User) -> None:
    """Delete a value that nothing uses. Raises InUse (flows) or HasRecords (contacts, companies)."""
    item = ListItem.objects.select_for_update().get(pk=item_id)
    check_unused("list_item", item_id, item.name)
    holders: list[tuple[type[models.Model], str]] = [
        (Contact, "category"),
        (Contact, "business"),
        (Company, "category"),
        (Company, "business"),
        (ContactInterest, "item"),
        (ContactFieldValue, "value_item"),
        (CompanyFieldValue, "value_item"),
        (FollowUp, "type"),
    ]
    if any(model._default_manager.filter(**{name: item}).exists() for model, name in holders):
        raise HasRecords(
            f"Contacts, companies or follow-ups have {item.name}. Retire it instead: nobody can choose it then."
        )
    try:
        item.delete()
    except ProtectedError as error:
        raise HasRecords(f"{item.name} is used. Retire it instead.") from error
    _audit(actor, "list_item.deleted", "list_item", item_id, item.name)


@transaction.atomic
def move_row(*, rows: Sequence[Any], row_id: int, up: bool) -> None:
    """Move a row of an ordered list one place; ranks are written anew."""
    order = list(rows)
    index = next((i for i, row in enumerate(order) if row.pk == row_id), None)
    if index is None:
        return
    other = index - 1 if up else index + 1
    if 0 <= other < len(order):
        order[index], order[other] = order[other], order[index]
    for rank, row in enumerate(order):
        if row.rank != rank:
            row.rank = rank
            row.save(update_fields=["rank"])


@transaction.atomic
def add_field(*, on: str, name: str, type_: str, actor: User) -> CustomField:
    """Add a custom field; its key is made from the name and stays. Raises AlreadyListed."""
    cleaned = " ".join(name.split())[:80]
    if CustomField.objects.filter(on=on, name=cleaned).exists():
        raise AlreadyListed(f"There is a field {cleaned!r} already.")
    root = slugify(cleaned)[:34] or "field"
    taken = set(CustomField.objects.filter(on=on).values_list("key", flat=True))
    key = next(key for n in range(1, 10_000) if (key := root if n == 1 else f"{root}-{n}") not in taken)
    field = CustomField.objects.create(on=on, key=key, name=cleaned, type=type_, rank=len(taken))
    _audit(actor, "custom_field.added", "custom_field", field.pk, cleaned)
    return field


@transaction.atomic
def rename_field(*, field_id: int, name: str, actor: User) -> None:
    """Rename a custom field; its key and type stay. Raises AlreadyListed."""
    field = CustomField.objects.select_for_update().get(pk=field_id)
    cleaned = " ".join(name.split())[:80]
    if CustomField.objects.filter(on=field.on, name=cleaned).exclude(pk=field_id).exists():
        raise AlreadyListed(f"There is a field {cleaned!r} already.")
    field.name = cleaned
    field.save(update_fields=["name"])
    _audit(actor, "custom_field.renamed", "custom_field", field_id, cleaned)


@transaction.atomic
def delete_field(*, field_id: int, actor: User) -> None:
    """Delete a custom field with all its values. Raises InUse."""
    field = CustomField.objects.select_for_update().get(pk=field_id)
    check_unused("custom_field", field_id, field.name)
    for item_id in field.items.values_list("pk", flat=True):
        check_unused("list_item", item_id, field.name)
    ContactFieldValue.objects.filter(field=field).delete()
    CompanyFieldValue.objects.filter(field=field).delete()
    field.delete()
    _audit(actor, "custom_field.deleted", "custom_field", field_id, field.name)


@transaction.atomic
def save_subscription_type(
    *, type_id: int | None, name: str, description: str, actor: User
) -> SubscriptionType:
    """Add a subscription type, or change one. Raises AlreadyListed."""
    cleaned = " ".join(name.split())[:80]
    if SubscriptionType.objects.filter(name=cleaned).exclude(pk=type_id or 0).exists():
        raise AlreadyListed(f"There is a subscription type {cleaned!r} already.")
    values = {"name": cleaned, "description": description[:250]}
    if type_id is None:
        rank = SubscriptionType.objects.count()
        kind = SubscriptionType.objects.create(**values, rank=rank)
    else:
        SubscriptionType.objects.filter(pk=type_id).update(**values)
        kind = SubscriptionType.objects.get(pk=type_id)
    _audit(actor, "subscription_type.saved", "subscription_type", kind.pk, cleaned)
    return kind


@transaction.atomic
def retire_subscription_type(*, type_id: int, retired: bool, actor: User) -> None:
    """Retire a type (flows that use it go on, new ones cannot choose it) or bring it back."""
    kind = SubscriptionType.objects.select_for_update().get(pk=type_id)
    kind.retired = retired
    kind.save(update_fields=["retired"])
    action = "subscription_type.retired" if retired else "subscription_type.brought_back"
    _audit(actor, action, "subscription_type", type_id, kind.name)


def _audit(
    actor: User, action: str, kind: str, object_id: int, name: str, payload: dict[str, Any] | None = None
) -> None:
    write_audit(
        actor=actor, action=action, object_kind=kind, object_id=object_id, object_name=name, payload=payload
    )
