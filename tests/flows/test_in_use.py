"""What a flow that still exists uses cannot be deleted: each page refuses it, and leads to the step that uses it."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Licence
from content.models import Email, Form, Script, TrackedLink
from content.operations.forms import create_form
from content.operations.links import LinkDraft, create_link
from content.operations.scripts import STARTER, save_script
from core.tenancy import tenant_scope
from crm.criteria.fields import custom_key
from crm.models import (
    CustomField,
    ListItem,
    Project,
    RequestCategory,
    RequestPriority,
    RequestType,
    SaleStage,
    SaleType,
    Selection,
)
from crm.operations.lists import add_field, add_item
from flows.document import FlowDocument, StepNode
from flows.models import Flow
from flows.operations.create import create_flow
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step


def clicks(link: int) -> StepNode:
    return step("wait_for_action", "Use", actions=[{"kind": "link", "id": link}])


def submits(form: int) -> StepNode:
    return step("wait_for_action", "Use", actions=[{"kind": "form", "id": form}])


def changes(field: str, *values: Any) -> StepNode:
    return step("update_contact", "Use", lines=[{"field": field, "action": "set", "values": values}])


# What is used → the model, how it is used by a step, and where its page deletes it (with what is posted).
USED: dict[str, tuple[Any, Any, str, dict[str, str]]] = {
    "email": (Email, lambda pk: step("send_email", "Use", email=pk), "content/{}/delete/", {}),
    "form": (Form, submits, "content/forms/{}/delete/", {}),
    "link": (TrackedLink, clicks, "content/links/{}/delete/", {}),
    "script": (Script, lambda pk: step("run_script", "Use", script=pk), "content/scripts/{}/delete/", {}),
    "selection": (
        Selection,
        lambda pk: step("add_to_selection", "Use", selection=pk),
        "selections/{}/delete/",
        {},
    ),
    "project": (Project, lambda pk: step("add_to_selection", "Use", project=pk), "projects/{}/delete/", {}),
    "flow": (Flow, lambda pk: step("go_to_flow", "Use", flow=pk), "flows/{}/delete/", {}),
    "custom_field": (
        CustomField,
        lambda pk: changes(custom_key(CustomField.objects.get(pk=pk)), "x"),
        "settings/custom-fields/{}/",
        {"do": "delete"},
    ),
    "list_item": (
        ListItem,
        lambda pk: changes("contact.category", pk),
        "settings/lists/category/{}/",
        {"do": "delete"},
    ),
    "sale_type": (
        SaleType,
        lambda pk: step("create_sale", "Use", sale_type=pk),
        "settings/sales-and-requests/sale-types/{}/do/",
        {"do": "delete"},
    ),
    "sale_stage": (
        SaleStage,
        lambda pk: step("create_sale", "Use", stage=pk),
        "settings/sales-and-requests/sale-stages/{}/do/",
        {"do": "delete"},
    ),
    "request_type": (
        RequestType,
        lambda pk: step("create_request", "Use", request_type=pk),
        "settings/sales-and-requests/request-types/{}/do/",
        {"do": "delete"},
    ),
    "request_category": (
        RequestCategory,
        lambda pk: step("create_request", "Use", category=pk),
        "settings/sales-and-requests/request-categories/{}/do/",
        {"do": "delete"},
    ),
    "request_priority": (
        RequestPriority,
        lambda pk: step("create_request", "Use", priority=pk),
        "settings/sales-and-requests/request-priorities/{}/do/",
        {"do": "delete"},
    ),
}


def make(what: str, alice: Person, world: World) -> int:
    """Make one of these that nothing else uses, or return one that is there."""
    new: dict[str, Any] = {
        "email": lambda: world.welcome,
        "form": lambda: create_form(name="Sign-up", actor=alice.user, now=NOW),
        "link": lambda: create_link(
            draft=LinkDraft(name="Offer", url="https://a.test/"), actor=None, now=NOW
        ),
        "script": lambda: save_script(
            script_id=None, name="Score", description="", source=STARTER, revision=0, actor=None, now=NOW
        ),
        "selection": lambda: world.selection,
        "project": lambda: Project.objects.create(name="Fair", created_at=NOW),
        "flow": lambda: create_flow(name="Win-back", owner=alice.user, now=NOW),
        "custom_field": lambda: add_field(on="contact", name="Nickname", type_="text", actor=alice.user),
        "list_item": lambda: add_item(list_name="category", field_id=None, name="Odd", actor=alice.user),
    }
    if what in new:
        pk: int = new[what]().pk
        return pk
    return int(USED[what][0].objects.order_by("pk").first().pk)


@pytest.mark.parametrize("what", USED)
def test_it_is_not_deleted_and_the_refusal_leads_to_the_step(what: str, alice: Person, world: World) -> None:
    model, used_by, place, posted = USED[what]
    with tenant_scope(alice.tenant.pk):
        for code in (Licence.Code.SALES, Licence.Code.SERVICE):
            Licence.objects.get_or_create(code=code)
        pk = make(what, alice, world)
        node = used_by(pk)
        flow = create_flow(name="Spring <i>", owner=alice.user, now=NOW, document=FlowDocument(steps=(node,)))
    way = f"{alice.url(f'flows/{flow.pk}/edit/')}?part=step:{node.id}"
    page = alice.client().post(alice.url(place.format(pk)), posted, follow=True).content.decode()
    [said] = page.split('<div class="toast-note is-error">')[1:]
    said = said.split("</div>")[0]
    assert f'<a href="{way}">Spring &lt;i&gt; (in a draft)' in said
    assert "cannot be deleted: it is used by" in said
    with tenant_scope(alice.tenant.pk):
        kept = model.objects.filter(pk=pk)
        assert (kept.filter(deleted_at=None) if hasattr(model, "deleted_at") else kept).exists()
        Flow.objects.filter(pk=flow.pk).update(visibility=Flow.Visibility.OWNER)


def test_a_flow_that_one_may_not_see_is_not_named(alice: Person, bob: Person, world: World) -> None:
    with tenant_scope(alice.tenant.pk):
        uses = step("send_email", "Use", email=world.welcome.pk)
        flow = create_flow(name="Secret", owner=alice.user, now=NOW, document=FlowDocument(steps=(uses,)))
        Flow.objects.filter(pk=flow.pk).update(visibility=Flow.Visibility.OWNER)
    page = bob.client().post(bob.url(f"content/{world.welcome.pk}/delete/"), follow=True).content.decode()
    assert "“Welcome” cannot be deleted: it is used by A flow you may not see." in page
    assert "Secret" not in page
