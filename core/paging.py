"""Keyset paging: pages of a million rows cost the same as the first. Columns in the order must not be null.

A cursor holds the values of the row at a page's edge, so rows that come or go elsewhere shift nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldError, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F, Model, OrderBy, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.http import QueryDict

M = TypeVar("M", bound=Model)
PAGE = 50


@dataclass(frozen=True)
class KeysetPage(Generic[M]):
    """Rows, and the query strings of the pages before and after ("" where there is none)."""

    rows: list[M]
    previous_query: str
    next_query: str

    def __bool__(self) -> bool:
        return bool(self.rows)


def keyset_page(
    queryset: QuerySet[M], *, by: Sequence[str], query: QueryDict, size: int = PAGE, few: bool = False
) -> KeysetPage[M]:
    """Return the page that the query string asks for by `after` or `before`, ordered by columns of the model.

    `by` must end with a unique column: ["-updated_at", "-id"]. A cursor that makes no sense gives the first page.
    `few` says that the rows are few of a large table: they are found first and sorted then, where the planner would
    walk the order's index through the whole table in the hope of meeting them. The first column is a text then.
    """
    after, before = _read(queryset, by, query.get("after", "")), _read(queryset, by, query.get("before", ""))
    backwards = before is not None and after is None
    order = [_turned(name) for name in by] if backwards else list(by)
    edge = before if backwards else after
    rows = queryset.order_by(*([_not_by_index(order[0]), *order[1:]] if few else order))
    if edge is not None:
        rows = rows.filter(_beyond(order, edge))
    found = list(rows[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    has_previous = more if backwards else edge is not None
    has_next = backwards or more
    return KeysetPage(
        rows=found,
        previous_query=_link(query, "before", found[0], by) if found and has_previous else "",
        next_query=_link(query, "after", found[-1], by) if found and has_next else "",
    )


def _not_by_index(name: str) -> OrderBy:
    text = Concat(F(name.removeprefix("-")), Value(""))
    return OrderBy(text, descending=name.startswith("-"))


def _turned(name: str) -> str:
    return name.removeprefix("-") if name.startswith("-") else f"-{name}"


def _beyond(order: Sequence[str], edge: Sequence[Any]) -> Q:
    """Return (a, b) > (x, y) for an order of mixed directions; the leading bound lets the index be used."""
    first, rest = order[0], order[1:]
    name = first.removeprefix("-")
    direction = "lt" if first.startswith("-") else "gt"
    further = Q(**{f"{name}__{direction}": edge[0]})
    if not rest:
        return further
    return Q(**{f"{name}__{direction}e": edge[0]}) & (
        further | Q(**{name: edge[0]}) & _beyond(rest, edge[1:])
    )


def _link(query: QueryDict, way: str, row: Model, by: Sequence[str]) -> str:
    values = [getattr(row, name.removeprefix("-")) for name in by]
    told = json.dumps(values, cls=_Exact).encode()
    changed = query.copy()
    changed.pop("after", None)
    changed.pop("before", None)
    changed[way] = base64.urlsafe_b64encode(told).decode().rstrip("=")
    return f"?{changed.urlencode()}"


def _read(queryset: QuerySet[M], by: Sequence[str], cursor: str) -> list[Any] | None:
    if not cursor:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        fields = [queryset.model._meta.get_field(name.removeprefix("-")) for name in by]
        read = [field.to_python(value) for field, value in zip(fields, values, strict=True)]  # type: ignore[union-attr]
    except (binascii.Error, ValueError, TypeError, FieldError, ValidationError):
        return None
    return None if None in read else read


class _Exact(DjangoJSONEncoder):
    """JSON that keeps microseconds, which DjangoJSONEncoder cuts: an edge must be exact."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)
