"""Create sale and Create request: what they make of a cohort, in how many statements, and when they hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import QueryDict

from accounts.models import Licence, Membership
from core.tenancy import tenant_scope
from crm.models import (
    Contact,
    ContactFieldValue,
    CustomField,
    Event,
    Project,
    Request,
    RequestCategory,
    RequestMessage,
    RequestPriority,
    RequestType,
    Sale,
    SaleStage,
    SaleType,
)
from flows.checking import check_context
from flows.checks.table import CHECKS
from flows.document import FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.models import Flow
from flows.part_form import part_form
from flows.steps.base import StepBroken
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from flows.validation import node_problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.documents import step
from tests.flows.test_steps import cohort, contact, run
from tests.support.statements import statements


@pytest.fixture(autouse=True)
def scope(alice: Person, bob: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def sale_step(**more: Any) -> StepNode:
    """A whole sale step."""
    kind = SaleType.objects.get(name="New business")
    values = {
        "sale_title": "Kayaks for {{ contact.first_name|default('you') }}",
        "sale_type": kind.pk,
        "amount": "1250.50",
        "currency": "NOK",
        "description": "{{ event.form.answers.note }}",
    }
    return step("create_sale", "Offer kayaks", **{**values, **more})


def request_step(**more: Any) -> StepNode:
    """A whole request step."""
    values = {
        "request_title": "Call {{ contact.name }}",
        "request_type": RequestType.objects.earliest("rank").pk,
        "category": RequestCategory.objects.earliest("rank").pk,
        "priority": RequestPriority.objects.get(name="High").pk,
        "message": "{{ contact.custom.shoe_size }}",
    }
    return step("create_request", "Ask", **{**values, **more})


def problems(node: StepNode) -> list[tuple[str, str]]:
    found = node_problems(node, check_context(FlowDocument(steps=(node,))))
    return [(problem.place, problem.message) for problem in found]


def test_create_sale_makes_one_for_each_in_the_flows_day_with_their_own_words(
    flow: Flow, alice: Person, bob: Person
) -> None:
    ann, none = contact("Ann", our_contact=bob.user), contact("")
    group = cohort(sale_step(), ann, none, event_data={"form": {"answers": {"note": "Two <b>red</b> 🛶"}}})
    run(flow, group)
    first, second = Sale.objects.order_by("id")
    assert (first.title, first.description) == ("Kayaks for Ann", "Two <b>red</b> 🛶")
    assert (second.title, first.owner, second.owner) == ("Kayaks for you", bob.user, alice.user)
    assert (str(first.amount), first.currency, first.stage and first.stage.name) == ("1250.50", "NOK", "Lead")
    assert first.date == NOW.date() + dt.timedelta(days=60)
    assert (first.flow_id, first.participant_id, first.origin) == (flow.pk, 1000, "flow")
    assert [e.flow_id for e in Event.objects.filter(kind="sale.created")] == [flow.pk, flow.pk]


def test_create_sale_dates_by_its_own_span_and_names_its_owner(
    flow: Flow, alice: Person, bob: Person
) -> None:
    node = sale_step(date_by="after", after=2, unit="weeks", who="named", user=bob.user.pk)
    run(flow, cohort(node, contact("Ann")))
    assert (Sale.objects.get().date, Sale.objects.get().owner) == (NOW.date() + dt.timedelta(14), bob.user)
    Membership.objects.filter(user=bob.user).update(is_active=False)
    run(flow, cohort(node, contact("Ben")))
    assert Sale.objects.latest("id").owner == alice.user


def test_create_request_leaves_owners_to_the_rule_at_the_batchs_end(flow: Flow, bob: Person) -> None:
    field = CustomField.objects.create(on="contact", key="shoe-size", name="Shoe size", type="number")
    category = RequestCategory.objects.earliest("rank")
    category.rule, category.owner = "user", bob.user
    category.save()
    ann, ben = contact("Ann"), contact("Ben")
    ContactFieldValue.objects.create(contact=ann, field=field, value_number=42)
    run(flow, cohort(request_step(), ann, ben))
    made = Request.objects.order_by("id").select_related("priority")
    assert [(one.title, one.owner_id, one.priority.name) for one in made] == [
        ("Call Ann", None, "High"),
        ("Call Ben", None, "High"),
    ]
    assert list(RequestMessage.objects.values_list("body", flat=True)) == ["42"]
    run(flow, cohort(request_step(owner_by="named", user=bob.user.pk, status="closed"), ann))
    request = Request.objects.latest("id")
    assert (request.owner, request.status, request.closed_at) == (bob.user, "closed", NOW)


@pytest.mark.parametrize("make", [sale_step, request_step])
def test_a_cohort_of_two_thousand_takes_as_many_statements_as_one_of_two(flow: Flow, make: Any) -> None:
    CustomField.objects.create(on="contact", key="shoe-size", name="Shoe size", type="number")
    people = [contact(f"N{number}") for number in range(2)]
    people += Contact.objects.bulk_create(
        Contact(first_name=f"M{n}", origin="user", created_at=NOW, updated_at=NOW) for n in range(1_998)
    )

    def counted(group: Any) -> int:
        with statements() as seen:
            run(flow, group)
        return len(seen)

    node = make()
    assert counted(cohort(node, *people[:2])) == counted(cohort(node, *people))
    assert Event.objects.filter(kind__in=["sale.created", "request.created"]).count() == 2_002


@pytest.mark.parametrize(("make", "code"), [(sale_step, "sales"), (request_step, "service")])
def test_without_its_licence_the_step_says_so_and_holds_whoever_stands_there(
    flow: Flow, make: Any, code: str
) -> None:
    CustomField.objects.create(on="contact", key="shoe-size", name="Shoe size", type="number")
    node = make()
    assert problems(node) == []
    licence = Licence.objects.get(code=code)
    licence.expires_on = dt.date(2026, 11, 17)
    licence.save()
    label = Licence.Code(code).label
    document = FlowDocument(steps=(node,))
    [found] = CHECKS["missing_licence"].find(document, check_context(document))
    assert found.message == f"This step needs the licence {label}"
    with pytest.raises(StepBroken, match=f"The licence {label} is not in force"):
        run(flow, cohort(node, contact("Ann")))
    assert not Sale.objects.exists()
    assert not Request.objects.exists()


def test_an_unfinished_step_names_everything_that_is_missing(flow: Flow) -> None:
    assert problems(step("create_sale", who="named")) == [
        ("sale_title", "Give the sale a title"),
        ("type_and_stage", "Choose a sale type"),
        ("currency", "Choose a currency"),
        ("user", "Choose a user"),
    ]
    assert problems(step("create_request", owner_by="named")) == [
        ("request_title", "Give the request a title"),
        ("request_type", "Choose a request type"),
        ("category", "Choose a category"),
        ("priority", "Choose a priority"),
        ("user", "Choose a user"),
    ]


def test_what_was_deleted_and_tags_that_do_not_exist_are_problems_at_their_place(flow: Flow) -> None:
    gone = 10**9
    node = sale_step(sale_type=gone, project=gone, sale_title="{{ contact.shoes }}", description="{{ x")
    assert [place for place, _ in problems(node)] == [
        "type_and_stage",
        "project",
        "sale_title",
        "description",
    ]
    assert ("type_and_stage", "The stage was deleted: choose another") in problems(sale_step(stage=gone))
    asked = request_step(request_type=gone, category=gone, priority=gone, message="{{ links.unsubscribe }}")
    assert [place for place, _ in problems(asked)] == ["request_type", "category", "priority", "message"]
    for broken in (sale_step(sale_type=gone), sale_step(stage=gone), request_step(category=gone)):
        with pytest.raises(StepBroken):
            run(flow, cohort(broken, contact("Ann")))


def test_create_sale_and_create_request_tell_what_they_use(flow: Flow, bob: Person) -> None:
    project = Project.objects.create(name="Fair", created_at=NOW)
    stage = SaleStage.objects.earliest("pk")
    node = sale_step(stage=stage.pk, project=project.pk, who="named", user=bob.user.pk)
    found = {(r.kind, r.id) for r in STEP_KINDS["create_sale"].references(node)}
    assert found == {
        ("sale_type", node.settings["sale_type"]),
        ("sale_stage", stage.pk),
        ("project", project.pk),
        ("user", bob.user.pk),
    }
    asked = request_step(owner_by="named", user=bob.user.pk)
    assert {r.kind for r in STEP_KINDS["create_request"].references(asked)} == {
        "request_type", "request_category", "request_priority", "user",
    }  # fmt: skip


def test_summaries_say_what_is_made_and_for_whom(flow: Flow) -> None:
    def summary(node: StepNode) -> str:
        return STEP_KINDS[node.kind].summary(node, check_context(FlowDocument(steps=(node,))))

    assert summary(step("create_sale")) == "No sale described yet"
    assert summary(sale_step(sale_title="Kayaks")) == "“Kayaks”, New business, NOK 1,250.50, for our contact"
    assert summary(step("create_request")) == "No request described yet"
    assert summary(request_step(request_title="Call")) == "“Call”, General, owner by the category's rule"


def test_the_panels_forms_read_and_write_the_settings(flow: Flow, bob: Person) -> None:
    stage = SaleStage.objects.get(name="Proposal", type__name="New business")
    kind = STEP_KINDS["create_sale"]
    empty = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk)
    assert "New business: its first stage" in empty.as_p()
    assert empty.initial["currency"] == "NOK"
    data = QueryDict(mutable=True)
    data.update(
        {
            "title": "Offer", "note": "", "sale_title": "Kayaks", "type_and_stage": f"{stage.type_id}:{stage.pk}",
            "amount": "99.90", "currency": "SEK", "date_by": "after", "after": "3", "unit": "weeks",
            "who": "service_contact", "fallback_user": str(bob.user.pk),
        }
    )  # fmt: skip
    form = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=data)
    assert form.is_valid(), form.errors
    written = form.settings()
    assert written == {
        "sale_title": "Kayaks", "sale_type": stage.type_id, "stage": stage.pk, "amount": "99.90",
        "currency": "SEK", "description": "", "project": None, "date_by": "after", "after": 3,
        "unit": "weeks", "who": "service_contact", "user": None, "fallback_user": bob.user.pk,
    }  # fmt: skip
    node = step("create_sale", **written)
    again = kind.Form(kind=kind, node=node, flow_id=flow.pk)
    assert again.initial["type_and_stage"] == f"{stage.type_id}:{stage.pk}"
    stage.delete()
    gone = kind.Form(kind=kind, node=node, flow_id=flow.pk)
    assert "A type or stage that was deleted" in gone.as_p()
    asking = STEP_KINDS["create_request"]
    blank = asking.Form(kind=asking, node=asking.new(), flow_id=flow.pk)
    assert "Invoice" in blank.as_p()


# --- triggers and success criteria --------------------------------------------------------------------------------


def test_their_forms_take_several_of_each_list_and_keep_what_is_gone_visible(flow: Flow) -> None:
    kind = TRIGGER_KINDS["request_created"]
    urgent = RequestPriority.objects.get(name="Urgent")
    category = RequestCategory.objects.get(name="Invoice")
    data = QueryDict(mutable=True)
    data.setlist("priorities", [str(urgent.pk)])
    data.setlist("categories", [str(category.pk)])
    form = part_form(kind, Trigger(kind=kind.name), flow_id=flow.pk, data=data)
    assert form.is_valid(), form.errors
    settings = form.settings()
    assert settings == {"request_types": [], "categories": [category.pk], "priorities": [urgent.pk]}
    trigger = Trigger(kind=kind.name, settings=settings)
    document = FlowDocument(triggers=(trigger,))
    ctx = check_context(document)
    assert kind.summary(trigger, ctx) == "Request created (Invoice; Urgent)"
    assert kind.problems(trigger, ctx) == []
    assert {(r.kind, r.id) for r in kind.references(trigger)} == {
        ("request_category", category.pk),
        ("request_priority", urgent.pk),
    }
    urgent.delete()
    ctx = check_context(document)
    assert [p.message for p in kind.problems(trigger, ctx)] == ["A chosen priority was deleted"]
    assert kind.summary(trigger, ctx) == "Request created (Invoice; deleted)"
    assert "Deleted" in part_form(kind, trigger, flow_id=flow.pk).as_p()
    forged = QueryDict(mutable=True)
    forged.setlist("categories", ["999999"])
    assert not part_form(kind, Trigger(kind=kind.name), flow_id=flow.pk, data=forged).is_valid()


def test_without_the_licence_a_trigger_about_sales_warns(flow: Flow) -> None:
    Licence.objects.filter(code="sales").delete()
    ctx = check_context(FlowDocument())
    for found in (
        TRIGGER_KINDS["sale_sold"].problems(Trigger(kind="sale_sold"), ctx),
        SUCCESS_KINDS["sale_sold"].problems(SuccessCriterion(kind="sale_sold"), ctx),
    ):
        assert [(p.message, p.is_warning) for p in found] == [("Your licence does not include Sales", True)]


@pytest.mark.parametrize("part", ["step", "trigger", "success"])
def test_the_designer_opens_and_applies_their_panels(alice: Person, flow: Flow, part: str) -> None:
    kind = RequestType.objects.earliest("rank")
    document = FlowDocument(
        steps=(step("create_request", "Ask"),),
        triggers=(Trigger(kind="request_created"),),
        success=(SuccessCriterion(kind="request_created"),),
    )
    found: dict[str, Any] = {
        "step": document.steps[0], "trigger": document.triggers[0], "success": document.success[0]
    }  # fmt: skip
    Flow.objects.filter(pk=flow.pk).update(draft=document.model_dump(mode="json"))
    client, base = alice.client(), alice.url(f"flows/{flow.pk}/edit/")
    address = f"{part}:{found[part].id}"
    panel = client.get(f"{base}panel/", {"part": address})
    assert panel.status_code == 200
    assert kind.name in panel.text
    version = Flow.objects.get(pk=flow.pk).draft_version
    given = {"part": address, "base_version": version, "title": "Ask", "status": "open", "owner_by": "nobody"}
    chosen = {"request_title": "Call", "request_type": kind.pk, "request_types": kind.pk}
    applied = client.post(f"{base}apply/", {**given, **chosen})
    assert applied.status_code == 200, applied.text
    draft = Flow.objects.get(pk=flow.pk).draft
    kept = {"step": draft["steps"], "trigger": draft["triggers"], "success": draft["success"]}[part][0]
    wanted = {"step": ("request_type", kind.pk)}.get(part, ("request_types", [kind.pk]))
    assert kept["settings"][wanted[0]] == wanted[1]
