"""Lines that can be looked up are looked up: the app's role reaches their indexes under row-level security.

An operator that is not leakproof could not stand in an index condition.
"""

from __future__ import annotations

import re

import pytest

from core.clock import now
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id, tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.sql import FROM, compile_criteria
from tests.crm.conftest import UTC
from trial.bench.criteria import EMAIL, Crowd, make_crowd


def conditions(*lines: Line, only: int | None = None) -> list[tuple[str, str]]:
    """Return index and condition of each index scan that finds the contacts that match (of one contact, if `only`)."""
    compiled = compile_criteria(Criteria(groups=(Group(lines=lines),)), now=now(), zone=UTC)
    narrowed = "" if only is None else f"AND c.id = {only}"
    with raw_cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            f"EXPLAIN SELECT c.id FROM {FROM} WHERE c.tenant_id = %s::bigint {narrowed} AND {compiled.sql}",
            [require_tenant_id(), *compiled.params],
        )
        text = "\n".join(row[0] for row in cursor.fetchall())
    return re.findall(r"Scan (?:using|on) (\w+)[^\n]*\n\s+Index Cond: ([^\n]+)", text)


def lookups(crowd: Crowd) -> list[tuple[Line, str, str]]:
    """Return lines, the beginning of the index that each goes by, and what stands in its condition."""
    tier, club = "contact.custom.tier", crowd.selection_id
    opened = {"field": "event.opened", "values": (1,)}
    return [
        (Line(field="contact.email", operator="is", values=("a@b.test",)), "contact_by_email", "email_norm"),
        (
            Line(field="contact.email", operator="begins_with", values=("abcd",)),
            "contact_by_email",
            "email_norm",
        ),
        (Line(field="company.name", operator="is", values=("Company 7",)), "company_by_name", "name_norm"),
        (
            Line(field="company.name", operator="begins_with", values=("Company 7",)),
            "company_by_name",
            "name_norm",
        ),
        (Line(field=tier, operator="is", values=("Platinum",)), "contact_value_text", "value_norm"),
        (Line(field=tier, operator="begins_with", values=("Plat",)), "contact_value_text", "value_norm"),
        (Line(field="contact.selections", operator="one_of", values=(club,)), "", "selection_id ="),
        (
            Line(operator="at_least", which=(EMAIL + 9,), **opened),
            "crm_event_rest_tenant_id_kind",
            "object_id =",
        ),
    ]


@pytest.mark.django_db(transaction=True, databases=["default", "owner"])
def test_lines_are_lookups_for_an_audience_and_for_one_contact() -> None:
    crowd = make_crowd(contacts=4_000, moment=now())
    with tenant_scope(crowd.tenant_id):
        for line, index, condition in lookups(crowd):
            found = conditions(line)
            assert any(name.startswith(index) and condition in text for name, text in found), (line, found)
        # One contact: its events are probed, however many there are.
        often = Line(field="event.opened", operator="fewer", values=(3,), days=30)
        assert any("contact_id =" in text for _, text in conditions(often, only=1))
