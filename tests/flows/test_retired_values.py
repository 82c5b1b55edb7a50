"""A list value that was retired: what uses it goes on and is shown by its name, nobody can choose it anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict

from core.tenancy import tenant_scope
from crm.models import ListItem, RequestCategory, SaleStage, SaleType, SubscriptionType
from flows.checking import check_context
from flows.document import FlowDocument, MessageSettings, StepNode
from flows.panels.settings import MessagesForm
from flows.steps.forms import StepForm
from flows.steps.table import STEP_KINDS
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import step


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def panel(node: StepNode, data: dict[str, str] | None = None) -> StepForm:
    posted = None
    if data is not None:
        posted = QueryDict(mutable=True)
        posted.update({"title": node.title, **data})
    kind = STEP_KINDS[node.kind]
    return kind.Form(kind=kind, node=node, flow_id=1, data=posted)


def change(*values: Any, action: str = "set", field: str = "contact.category") -> StepNode:
    return step("update_contact", "Change", lines=[{"field": field, "action": action, "values": values}])


def offered(form: Any) -> list[str]:
    [(line, _)] = form.line_views
    return [name for _, name in line.inputs[0].options]


@pytest.fixture
def partner(world: World) -> ListItem:
    return ListItem.objects.create(
        list="category", name="Partner of old", name_norm="partner of old", retired=True
    )


def test_update_contact_keeps_a_value_that_was_retired_and_lets_nobody_choose_it(partner: ListItem) -> None:
    chosen, other = change(partner.pk), change()
    given = {"line-0-field": "contact.category", "line-0-action": "set", "line-0-value-0": str(partner.pk)}
    assert "Partner of old" in offered(panel(chosen))
    assert "Partner of old" not in offered(panel(other))
    kept = panel(chosen, given)
    assert kept.is_valid(), kept.errors
    assert kept.settings()["lines"][0]["values"] == [str(partner.pk)]
    assert STEP_KINDS["update_contact"].problems(chosen, check_context(FlowDocument(steps=(chosen,)))) == []
    anew: Any = panel(other, given)
    assert not anew.is_valid()
    assert anew.line_views[0][0].errors == ["Category: “Partner of old” is no longer offered."]
    assert anew.line_views[0][0].inputs[0].values == (str(partner.pk),)


def test_several_values_of_which_one_was_retired_stay(world: World) -> None:
    make = ListItem.objects.create
    old = make(list="interest", name="Fax", name_norm="fax", retired=True)
    new = make(list="interest", name="Mail", name_norm="mail")
    node = change(old.pk, new.pk, action="add", field="contact.interests")
    data = QueryDict(mutable=True)
    data.update({"title": "Change", "line-0-field": "contact.interests", "line-0-action": "add"})
    data.setlist("line-0-value-0", [str(old.pk), str(new.pk)])
    kind = STEP_KINDS["update_contact"]
    form = kind.Form(kind=kind, node=node, flow_id=1, data=data)
    assert "Fax" in offered(form)
    assert form.is_valid(), form.errors
    assert form.settings()["lines"][0]["values"] == [str(old.pk), str(new.pk)]


def test_steps_keep_a_retired_type_stage_and_category_and_refuse_them_to_others(world: World) -> None:
    stage = SaleStage.objects.select_related("type").first()
    category = RequestCategory.objects.first()
    assert stage is not None
    assert category is not None
    SaleStage.objects.filter(pk=stage.pk).update(retired=True)
    SaleType.objects.filter(pk=stage.type_id).update(retired=True)
    RequestCategory.objects.filter(pk=category.pk).update(retired=True)
    for kind, name, settings, value in (
        (
            "create_sale",
            "type_and_stage",
            {"sale_type": stage.type_id, "stage": stage.pk},
            f"{stage.type_id}:{stage.pk}",
        ),
        ("create_request", "category", {"category": category.pk}, str(category.pk)),
    ):
        assert name not in panel(step(kind, "Kept", **settings), {name: value}).errors, kind
        assert name in panel(step(kind, "New"), {name: value}).errors, kind


def test_a_subscription_type_that_was_retired_is_shown_by_its_name(alice: Person, world: World) -> None:
    SubscriptionType.objects.filter(pk=world.newsletter.pk).update(retired=True)
    messages = MessageSettings(subscription_type=world.newsletter.pk)
    kept = MessagesForm(messages=messages, member=alice.member)
    other = MessagesForm(messages=MessageSettings(), member=alice.member)
    name = world.newsletter.name
    assert name in dict(kept.fields["subscription_type"].choices).values()  # type: ignore[attr-defined]
    assert name not in dict(other.fields["subscription_type"].choices).values()  # type: ignore[attr-defined]
