"""Array parameters arrive in PostgreSQL exactly as they were."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from core.db.cursors import raw_cursor

MOMENT = dt.datetime(2026, 3, 29, 1, 30, 0, 5, tzinfo=dt.UTC)
ID = uuid.UUID("12345678-1234-5678-1234-567812345678")


def there_and_back(values: list[Any], kind: str) -> list[Any]:
    """Send an array and read it."""
    with raw_cursor() as cursor:
        row = cursor.execute(f"SELECT %s::{kind}[]", [values]).fetchone()
    assert row is not None
    return list(row[0])


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "bigint"),
        ([1, -2, None, 2**62], "bigint"),
        ([True, None, False], "bool"),
        ([Decimal("1.50"), None], "numeric"),
        ([dt.date(2026, 2, 28), None], "date"),
        ([MOMENT, MOMENT, None], "timestamptz"),
        ([ID, None, ID], "uuid"),
        ([Jsonb({"a": ['"', "\\", "é"]}), None], "jsonb"),
        (["", "NULL", None, 'a"b', "a\\b", "{x,y}", "line\nbreak", "🙂", "عربي", " "], "text"),
    ],
)
def test_an_array_arrives_as_it_was(values: list[Any], kind: str) -> None:
    assert there_and_back(values, kind) == [v.obj if isinstance(v, Jsonb) else v for v in values]


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))))
def test_any_text_arrives_as_it_was(values: list[str | None]) -> None:
    assert there_and_back(values, "text") == values


@pytest.mark.django_db
def test_a_type_without_a_text_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot be an element"):
        there_and_back([{"a": 1}], "text")
