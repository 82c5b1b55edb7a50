"""Two connections give companies one name at the same moment: the first has it, nobody's step fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection

from accounts.models import Tenant, User
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.bulk import Change, update_fields, write
from crm.events import Origin
from crm.models import Company, SearchWord
from crm.operations import companies
from crm.operations.companies import CompanyNameTaken, create_company, edit_company
from flows.document import StepNode
from participants.engine.batch import run_batch
from participants.models import Visit
from tests.crm.conftest import NOW, make_company, make_contact
from tests.participants.conftest import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme_alone() -> Tenant:
    return Tenant.objects.create(slug="acme", name="Acme")


def beside(work: Callable[[], Any]) -> None:
    """Do something on a connection of its own and wait for its end."""

    def on_its_own() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=on_its_own)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def rename(tenant: Tenant, contact_id: int, *names: str) -> dict[int, list[str]]:
    with tenant_scope(tenant.pk), raw_cursor() as cursor:
        return update_fields(
            cursor,
            tenant_id=tenant.pk,
            contact_ids=[contact_id],
            changes=[Change("company.name", "set", names), Change("contact.job_title", "set", ("Chef",))],
            now=NOW,
            origin=Origin.USER,
        ).skipped


def when_looked(monkeypatch: pytest.MonkeyPatch, *works: Callable[[], Any]) -> list[int]:
    """After each look for taken names another connection does the next of these; return the calls."""
    look, calls, rest = write.keep_taken_names, [0], list(works)

    def looked(*args: Any, **more: Any) -> dict[int, str]:
        found = look(*args, **more)
        calls[0] += 1
        if rest:
            beside(rest.pop(0))
        return found

    monkeypatch.setattr(write, "keep_taken_names", looked)
    return calls


def test_who_is_later_finds_the_name_taken_and_the_rest_is_changed(
    acme_alone: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(acme_alone.pk):
        one, two = make_company("One"), make_company("Two")
        ann = make_contact(last_name="Ann", company=one)
    calls = when_looked(monkeypatch, lambda: _take(acme_alone, two.pk, "Same"))
    assert rename(acme_alone, ann.pk, "Same") == {ann.pk: ["Company name (another company is called “Same”)"]}
    assert calls == [2]
    with tenant_scope(acme_alone.pk):
        ann.refresh_from_db()
        assert ann.job_title == "Chef"
        assert sorted(Company.objects.values_list("name", flat=True)) == ["One", "Same"]
        words = SearchWord.objects.filter(kind="company", object_id=one.pk).values_list("word", flat=True)
        assert "same" not in set(words)


def _take(tenant: Tenant, company_id: int, name: str) -> None:
    with tenant_scope(tenant.pk):
        edit_company(company_id=company_id, name=name, changes=[], now=NOW, actor_id=None)


def test_a_flows_step_goes_on_with_a_note(acme_alone: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    with tenant_scope(acme_alone.pk):
        world = World(acme_alone, User.objects.create_user(email="bob@acme.test"))
        one, two = make_company("One"), make_company("Two")
        anna = world.contact("Anna", company=one, category=None)
        line = {"field": "company.name", "action": "set", "values": ["Same"]}
        flow = world.flow(StepNode(kind="update_contact", title="Rename", settings={"lines": [line]}))
        world.suggest(flow, anna)
    when_looked(monkeypatch, lambda: _take(acme_alone, two.pk, "Same"))
    run_batch(tenant_id=acme_alone.pk, flow_id=flow.pk, now=world.now, limit=10)
    with tenant_scope(acme_alone.pk):
        person = world.one(flow, anna)
        assert (person.status, person.drop_reason) == ("finished", "")
        visit = Visit.objects.get(participant_id=person.pk)
        assert (visit.values or {})["left_out"] == ["Company name (another company is called “Same”)"]


@pytest.mark.parametrize("how", ["create", "edit"])
def test_a_page_that_is_later_is_told_that_the_name_is_taken(
    acme_alone: Tenant, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    with tenant_scope(acme_alone.pk):
        one, two = make_company("One"), make_company("Two")
    look = companies._check_free

    def looked(name: str) -> None:
        look(name)
        monkeypatch.setattr(companies, "_check_free", look)
        beside(lambda: _take(acme_alone, two.pk, "Same"))

    monkeypatch.setattr(companies, "_check_free", looked)
    given: dict[str, Any] = {"name": "Same", "changes": [], "now": NOW, "actor_id": None}
    later = (
        partial(create_company, **given)
        if how == "create"
        else partial(edit_company, company_id=one.pk, **given)
    )
    with tenant_scope(acme_alone.pk), pytest.raises(CompanyNameTaken):
        later()
    with tenant_scope(acme_alone.pk):
        assert sorted(Company.objects.values_list("name", flat=True)) == ["One", "Same"]
