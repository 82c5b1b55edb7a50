"""Sales: create and change one, sell it, lose it, stall it, reopen it. Each change that is one writes its event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm import search
from crm.bulk.facts import TITLE, one_line
from crm.bulk.sales import NewSale, UnknownSaleChoice, create_sales, sale_event
from crm.events import Origin, record_events
from crm.models import Project, Sale, SaleStage, SaleType
from crm.operations.desk import (
    ContactGone,
    changes_in_words,
    check_owner,
    columns_of,
    sent_before,
    write_words,
)

# What `update_sale` may be given.
EDITABLE = (
    "title", "type_id", "stage_id", "amount", "currency", "probability", "date", "owner_id", "project_id",
    "description",
)  # fmt: skip


@transaction.atomic
def create_sale(
    *, sale: NewSale, now: dt.datetime, today: dt.date, actor_id: int | None, origin: Origin = Origin.USER
) -> Sale:
    """Create a sale; the same form sent again is the sale that it made.

    Raises UnknownSaleChoice, NoSuchOwner or ContactGone.
    """
    check_owner(sale.owner_id)
    known, row = sent_before(Sale, sale)
    if known is not None:
        return known
    with raw_cursor() as cursor:
        (made,) = create_sales(
            cursor,
            tenant_id=require_tenant_id(),
            rows=[row],
            now=now,
            origin=origin,
            actor_id=actor_id,
            today=today,
        )
    if made is None:
        raise ContactGone("The contact was erased.")
    return Sale.objects.get(pk=made)


@transaction.atomic
def update_sale(
    *,
    sale_id: int,
    values: Mapping[str, Any],
    now: dt.datetime,
    actor_id: int | None,
    origin: Origin = Origin.USER,
) -> bool:
    """Change fields (see EDITABLE) and say whether anything really changed; writes sale.updated where it did.

    A new stage brings its probability, unless that is changed too. Raises UnknownSaleChoice or NoSuchOwner.
    """
    sale = _locked(sale_id)
    wanted = _wanted(sale, values)
    changed = {name: value for name, value in wanted.items() if getattr(sale, name) != value}
    if not changed:
        return False
    _check(sale, changed)
    shown = changes_in_words(sale, changed)
    for name, value in changed.items():
        setattr(sale, name, value)
    sale.updated_at = now
    sale.save(update_fields=[*changed, "updated_at"])
    if "title" in changed:
        write_words(sale, search.SALE)
    _record("sale.updated", sale, now, origin, actor_id, {"changed": shown})
    return True


@transaction.atomic
def change_stage(*, sale_id: int, stage_id: int, now: dt.datetime, actor_id: int | None) -> bool:
    """Move a sale to another stage of its type. Raises UnknownSaleChoice."""
    return update_sale(sale_id=sale_id, values={"stage_id": stage_id}, now=now, actor_id=actor_id)


@transaction.atomic
def sell(*, sale_id: int, now: dt.datetime, actor_id: int | None, origin: Origin = Origin.USER) -> bool:
    """Win a sale; False where it was won already. Writes sale.sold."""
    return _close(sale_id, Sale.Status.SOLD, "", now, actor_id, origin)


@transaction.atomic
def lose(
    *, sale_id: int, reason: str = "", now: dt.datetime, actor_id: int | None, origin: Origin = Origin.USER
) -> bool:
    """Lose a sale; False where it was lost already. Writes sale.lost."""
    return _close(sale_id, Sale.Status.LOST, reason, now, actor_id, origin)


@transaction.atomic
def stall(
    *, sale_id: int, reason: str = "", now: dt.datetime, actor_id: int | None, origin: Origin = Origin.USER
) -> bool:
    """Put a sale to rest; False where it rests already. Writes sale.stalled."""
    return _close(sale_id, Sale.Status.STALLED, reason, now, actor_id, origin)


@transaction.atomic
def reopen(*, sale_id: int, now: dt.datetime, actor_id: int | None, origin: Origin = Origin.USER) -> bool:
    """Open a sale again, as probable as its stage says; False where it is open. Writes sale.reopened."""
    return _close(sale_id, Sale.Status.OPEN, "", now, actor_id, origin)


@transaction.atomic
def delete_sale(*, sale_id: int, now: dt.datetime, actor: User) -> None:
    """Delete a sale; the contact's timeline keeps what happened. Writes sale.deleted. Audited."""
    sale = _locked(sale_id)
    _record("sale.deleted", sale, now, Origin.USER, actor.pk, {})
    with raw_cursor() as cursor:
        search.write_words(cursor, tenant_id=require_tenant_id(), kind=search.SALE, words={sale.pk: ()})
    sale.delete()
    write_audit(
        actor=actor, action="sale.deleted", object_kind="sale", object_id=sale_id, object_name=sale.title
    )


_EVENTS = {
    Sale.Status.SOLD: "sale.sold",
    Sale.Status.LOST: "sale.lost",
    Sale.Status.STALLED: "sale.stalled",
    Sale.Status.OPEN: "sale.reopened",
}


def _close(
    sale_id: int, status: Sale.Status, reason: str, now: dt.datetime, actor_id: int | None, origin: Origin
) -> bool:
    sale = _locked(sale_id)
    if sale.status == status:
        return False
    sale.status, sale.reason, sale.updated_at = status, one_line(reason, 200), now
    sale.closed_at = now if status in {Sale.Status.SOLD, Sale.Status.LOST} else None
    if status != Sale.Status.STALLED:
        of_stage = sale.stage.probability if sale.stage else 0
        sale.probability = {Sale.Status.SOLD: 100, Sale.Status.LOST: 0}.get(status, of_stage)
    sale.save(update_fields=["status", "reason", "updated_at", "closed_at", "probability"])
    _record(_EVENTS[status], sale, now, origin, actor_id, {"reason": sale.reason} if sale.reason else {})
    return True


def _locked(sale_id: int) -> Sale:
    return Sale.objects.select_for_update(of=("self",)).select_related("type", "stage").get(pk=sale_id)


def _wanted(sale: Sale, values: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {name: value for name, value in values.items() if name in EDITABLE}
    if "title" in wanted:
        wanted["title"] = one_line(wanted["title"], TITLE) or sale.title
    if "amount" in wanted:
        wanted["amount"] = Decimal(wanted["amount"]).quantize(Decimal("0.01"))
    moves = "stage_id" in wanted and wanted["stage_id"] != sale.stage_id
    if moves and sale.status == Sale.Status.OPEN and wanted.get("probability") in (None, sale.probability):
        stage = SaleStage.objects.filter(pk=wanted["stage_id"] or 0).first()
        wanted["probability"] = stage.probability if stage else sale.probability
    return wanted


def _check(sale: Sale, changed: Mapping[str, Any]) -> None:
    """Refuse what is not the tenant's: the database would say so only at commit."""
    type_id, stage_id = changed.get("type_id", sale.type_id), changed.get("stage_id", sale.stage_id)
    if "type_id" in changed and not SaleType.objects.filter(pk=type_id).exists():
        raise UnknownSaleChoice("The sale type does not exist any more.")
    if stage_id is not None and not SaleStage.objects.filter(pk=stage_id, type_id=type_id).exists():
        raise UnknownSaleChoice("The stage does not exist in this sale type.")
    project_id = changed.get("project_id")
    if project_id is not None and not Project.objects.filter(pk=project_id).exists():
        raise UnknownSaleChoice("The project does not exist any more.")
    if "owner_id" in changed:
        check_owner(changed["owner_id"])


def _record(
    kind: str, sale: Sale, now: dt.datetime, origin: Origin, actor_id: int | None, more: Mapping[str, Any]
) -> None:
    sale.refresh_from_db(fields=["type", "stage"])
    names = {"type_name": sale.type.name, "stage_name": sale.stage.name if sale.stage else ""}
    record_events(
        [sale_event(kind, sale.pk, columns_of(sale) | names, now, origin, actor_id=actor_id, more=more)]
    )
