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
from crm.models import (
    ListItem,
    Project,
    RequestCategory,
    RequestPriority,
    RequestType,
    Selection,
    SubscriptionType,
)
from flows.document import FlowDocument, Trigger
from flows.making import THINGS, made_beside
from flows.models import Flow
from flows.operations.create import create_flow
from flows.searched import CHOOSABLE
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World

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
        Licence.objects.get_or_create(code=Licence.Code.SERVICE)
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
    assert {name for _, name, _, _ in MADE} == {thing.name for thing in THINGS}
    assert [made_beside(kind) for kind in ("action", "user", "flow")] == [("link", "form"), (), ()]


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
