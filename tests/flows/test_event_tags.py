"""The menu offers `event.…` tags only where a trigger of the flow fills them, and those that a tag can name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from content.operations.forms import create_form
from content.queries_form import form_fields
from core.tenancy import tenant_scope
from flows.document import FlowDocument, Trigger
from flows.event_tags import event_tags
from flows.models import Flow
from flows.triggers.table import TRIGGER_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def tags(*triggers: Trigger) -> list[tuple[str, list[str]]]:
    found = event_tags(FlowDocument(triggers=triggers))
    return [(label, [tag.tag for tag in items]) for label, items in found]


def test_a_flow_without_such_a_trigger_offers_none() -> None:
    assert tags() == []
    assert tags(Trigger(kind="contact_created"), Trigger(kind="schedule")) == []


def test_sales_bring_their_values_once_however_many_triggers_there_are() -> None:
    [(label, items)] = tags(Trigger(kind="sale_created"), Trigger(kind="sale_sold"))
    assert label == "From the trigger: Sale created"
    assert items[:2] == ["{{ event.sale.title }}", "{{ event.sale.amount }}"]


def test_a_form_brings_its_answers_and_an_event_the_values_it_is_asked_for(alice: Person) -> None:
    form = create_form(name="Sign-up", actor=alice.user, now=NOW)
    conditions = [
        {"path": "order.total", "operator": "ge", "value": "9"},
        {"path": "lines.0.no-tag", "operator": "set", "value": ""},
    ]
    found = tags(
        Trigger(kind="form_submitted", settings={"form": form.pk}),
        Trigger(kind="outside_event", settings={"name": "paid", "conditions": conditions}),
        Trigger(kind="form_submitted"),
    )
    answers = [f"{{{{ event.form.answers.{one.key} }}}}" for one in form_fields(form.pk)]
    assert found == [
        ("From the trigger: Form submitted", answers),
        ("From the trigger: Event from outside", ["{{ event.data.order.total }}"]),
    ]
    assert answers


@pytest.mark.parametrize("kind", [kind.name for kind in TRIGGER_KINDS])
def test_every_kind_of_trigger_can_be_asked_before_it_is_filled_in(kind: str) -> None:
    assert all(items for _, items in tags(Trigger(kind=kind)))


def test_the_panel_shows_them_with_the_other_tags(alice: Person, flow: Flow, world: World) -> None:
    node = step("send_sms", "Text", text="Hi")
    for triggers, shown in (((), False), ((Trigger(kind="sale_sold"),), True)):
        document = FlowDocument(settings=world.settings(), steps=(node,), triggers=triggers)
        Flow.objects.filter(pk=flow.pk).update(draft=document.model_dump(mode="json"))
        answer: Any = alice.client().get(
            alice.url(f"flows/{flow.pk}/edit/panel/"), {"part": f"step:{node.id}"}
        )
        assert ("{{ event.sale.amount }}" in answer.content.decode()) is shown
        assert ("From the trigger: Sale sold" in answer.content.decode()) is shown
