"""A change may rename the contact's company: everyone there is told, searches find it, a taken name is left alone."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from core.db.cursors import raw_cursor
from crm.bulk import Change, UpdateResult, change_problems, describe_change, update_fields
from crm.bulk.targets import targets
from crm.events import Origin
from crm.models import Company, Contact, Event, SearchWord
from tests.crm.conftest import NOW, make_company, make_contact


def rename(people: list[Contact], action: str, *values: str) -> UpdateResult:
    with raw_cursor() as cursor:
        return update_fields(
            cursor,
            tenant_id=people[0].tenant.pk,
            contact_ids=[one.pk for one in people],
            changes=[Change("company.name", action, values)],
            now=NOW,
            origin=Origin.FLOW,
        )


def test_a_company_is_renamed_for_all_its_people(bare: Tenant) -> None:
    company = make_company("Aker")
    ann, bo = (make_contact(last_name=name, company=company) for name in ("Ann", "Bo"))
    result = rename([ann], "set", "  Åker   Nord ")
    company.refresh_from_db()
    assert (company.name, company.name_norm) == ("Åker Nord", "åker nord")
    assert (result.changed, result.skipped) == ([ann.pk, bo.pk], {})
    line = {"field": "company.name", "old": "Aker", "new": "Åker Nord", "company": True}
    assert [e.data["changes"] for e in Event.objects.filter(kind="contact.updated")] == [[line], [line]]
    words = SearchWord.objects.filter(kind="company", object_id=company.pk)
    assert set(words.values_list("word", flat=True)) == {"åker", "nord"}


def test_search_and_replace_and_append_change_a_name(bare: Tenant) -> None:
    company = make_company("Mill Ltd")
    ann = make_contact(last_name="Ann", company=company)
    rename([ann], "replace", "Ltd", "Limited")
    rename([ann], "append", " (UK)")
    company.refresh_from_db()
    assert company.name == "Mill Limited (UK)"


def test_a_name_that_another_company_has_is_left_alone_and_noted(bare: Tenant) -> None:
    taken = make_company("Borg")
    first, second, alone = make_company("One"), make_company("Two"), make_contact(last_name="Alone")
    ann, bo = make_contact(last_name="Ann", company=first), make_contact(last_name="Bo", company=second)
    assert rename([ann], "set", "Borg").skipped == {
        ann.pk: ["Company name (another company is called “Borg”)"]
    }
    # Of two that get the same name at once the first has it.
    result = rename([ann, bo, alone], "set", "Same")
    assert result.changed == [ann.pk]
    assert result.skipped == {
        alone.pk: ["Company name"],
        bo.pk: ["Company name (another company is called “Same”)"],
    }
    assert rename([bo], "replace", "Two", "").skipped == {bo.pk: ["Company name (empty)"]}
    names = Company.objects.order_by("pk").values_list("name", flat=True)
    assert (list(names), taken.name) == (["Borg", "Same", "Two"], "Borg")


def test_a_company_is_never_without_a_name(bare: Tenant) -> None:
    assert change_problems(Change("company.name", "clear")) == ["Company name: choose what to do."]
    assert change_problems(Change("company.name", "set", ("x" * 201,))) == [
        "Company name: at most 200 characters."
    ]
    assert change_problems(Change("company.name", "set", ("Aker",))) == []
    assert describe_change(Change("company.name", "set", ("Aker",))) == "Company name set to “Aker”"
    # Forms, files and the API find a company by its name: to them it is no field that is written.
    assert "company.name" not in [target.key for target in targets()]


@pytest.mark.parametrize("action", ["set", "append"])
def test_the_same_name_again_is_no_change(bare: Tenant, action: str) -> None:
    ann = make_contact(last_name="Ann", company=make_company("Aker"))
    result = rename([ann], action, "Aker" if action == "set" else " ")
    assert (result.changed, result.skipped) == ([], {})
    assert not Event.objects.exists()
