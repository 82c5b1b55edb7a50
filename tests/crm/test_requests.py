"""Requests: what is written, once, with the events that flows hear; owners in turn."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from accounts.models import Tenant
from accounts.operations import create_group, delete_group
from core.db.cursors import raw_cursor
from crm.bulk import NewRequest, assign_owners, create_requests
from crm.events import Origin
from crm.models import (
    Event,
    Request,
    RequestCategory,
    RequestMessage,
    RequestType,
)
from crm.operations import requests
from crm.operations.choices import KINDS, save_choice
from tests.crm.conftest import NOW, make_contact
from tests.crm.desk_rows import events, make_request
from tests.fixtures.people import MakePerson, Person
from tests.support.statements import statements


def test_a_request_takes_the_first_of_each_list_and_logs_its_message(scope: Tenant, alice: Person) -> None:
    RequestType.objects.filter(name="Question").update(retired=True)
    request = make_request(make_contact(first_name="Åse"), alice, message="It did not come.\x00 🙁 ")
    assert (request.type.name, request.category.name, request.priority.name) == (
        "Problem", "General", "Urgent",
    )  # fmt: skip
    (said,) = RequestMessage.objects.all()
    assert (said.body, said.request, said.at) == ("It did not come. 🙁", request, NOW)
    (event,) = events("request.created")
    assert event.data["request"] == {
        "id": request.pk,
        "title": "Where is my tent?",
        "status": "open",
        "type": "Problem",
        "type_id": request.type_id,
        "category": "General",
        "category_id": request.category_id,
        "priority": "Urgent",
        "priority_id": request.priority_id,
    }


def test_closing_and_reopening_write_one_event_each(scope: Tenant, alice: Person) -> None:
    request = make_request(make_contact(first_name="Åse"), alice)
    told: dict[str, Any] = {"request_id": request.pk, "now": NOW, "actor_id": alice.user.pk}
    assert requests.close_request(**told)
    assert not requests.close_request(**told)
    request.refresh_from_db()
    assert (request.status, request.closed_at) == ("closed", NOW)
    assert requests.reopen_request(**told)
    request.refresh_from_db()
    assert (request.status, request.closed_at) == ("open", None)
    assert not requests.reopen_request(**told)
    requests.delete_request(request_id=request.pk, now=NOW, actor=alice.user)
    told_of = [event.kind for event in Event.objects.filter(object_id=request.pk).order_by("id")]
    assert told_of == ["request.created", "request.closed", "request.reopened", "request.deleted"]


def test_the_log_takes_a_form_once_and_nothing_empty(scope: Tenant, alice: Person) -> None:
    request, key = make_request(make_contact(first_name="Åse"), alice), uuid.uuid4()
    told: dict[str, Any] = {"request_id": request.pk, "now": NOW, "author": alice.user, "is_note": True}
    first = requests.add_message(body="Ask the warehouse", form_key=key, **told)
    assert requests.add_message(body="Ask the warehouse", form_key=key, **told) == first
    with pytest.raises(requests.NothingSaid):
        requests.add_message(body=" \n\x00", **told)
    assert RequestMessage.objects.count() == 1
    assert requests.add_message(body="And the courier", form_key=key, **told) != first


@pytest.fixture
def desk(scope: Tenant, make_person: MakePerson, alice: Person) -> tuple[RequestCategory, list[int]]:
    """A category whose requests go to three people in turn; their ids in that order."""
    create_group(name="Support", actor=None)
    people = [
        make_person(scope, name, "Desk", role="Sales rep", group="Support") for name in ("Ann", "Ben", "Cid")
    ]
    category = RequestCategory.objects.get(name="Delivery")
    group_id = people[0].member.group_id
    save_choice(
        kind=KINDS["request-categories"],
        choice_id=category.pk,
        values={"name": "Delivery", "rule": "group", "owner_id": None, "group_id": group_id},
        actor=alice.user,
    )
    category.refresh_from_db()
    return category, sorted(person.user.pk for person in people)


def test_a_group_takes_turns_and_goes_on_where_it_stopped(
    scope: Tenant, alice: Person, desk: tuple[RequestCategory, list[int]]
) -> None:
    category, (ann, ben, cid) = desk
    contact = make_contact(first_name="Åse")

    def given(count: int) -> list[int | None]:
        rows = [
            NewRequest(contact.pk, f"R{n}", category_id=category.pk, automatic=True) for n in range(count)
        ]
        with raw_cursor() as cursor:
            made = create_requests(cursor, tenant_id=scope.pk, rows=rows, now=NOW, origin=Origin.FLOW)
        owners = dict(Request.objects.values_list("pk", "owner_id"))
        return [owners[i] for i in made if i]

    assert given(4) == [ann, ben, cid, ann]
    assert given(1) == [ben]
    ben_member = desk_member(ben)
    cid_member = desk_member(cid)
    cid_member.is_active = False
    cid_member.save()
    assert given(3) == [ann, ben, ann]
    ben_member.is_active = False
    ben_member.save()
    assert given(2) == [ann, ann]
    assert RequestCategory.objects.get(pk=category.pk).last_user_id == ann


def desk_member(user_id: int) -> Any:
    from accounts.models import Membership

    return Membership.objects.get(user_id=user_id)


def test_ten_thousand_requests_are_shared_evenly_in_constant_statements(
    scope: Tenant, desk: tuple[RequestCategory, list[int]]
) -> None:
    category, people = desk
    contact = make_contact(first_name="Åse")
    rows = [NewRequest(contact.pk, "R", category_id=category.pk, automatic=True) for _ in range(9_999)]
    with raw_cursor() as cursor, statements() as seen:
        create_requests(cursor, tenant_id=scope.pk, rows=rows, now=NOW, origin=Origin.FLOW)
    assert len(seen) == 10
    assert {user: Request.objects.filter(owner=user).count() for user in people} == dict.fromkeys(
        people, 3_333
    )


def test_a_group_that_is_deleted_leaves_its_categories_unassigned(
    scope: Tenant, alice: Person, desk: tuple[RequestCategory, list[int]]
) -> None:
    category, _ = desk
    group = create_group(name="Empty", actor=None)
    RequestCategory.objects.filter(pk=category.pk).update(group=group)
    delete_group(group_id=group.pk, actor=alice.user)
    category.refresh_from_db()
    assert (category.rule, category.group) == ("group", None)
    request = make_request(make_contact(first_name="Åse"), alice, category_id=category.pk, automatic=True)
    assert request.owner is None


def test_a_rule_without_anybody_leaves_the_request_unassigned(scope: Tenant, alice: Person) -> None:
    contact = make_contact(first_name="Åse")
    category = RequestCategory.objects.get(name="Invoice")
    assert make_request(contact, alice, category_id=category.pk, automatic=True).owner is None
    category.rule, category.owner = "user", alice.user
    category.save()
    request = make_request(contact, alice, category_id=category.pk, automatic=True)
    assert request.owner == alice.user
    left = make_request(contact, alice, category_id=category.pk)
    assert left.owner is None
    assert requests.assign_by_rule(request_id=left.pk, now=NOW, actor_id=alice.user.pk)
    assert not requests.assign_by_rule(request_id=left.pk, now=NOW, actor_id=alice.user.pk)
    with raw_cursor() as cursor:
        assert assign_owners(cursor, tenant_id=scope.pk, request_ids=[]) == {}
