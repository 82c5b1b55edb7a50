"""The contact list: what it finds, counts and pages through is the same, whether few or many are found."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from accounts.models import Tenant
from core.paging import keyset_page
from crm.models import Contact
from crm.queries import listing
from tests.crm.conftest import NOW, make_contact
from tests.fixtures.people import Person

CHEFS = "f.g0.l0.field=contact.job_title&f.g0.l0.operator=contains&f.g0.l0.v0=chef"


@pytest.fixture
def chefs(acme_scope: Tenant, alice: Person) -> list[str]:
    """Seven chefs among ten; their last names in order."""
    for number in range(10):
        make_contact(last_name=f"N{number % 4}", job_title="Chef" if number < 7 else "Cook")
    return sorted(f"N{number % 4}" for number in range(7))


def walk(alice: Person, query: str, *, few: bool | None = None) -> list[tuple[str, int]]:
    """Page through a list, three at a time, forwards."""
    seen: list[tuple[str, int]] = []
    asked = listing.read_query(QueryDict(query))
    found = listing.look_up(alice.member, asked, now=NOW, zone=ZoneInfo("UTC"))
    given = QueryDict(query)
    while True:
        page = keyset_page(
            found.contacts, by=asked.order, query=given, size=3, few=found.few if few is None else few
        )
        seen += [(contact.last_name, contact.pk) for contact in page.rows]
        if not page.next_query:
            return seen
        given = QueryDict(page.next_query[1:])


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_few_are_paged_as_many_would_be(
    alice: Person, chefs: list[str], sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = walk(alice, f"{CHEFS}&sort={sort}")
    assert [name for name, _ in found] == (chefs if sort == "name" else chefs[::-1])
    assert found == walk(alice, f"{CHEFS}&sort={sort}", few=False)
    monkeypatch.setattr(listing, "MOST_COUNTED", 3)
    assert walk(alice, f"{CHEFS}&sort={sort}") == found


def test_the_count_is_exact_for_few_and_capped_for_many(
    alice: Person, chefs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(query: str) -> tuple[int, bool]:
        asked = listing.read_query(QueryDict(query))
        found = listing.look_up(alice.member, asked, now=NOW, zone=ZoneInfo("UTC"))
        return found.count, found.few

    assert look(CHEFS) == (7, True)
    assert look("") == (10, False)
    assert look("q=nobody") == (0, True)
    monkeypatch.setattr(listing, "MOST_COUNTED", 5)
    assert look(CHEFS) == (6, False)
    assert look("") == (6, False)
    assert Contact.objects.count() == 10
