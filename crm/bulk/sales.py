"""Creating sales for many contacts at once: six statements however many, the events among them.

The caller holds the contacts' rows (the engine by its claim, an operation by its lock), so that nobody is erased
in between. Owners are the caller's to check.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import psycopg

from crm import search
from crm.bulk.facts import TITLE, check_projects, companies_of, desk_event, one_line
from crm.events import NewEvent, Origin, record_events

DAY = dt.timedelta(days=1)


class UnknownSaleChoice(ValueError):
    """A sale type, stage or project does not exist (any more), or the stage is another type's."""


@dataclass(frozen=True, slots=True)
class NewSale:
    """A sale to make. None leaves stage, probability and date to the type: its first stage, its days from today."""

    contact_id: int
    title: str
    type_id: int
    owner_id: int
    currency: str
    stage_id: int | None = None
    amount: Decimal = Decimal(0)
    probability: int | None = None
    description: str = ""
    project_id: int | None = None
    date: dt.date | None = None
    participant_id: int | None = None
    form_key: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as new sales need it."""

    id: int
    name: str
    probability: int
    retired: bool


@dataclass(slots=True)
class Type:
    """A type with its stages in their order."""

    id: int
    name: str
    default_days: int
    stages: list[Stage]

    def stage(self, stage_id: int | None) -> Stage | None:
        """Return the stage with this id, or for None the first that may still be chosen."""
        if stage_id is None:
            return next((stage for stage in self.stages if not stage.retired), None)
        found = next((stage for stage in self.stages if stage.id == stage_id), None)
        if found is None:
            raise UnknownSaleChoice(f"The stage does not exist in sale type {self.name}.")
        return found


_TYPES = """
SELECT t.id, t.name, t.default_days, s.id, s.name, s.probability, s.retired
FROM crm_saletype t LEFT JOIN crm_salestage s ON s.tenant_id = t.tenant_id AND s.type_id = t.id
WHERE t.tenant_id = %s::bigint AND t.id = ANY(%s::bigint[]) ORDER BY t.id, s.rank, s.name, s.id
"""
_COLUMNS: tuple[tuple[str, str], ...] = (
    ("contact_id", "bigint"), ("company_id", "bigint"), ("owner_id", "bigint"), ("title", "text"),
    ("type_id", "bigint"), ("stage_id", "bigint"), ("amount", "numeric"), ("currency", "text"),
    ("probability", "smallint"), ("description", "text"), ("project_id", "bigint"), ("date", "date"),
    ("participant_id", "bigint"), ("form_key", "uuid"),
)  # fmt: skip
_NAMES = ", ".join(name for name, _ in _COLUMNS)
# Ids are given in the order of the rows, so that the n-th id belongs to the n-th row.
_INSERT = f"""
INSERT INTO crm_sale (tenant_id, status, reason, created_at, updated_at, created_by_id, origin, flow_id, {_NAMES})
SELECT %s::bigint, 'open', '', %s::timestamptz, %s::timestamptz, %s::bigint, %s::text, %s::bigint, {_NAMES}
FROM unnest({", ".join(f"%s::{cast}[]" for _, cast in _COLUMNS)}) WITH ORDINALITY AS v ({_NAMES}, place)
ORDER BY place RETURNING id
"""


def create_sales(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    rows: Sequence[NewSale],
    now: dt.datetime,
    origin: Origin,
    flow_id: int | None = None,
    actor_id: int | None = None,
    today: dt.date | None = None,
) -> list[int | None]:
    """Create sales and write sale.created; return their ids in the order of rows, None for an erased contact.

    `today` is the day in the flow's or tenant's zone. Raises UnknownSaleChoice before anything is written.
    """
    types = load_types(cursor, tenant_id, {row.type_id for row in rows})
    check_projects(cursor, tenant_id, {row.project_id for row in rows}, UnknownSaleChoice)
    companies = companies_of(cursor, tenant_id, [row.contact_id for row in rows])
    day = today or now.date()
    ready = [
        _ready(row, types, companies[row.contact_id], day) for row in rows if row.contact_id in companies
    ]
    if not ready:
        return [None] * len(rows)
    arrays = [[values[name] for values in ready] for name, _ in _COLUMNS]
    cursor.execute(_INSERT, [tenant_id, now, now, actor_id, str(origin), flow_id, *arrays])
    ids = sorted(row[0] for row in cursor.fetchall())
    _write_words(cursor, tenant_id, dict(zip(ids, ready, strict=True)))
    record_events(
        [
            sale_event("sale.created", sale_id, values, now, origin, flow_id=flow_id, actor_id=actor_id)
            for sale_id, values in zip(ids, ready, strict=True)
        ],
        cursor=cursor,
    )
    left = iter(ids)
    return [next(left) if row.contact_id in companies else None for row in rows]


def load_types(cursor: psycopg.Cursor[Any], tenant_id: int, ids: set[int]) -> dict[int, Type]:
    """Return sale types with their stages. Raises UnknownSaleChoice where one is missing."""
    found: dict[int, Type] = {}
    if ids:
        cursor.execute(_TYPES, [tenant_id, sorted(ids)])
        for type_id, name, days, *stage in cursor.fetchall():
            known = found.setdefault(type_id, Type(type_id, name, days, []))
            if stage[0] is not None:
                known.stages.append(Stage(*stage))
    if ids - found.keys():
        raise UnknownSaleChoice("The sale type does not exist any more.")
    return found


def _ready(row: NewSale, types: Mapping[int, Type], company_id: int | None, today: dt.date) -> dict[str, Any]:
    """Return a row as it is kept, with the names that its event carries."""
    kind = types[row.type_id]
    stage = kind.stage(row.stage_id)
    probability = stage.probability if row.probability is None and stage else row.probability or 0
    values = {name: getattr(row, name, None) for name, _ in _COLUMNS}
    return values | {
        "company_id": company_id,
        "title": one_line(row.title, TITLE) or kind.name,
        "stage_id": stage.id if stage else None,
        "amount": row.amount.quantize(Decimal("0.01")),
        "probability": probability,
        "description": row.description.replace("\x00", ""),
        "date": row.date or today + kind.default_days * DAY,
        "status": "open",
        "type_name": kind.name,
        "stage_name": stage.name if stage else "",
    }


def _write_words(cursor: psycopg.Cursor[Any], tenant_id: int, rows: Mapping[int, Mapping[str, Any]]) -> None:
    words = {sale_id: search.words_of_text(values["title"]) for sale_id, values in rows.items()}
    search.write_words(cursor, tenant_id=tenant_id, kind=search.SALE, words=words, are_new=True)


def sale_event(
    kind: str,
    sale_id: int,
    values: Mapping[str, Any],
    now: dt.datetime,
    origin: Origin,
    *,
    flow_id: int | None = None,
    actor_id: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> NewEvent:
    """Return an event of a sale; `values` are its columns and the names of its type and stage."""
    data = {
        "id": sale_id,
        "title": values["title"],
        "type": values["type_name"],
        "type_id": values["type_id"],
        "stage": values["stage_name"],
        "stage_id": values["stage_id"],
        "amount": f"{values['amount']:.2f}",
        "currency": values["currency"],
        "probability": values["probability"],
        "status": values["status"],
        "date": values["date"].isoformat(),
    }
    return desk_event(
        kind,
        "sale",
        sale_id,
        values,
        data,
        now=now,
        origin=origin,
        flow_id=flow_id,
        actor_id=actor_id,
        more=more,
    )
