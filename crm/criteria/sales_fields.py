"""Sales and requests of a contact: how many, worth how much, and when the last one was.

"Which" are sale types, or request types or categories. Amounts are added up in the currency that a line names; those
in other currencies do not count for it.
"""

from __future__ import annotations

from typing import Literal

from crm.criteria.field import REQUESTS, SALES, Choices, Field, FieldType, Rows

_SALE = "FROM crm_sale s WHERE s.tenant_id = c.tenant_id AND s.contact_id = c.id"
_REQUEST = "FROM crm_request r WHERE r.tenant_id = c.tenant_id AND r.contact_id = c.id"
# A change may be one of type, category or amount, so it counts for every field.
_MADE = frozenset({"sale.created", "sale.updated", "sale.deleted"})
_ENDED = _MADE | {"sale.sold", "sale.lost", "sale.stalled", "sale.reopened"}
_ASKED = frozenset({"request.created", "request.updated", "request.deleted"})
_ANSWERED = _ASKED | {"request.closed", "request.reopened"}


def _of_sales(
    key: str,
    label: str,
    make: Literal["count", "sum", "max"],
    *,
    status: str = "",
    at: str = "s.created_at",
    value: str = "",
) -> Field:
    # Statuses are this module's own words, never a user's.
    narrowed = f" AND s.status = '{status}'" if status else ""
    currency = "s.currency" if make == "sum" else ""
    rows = Rows(f"{_SALE}{narrowed}", make, which="s.type_id", at=at, value=value, currency=currency)
    return _field(key, label, SALES, rows, "sale_type", _ENDED if status else _MADE)


def _of_requests(
    key: str,
    label: str,
    make: Literal["count", "max"],
    *,
    status: str = "",
    at: str = "r.created_at",
    which: str = "r.type_id",
    choices: Choices = "request_type",
) -> Field:
    narrowed = f" AND r.status {status}" if status else ""
    value = at if make == "max" else ""
    rows = Rows(f"{_REQUEST}{narrowed}", make, which=which, at="" if make == "max" else at, value=value)
    return _field(key, label, REQUESTS, rows, choices, _ANSWERED if status else _ASKED)


def _field(key: str, label: str, group: str, rows: Rows, choices: Choices, kinds: frozenset[str]) -> Field:
    types: dict[str, FieldType] = {"count": "count", "sum": "number", "max": "date"}
    return Field(
        key,
        label,
        group,
        types[rows.make],
        "rows",
        "",
        choices=choices,
        rows=rows,
        kinds=kinds,
        money=rows.make == "sum",
    )


SALE_FIELDS: tuple[Field, ...] = (
    _of_sales("sale.made", "Sales", "count"),
    _of_sales("sale.open", "Open sales", "count", status="open"),
    _of_sales("sale.sold", "Sales won", "count", status="sold", at="s.closed_at"),
    _of_sales("sale.lost", "Sales lost", "count", status="lost", at="s.closed_at"),
    _of_sales("sale.stalled", "Stalled sales", "count", status="stalled"),
    _of_sales("sale.amount_open", "Amount of open sales", "sum", status="open", value="s.amount"),
    _of_sales(
        "sale.amount_sold", "Amount of sales won", "sum", status="sold", at="s.closed_at", value="s.amount"
    ),
    _of_sales("sale.last", "Last sale made", "max", at="", value="s.created_at"),
    _of_sales("sale.last_sold", "Last sale won", "max", status="sold", at="", value="s.closed_at"),
)
REQUEST_FIELDS: tuple[Field, ...] = (
    _of_requests("request.made", "Requests", "count"),
    _of_requests(
        "request.in_category",
        "Requests in categories",
        "count",
        which="r.category_id",
        choices="request_category",
    ),
    _of_requests("request.open", "Requests that are not closed", "count", status="<> 'closed'"),
    _of_requests("request.closed", "Closed requests", "count", status="= 'closed'", at="r.closed_at"),
    _of_requests("request.last", "Last request", "max"),
)
