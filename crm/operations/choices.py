"""Types, stages, categories and priorities of sales and requests: add, change, order, retire, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from accounts.audit import write_audit
from accounts.models import Group, User
from crm.models import Request, RequestCategory, RequestPriority, RequestType, Sale, SaleStage, SaleType
from crm.models.choices import NamedChoice
from crm.operations.desk import check_owner
from crm.operations.lists import AlreadyListed, HasRecords
from crm.operations.usage import check_unused


@dataclass(frozen=True, slots=True)
class ChoiceKind:
    """One of these lists: its model, what it is called, and what has its entries."""

    slug: str
    model: type[NamedChoice]
    usage: str
    word: str
    title: str
    held_by: tuple[type[models.Model], str]


SALE_TYPES = ChoiceKind("sale-types", SaleType, "sale_type", "sale type", "Sale types", (Sale, "type"))
STAGES = ChoiceKind("sale-stages", SaleStage, "sale_stage", "stage", "Stages", (Sale, "stage"))
KINDS: dict[str, ChoiceKind] = {
    kind.slug: kind
    for kind in (
        SALE_TYPES,
        STAGES,
        ChoiceKind(
            "request-types", RequestType, "request_type", "request type", "Request types", (Request, "type")
        ),
        ChoiceKind(
            "request-categories",
            RequestCategory,
            "request_category",
            "category",
            "Request categories",
            (Request, "category"),
        ),
        ChoiceKind(
            "request-priorities",
            RequestPriority,
            "request_priority",
            "priority",
            "Request priorities",
            (Request, "priority"),
        ),
    )
}


@transaction.atomic
def save_choice(
    *,
    kind: ChoiceKind,
    choice_id: int | None,
    values: Mapping[str, Any],
    actor: User,
    type_id: int | None = None,
) -> NamedChoice:
    """Add an entry at the end, or change one; `values` are its columns, `type_id` the type of a new stage.

    Raises AlreadyListed, or NoSuchOwner for a rule's user who is no active member.
    """
    model: Any = kind.model
    name = " ".join(str(values["name"]).split())[:80]
    choice: Any = model.objects.select_for_update().get(pk=choice_id) if choice_id else model()
    if kind is STAGES and not choice_id:
        choice.type = SaleType.objects.get(pk=type_id or 0)
    same = model.objects.filter(type=choice.type) if kind is STAGES else model.objects.all()
    if same.filter(name=name).exclude(pk=choice_id or 0).exists():
        raise AlreadyListed(f"There is a {kind.word} {name!r} already.")
    _check_rule(values)
    for column, value in {**values, "name": name}.items():
        setattr(choice, column, value)
    if not choice_id:
        choice.rank = (same.aggregate(last=models.Max("rank"))["last"] or 0) + 1
    choice.save()
    _audit(actor, kind, "saved", choice)
    return choice  # type: ignore[no-any-return]


def _check_rule(values: Mapping[str, Any]) -> None:
    check_owner(values.get("owner_id"))
    group_id = values.get("group_id")
    if group_id is not None:
        Group.objects.get(pk=group_id)


@transaction.atomic
def retire_choice(*, kind: ChoiceKind, choice_id: int, retired: bool, actor: User) -> None:
    """Retire an entry (what has it keeps it, nobody can choose it anew) or bring it back."""
    choice = kind.model._default_manager.select_for_update().get(pk=choice_id)
    choice.retired = retired
    choice.save(update_fields=["retired"])
    _audit(actor, kind, "retired" if retired else "brought_back", choice)


@transaction.atomic
def delete_choice(*, kind: ChoiceKind, choice_id: int, actor: User) -> None:
    """Delete an entry that nothing has or uses. Raises InUse (flows) or HasRecords (sales, requests)."""
    choice = kind.model._default_manager.select_for_update().get(pk=choice_id)
    check_unused(kind.usage, choice_id, choice.name)
    _check_held(kind, choice)
    if isinstance(choice, SaleType):
        for stage in choice.stages.all():
            check_unused(STAGES.usage, stage.pk, f"{choice.name}: {stage.name}")
    choice.delete()
    _audit(actor, kind, "deleted", choice, choice_id)


def _check_held(kind: ChoiceKind, choice: NamedChoice) -> None:
    holder, column = kind.held_by
    if holder._default_manager.filter(**{column: choice.pk}).exists():
        words = holder._meta.verbose_name_plural
        raise HasRecords(
            f"There are {words} with {choice.name}. Retire it instead: nobody can choose it then."
        )


def _audit(
    actor: User, kind: ChoiceKind, verb: str, choice: NamedChoice, choice_id: int | None = None
) -> None:
    write_audit(
        actor=actor,
        action=f"{kind.usage}.{verb}",
        object_kind=kind.usage,
        object_id=choice_id or choice.pk,
        object_name=choice.name,
    )
