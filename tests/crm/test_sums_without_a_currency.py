"""Sums that were saved before a currency was asked for: those in the account's own currency, said so everywhere."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

from accounts.models import Tenant, User
from core.db.cursors import raw_cursor
from crm.criteria.describe import describe
from crm.criteria.explain import first_failure
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.sql import FROM, compile_criteria
from crm.criteria.validate import problems
from crm.models import Contact, Sale, SaleType
from crm.operations.setup_desk import set_up_desk
from tests.crm.conftest import NOW, make_contact


def without(operator: str, amount: int) -> Criteria:
    line = Line(field="sale.amount_open", operator=operator, values=(amount,))
    return Criteria(groups=(Group(lines=(line,)),))


def matching(tenant: Tenant, criteria: Criteria) -> set[str]:
    compiled = compile_criteria(criteria, now=NOW, zone=ZoneInfo(tenant.timezone))
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT c.last_name FROM {FROM} WHERE c.tenant_id = %s AND {compiled.sql}",
            [tenant.pk, *compiled.params],
        )
        return {row[0] for row in cursor}


def sold(contact: Contact, owner: User, amount: int, currency: str) -> None:
    Sale.objects.create(
        contact=contact, owner=owner, title="S", type=SaleType.objects.earliest("rank"), date=NOW.date(),
        currency=currency, amount=Decimal(amount), status="open", created_at=NOW, updated_at=NOW, origin="user",
    )  # fmt: skip


def test_only_the_accounts_own_currency_is_added_up_and_that_is_said(bare: Tenant, anna: User) -> None:
    Tenant.objects.filter(pk=bare.pk).update(country="SE")
    bare.refresh_from_db()
    set_up_desk(tenant_id=bare.pk, now=NOW)
    mixed, plain = make_contact(last_name="Mixed"), make_contact(last_name="Plain")
    sold(mixed, anna, 600, "SEK")
    sold(mixed, anna, 600, "NOK")
    sold(plain, anna, 1_000, "SEK")
    assert matching(bare, without("ge", 1_000)) == {"Plain"}
    assert matching(bare, without("eq", 600)) == {"Mixed"}
    assert problems(without("ge", 1_000)) == [
        "Amount of open sales ≥: choose the currency: until then only amounts in SEK are added up."
    ]
    assert "in SEK" in describe(without("ge", 1_000))
    failed = first_failure(
        without("ge", 1_000), contact_ids=[mixed.pk], now=NOW, zone=ZoneInfo(bare.timezone)
    )
    assert failed[mixed.pk].seen.startswith("600")
