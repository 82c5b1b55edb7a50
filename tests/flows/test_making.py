"""Making something beside a choice: it is made by its own rules and rights, and comes back as the choice that it is."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from accounts.models import Licence, RoleRight
from accounts.rights import Right
from content.models import Form, Script, TrackedLink
from content.operations.forms import create_form
from core.tenancy import tenant_scope
from crm.criteria.fields import custom_key
from crm.models import (
    ListItem,
    Project,
    RequestCategory,
    RequestPriority,
    RequestType,
    SaleStage,
    SaleType,
    Selection,
    SubscriptionType,
)
from crm.operations.lists import add_field
from flows.document import FlowDocument, SuccessCriterion, Trigger
from flows.making import THINGS, made_beside
from flows.models import Flow
from flows.operations.create import create_flow
from flows.searched import CHOOSABLE
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step

# What is made at each kind of choice, what is posted, and where it is then.
MADE: list[tuple[str, str, dict[str, Any], Any]] = [
    ("selection", "selection", {"name": "VIPs"}, Selection),
    ("any_selection", "selection", {"name": "VIPs"}, Selection),
    ("project", "project", {"name": "Fair", "description": "In May"}, Project),
    ("form", "form", {"name": "Sign-up"}, Form),
    ("link", "link", {"name": "Offer", "url": "https://acme.test/offer"}, TrackedLink),
    ("script", "script", {"name": "Score"}, Script),
    ("click", "link", {"name": "Offer", "url": "https://acme.test/offer"}, TrackedLink),
    ("submission", "form", {"name": "Sign-up"}, Form),
    ("action", "form", {"name": "Sign-up"}, Form),
    ("subscription_type", "subscription_type", {"name": "Our own offers"}, SubscriptionType),
    ("follow_up_type", "follow_up_type", {"name": "Our own call"}, ListItem),
    ("list:category", "category", {"name": "Our own category"}, ListItem),
    ("list:business", "business", {"name": "Our own business"}, ListItem),
    ("list:interest", "interest", {"name": "Our own interest"}, ListItem),
    ("type_and_stage", "sale_type", {"name": "Our own sale", "default_days": "30"}, SaleType),
    ("request_type", "request_type", {"name": "Our own complaint"}, RequestType),
    ("request_category", "request_category", {"name": "Our own returns", "rule": "nobody"}, RequestCategory),
    ("request_priority", "request_priority", {"name": "Our own urgent"}, RequestPriority),
]


def url(person: Person, flow: Flow, kind: str, name: str) -> str:
    return person.url(f"flows/{flow.pk}/edit/choices/{kind}/new/{name}/")


def made(page: str) -> tuple[str, str]:
    found = re.search(r'data-value="([^"]*)" data-label="([^"]*)"', page)
    assert found is not None, page
    return html.unescape(found[1]), html.unescape(found[2])


@pytest.mark.parametrize(("kind", "name", "posted", "model"), MADE)
def test_it_is_made_and_comes_back_as_a_choice(
    kind: str, name: str, posted: dict[str, Any], model: Any, alice: Person, flow: Flow, world: World
) -> None:
    with tenant_scope(alice.tenant.pk):
        for code in (Licence.Code.SERVICE, Licence.Code.SALES):
            Licence.objects.get_or_create(code=code)
    client, place = alice.client(), url(alice, flow, kind, name)
    assert f"New {THINGS[name].noun}" in client.get(place).content.decode()
    empty = client.post(place, {"name": " "})
    assert (empty.status_code, "data-made" in empty.content.decode()) == (422, False)
    value, label = made(client.post(place, posted).content.decode())
    with tenant_scope(alice.tenant.pk):
        pk = model.objects.get(name=posted["name"]).pk
        assert posted["name"] in label
        assert str(pk) in value
        if kind in CHOOSABLE:
            assert CHOOSABLE[kind].labels(flow.pk, [value]) == {value: label}
    again = client.post(place, posted)
    assert (again.status_code, "has-error" in again.content.decode()) == (422, True)
    with tenant_scope(alice.tenant.pk):
        assert model.objects.filter(name=posted["name"]).count() == 1


def test_every_thing_is_tried() -> None:
    # Those of a sale type and of a custom field need one: below.
    there = {name for _, name, _, _ in MADE} | {"sale_stage", "custom"}
    assert there == {thing.name for thing in THINGS}
    assert [made_beside(kind) for kind in ("action", "user", "flow")] == [("link", "form"), (), ()]


def test_a_stage_is_made_for_its_type_and_chosen_with_it(alice: Person, flow: Flow, world: World) -> None:
    with tenant_scope(alice.tenant.pk):
        Licence.objects.get_or_create(code=Licence.Code.SALES)
        kind = SaleType.objects.order_by("rank").first()
        assert kind is not None
    client, place = alice.client(), url(alice, flow, "type_and_stage", "sale_stage")
    posted = {"name": "Handshake", "type_id": kind.pk, "probability": "80"}
    value, label = made(client.post(place, posted).content.decode())
    with tenant_scope(alice.tenant.pk):
        stage = SaleStage.objects.get(name="Handshake")
        assert (stage.type_id, stage.probability) == (kind.pk, 80)
        assert (value, label) == (f"{kind.pk}:{stage.pk}", f"{kind.name}: Handshake (80 %)")
    without = client.post(place, {**posted, "name": "Other", "type_id": ""})
    assert (without.status_code, "has-error" in without.content.decode()) == (422, True)
    with tenant_scope(alice.tenant.pk):
        Licence.objects.filter(code=Licence.Code.SALES).delete()
    assert client.post(place, {**posted, "name": "Other"}).status_code == 404


def test_triggers_and_success_criteria_make_what_narrows_them(alice: Person, world: World) -> None:
    with tenant_scope(alice.tenant.pk):
        for code in (Licence.Code.SALES, Licence.Code.SERVICE):
            Licence.objects.get_or_create(code=code)
        sale, request = Trigger(kind="sale_sold"), SuccessCriterion(kind="request_created")
        document = FlowDocument(triggers=(sale,), success=(request,))
        mine = create_flow(name="Mine", owner=alice.user, now=NOW, document=document)

    def offers(part: str) -> list[str]:
        page = alice.client().get(alice.url(f"flows/{mine.pk}/edit/panel/?part={part}")).content.decode()
        return re.findall(r'data-make="([a-z_]+)"', page)

    assert offers(f"trigger:{sale.id}") == ["sale_type"]
    assert offers(f"success:{request.id}") == ["request_type", "request_category", "request_priority"]


def test_a_value_is_made_for_its_custom_field_alone(alice: Person, flow: Flow, world: World) -> None:
    with tenant_scope(alice.tenant.pk):
        field = add_field(name="Shirt", on="contact", type_="list", actor=alice.user)
        text = add_field(name="Nickname", on="contact", type_="text", actor=alice.user)
    client = alice.client()
    value, label = made(
        client.post(url(alice, flow, f"list:custom:{field.pk}", "custom"), {"name": "XL"}).content.decode()
    )
    with tenant_scope(alice.tenant.pk):
        item = ListItem.objects.get(name="XL")
        assert (item.field_id, item.list, value, label) == (field.pk, "custom", str(item.pk), "XL")
    for bad in (f"list:custom:{text.pk}", "list:custom:0", "list:custom", f"list:category:{field.pk}"):
        assert client.post(url(alice, flow, bad, "custom"), {"name": "S"}).status_code == 404, bad
    node = step("update_contact", "Shirts", lines=[{"field": custom_key(field), "action": "set"}])
    with tenant_scope(alice.tenant.pk):
        mine = create_flow(name="Mine", owner=alice.user, now=NOW, document=FlowDocument(steps=(node,)))
    panel = alice.client().get(alice.url(f"flows/{mine.pk}/edit/panel/?part=step:{node.id}")).content.decode()
    assert f'data-kind="list:custom:{field.pk}" data-name="line-0-value-0"' in panel


def test_who_may_not_make_it_sees_no_button_and_is_refused(
    bob: Person, charlie: Person, wendy: Person, flow: Flow, world: World
) -> None:
    panel = bob.url(f"flows/{flow.pk}/edit/panel/?part=messages")
    page = bob.client().get(panel).content.decode()
    with tenant_scope(bob.tenant.pk):
        RoleRight.objects.filter(role=bob.member.role, right=Right.MANAGE_LISTS).delete()
    assert 'data-make="subscription_type"' not in bob.client().get(panel).content.decode()
    place = url(bob, flow, "subscription_type", "subscription_type")
    assert bob.client().post(place, {"name": "Our own offers"}).status_code == 404
    for stranger in (charlie, wendy):
        answer = stranger.client().post(
            bob.url(f"flows/{flow.pk}/edit/choices/selection/new/selection/"), {"name": "Mine"}
        )
        assert answer.status_code == 404, stranger
    assert bob.client().get(url(bob, flow, "flow", "selection")).status_code == 404
    assert bob.client().get(url(bob, flow, "selection", "nothing")).status_code == 404
    with tenant_scope(bob.tenant.pk):
        assert not Selection.objects.filter(name="Mine").exists()
    assert "Subscription type" in page


def test_an_address_that_leads_nowhere_is_refused_at_its_field(
    alice: Person, flow: Flow, world: World
) -> None:
    page = alice.client().post(
        url(alice, flow, "link", "link"), {"name": "Bad", "url": "javascript:alert(1)"}
    )
    assert page.status_code == 422
    assert 'id="make_url_error"' in page.content.decode() or "has-error" in page.content.decode()
    with tenant_scope(alice.tenant.pk):
        assert not TrackedLink.objects.exists()


def test_what_is_chosen_opens_from_the_panel_where_one_might_make_it(alice: Person, world: World) -> None:
    with tenant_scope(alice.tenant.pk):
        form = create_form(name="Sign-up <b>", actor=alice.user, now=NOW)
        trigger = Trigger(kind="form_submitted", settings={"form": form.pk})
        document = FlowDocument(settings=world.settings(), triggers=(trigger,))
        flow = create_flow(name="Given", owner=alice.user, now=NOW, document=document)
    panel = alice.url(f"flows/{flow.pk}/edit/panel/?part=trigger:{trigger.id}")
    page = alice.client().get(panel).content.decode()
    assert f'href="{alice.url(f"content/forms/{form.pk}/")}"' in page
    assert "Open “Sign-up &lt;b&gt;”" in page
    with tenant_scope(alice.tenant.pk):
        Form.objects.filter(pk=form.pk).update(deleted_at=NOW)
    assert "Open “" not in alice.client().get(panel).content.decode()
