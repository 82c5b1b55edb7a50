"""Events from outside in flows: name and conditions, as a trigger and as success, from the API to the participant."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import ApiKey, Tenant, User
from accounts.operations.api_keys import create_api_key
from core.tenancy import tenant_scope
from crm.models import OutsideName
from crm.operations.outside import OutsideEvent, record_outside
from flows.checking import check_context
from flows.document import FlowDocument, SuccessCriterion, Trigger
from flows.outside import Condition, OutsideSettings, holds, outside_problems, value_at
from flows.part_form import part_form
from flows.success.outside_event import OutsideEventSuccess
from flows.triggers.outside_event import OutsideEventTrigger
from participants.intake import take_events
from participants.models import Participant, Suggestion
from tests.participants.conftest import World, wait

BIG = {"path": "order.total", "operator": "ge", "value": "100"}


def trigger(name: str, *conditions: dict[str, str]) -> Trigger:
    """Build the trigger."""
    return Trigger(kind="outside_event", settings={"name": name, "conditions": list(conditions)})


def post(world: World, contact: Any, name: str, data: dict[str, Any] | None = None) -> None:
    """Record an event and let intake take it."""
    record_outside(events=[OutsideEvent(name, contact.pk, data=data or {})], now=world.now)
    take_events(tenant_id=world.tenant.pk, now=world.now)


def test_an_event_with_the_name_and_data_that_hold_suggests(world: World) -> None:
    anna, bob = world.contact("Anna"), world.contact("Bob")
    flow = world.flow(wait(1), triggers=(trigger("order.placed", BIG),))
    post(world, bob, "order.placed", {"order": {"total": 99.5}})
    post(world, bob, "order.Placed", {"order": {"total": 200}})
    post(world, anna, "order.placed", {"order": {"total": "100.00"}})
    found = Participant.objects.get(flow_id=flow.pk)
    assert found.contact_id == anna.pk
    assert found.event_data is not None
    assert found.event_data["data"] == {"order": {"total": "100.00"}}
    assert Suggestion.objects.count() == 1


def test_an_event_is_a_success_after_enrolment_and_the_one_that_enrolled_never(world: World) -> None:
    anna = world.contact("Anna")
    paid = SuccessCriterion(kind="outside_event", settings={"name": "order.paid", "conditions": []})
    flow = world.flow(wait(1), triggers=(trigger("order.paid"),), success=(paid,))
    post(world, anna, "order.paid")
    assert world.one(flow, anna).success_at is None
    post(world, anna, "other")
    assert world.one(flow, anna).success_at is None
    post(world, anna, "order.paid")
    assert world.one(flow, anna).success_at == world.now


def test_an_unfinished_trigger_answers_to_nothing(world: World) -> None:
    world.flow(wait(1), triggers=(trigger(""),))
    post(world, world.contact("Anna"), "x")
    assert not Suggestion.objects.exists()


DATA = {
    "order": {
        "total": 120,
        "paid": True,
        "lines": [{"sku": "A-1"}, {"sku": "b-2"}],
        "note": "",
        "tags": ["Vip", "x"],
    }
}


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("order.total", "is", "120.0", True),
        ("order.total", "is_not", "120", False),
        ("order.total", "gt", "119.99", True),
        ("order.total", "lt", "120", False),
        ("order.total", "le", "120", True),
        ("order.paid", "is", "Yes", True),
        ("order.paid", "is", "true", True),
        ("order.paid", "gt", "0", False),
        ("order.lines.1.sku", "is", "B-2", True),
        ("order.lines.7.sku", "is_empty", "", True),
        ("order.lines.-1.sku", "is_set", "", False),
        ("order.tags", "is", "vip", True),
        ("order.tags", "is_not", "vip", False),
        ("order.tags", "contains", "VI", True),
        ("order.note", "is_empty", "", True),
        ("order.gone.deep", "is_not", "x", True),
        ("order.gone", "is", "", False),
        ("order", "is_set", "", True),
        ("order", "contains", "total", False),
        ("", "is_set", "", False),
        ("order.total", "evil", "120", True),
    ],
)
def test_conditions_read_the_data_as_people_do(path: str, operator: str, value: str, expected: bool) -> None:
    assert holds([Condition(path=path, operator=operator, value=value)], DATA) is expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    JSON,
    st.text(max_size=12),
    st.sampled_from(["is", "contains", "gt", "is_set", "is_empty"]),
    st.text(max_size=5),
)
def test_whatever_was_posted_can_be_judged(data: Any, path: str, operator: str, value: str) -> None:
    held = holds([Condition(path=path, operator=operator, value=value)], data)
    if operator == "is_set":
        assert held is (value_at(data, path) not in (None, "", [], {}))
    opposite = holds([Condition(path=path, operator="is_not", value=value)], data)
    assert opposite is not holds([Condition(path=path, operator="is", value=value)], data)


def test_what_is_missing_is_said() -> None:
    conditions: tuple[dict[str, str], ...] = (
        {},
        {"path": "a"},
        {"path": "b", "operator": "gt", "value": "x"},
        {"path": "c", "operator": "evil"},
    )
    settings = OutsideSettings(conditions=tuple(Condition(**c) for c in conditions))
    assert [problem.message for problem in outside_problems(settings)] == [
        "Say which event",
        "A condition names no value of the event",
        "a: a value is missing",
        "b: “x” is no number",
        "c: choose how to compare",
    ]


def test_the_cards_say_which_event(world: World) -> None:
    ctx = check_context(FlowDocument())
    kind, part = OutsideEventTrigger(), trigger("order.placed", BIG)
    assert kind.summary(part, ctx) == "Event from outside: “order.placed” where order.total ≥ “100”"
    success = OutsideEventSuccess()
    assert (
        success.summary(SuccessCriterion(kind="outside_event"), ctx)
        == "Event from outside: No event chosen yet"
    )


def test_the_panel_offers_the_names_that_have_come_and_reads_back_what_it_shows(world: World) -> None:
    OutsideName.objects.create(name="order.placed", first_at=world.now)
    kind, kept = OutsideEventTrigger(), trigger("order.placed", BIG)
    shown: Any = part_form(kind, kept, flow_id=1)
    assert shown.names == ["order.placed"]
    posted = "name=order.placed&condition-0-path=order.total&condition-0-operator=ge&condition-0-value=100"
    again = part_form(kind, kept, flow_id=1, data=QueryDict(posted))
    assert again.is_valid()
    assert kind.Settings.model_validate(again.settings()) == kind.settings(kept)
    more: Any = part_form(kind, kept, flow_id=1, data=QueryDict(posted + "&more=1"))
    assert [condition.path for condition in more.conditions] == ["order.total", ""]


def test_contacts_are_added_to_a_flow_through_the_api(db: None, client: Client) -> None:
    tenant = Tenant.objects.create(slug="acme", name="Acme")
    user = User.objects.create_user(email="bob@acme.test")
    with tenant_scope(tenant.pk):
        world = World(tenant, user)
        anna = world.contact("Anna")
        flow, closed = world.flow(wait(1)), world.flow(wait(1), name="Closed", status="not_running")
        _, secret = create_api_key(name="Shop", scopes=[ApiKey.Scope.FLOWS], actor=user, now=world.now)
    body = {"contacts": [{"email": "ANNA@post.test"}, {"id": anna.pk}, {"id": 999_999_999}]}
    answers = [
        client.post(
            f"/api/v1/flows/{flow_id}/contacts",
            body,
            content_type="application/json",
            headers={"authorization": f"Bearer {secret}"},
        )
        for flow_id in (flow.pk, flow.pk, closed.pk, 999_999_999, 2**63)
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 409, 404, 422]
    assert answers[0].json() == {"enrolled": 1, "verdicts": {"enrolled": 1}, "unknown": 1}
    assert answers[1].json() == {"enrolled": 0, "verdicts": {"active": 1}, "unknown": 1}
    with tenant_scope(tenant.pk):
        assert world.one(flow, anna).source == "api"
