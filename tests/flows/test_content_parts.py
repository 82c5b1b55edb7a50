"""Forms and registered links as triggers and success criteria: which events they take, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from content.actions import ChangeLine
from content.link_actions import LinkActions
from content.models import Form, TrackedLink
from content.operations.forms import create_form, delete_form, open_form
from content.operations.links import LinkDraft, create_link, delete_link
from core.tenancy import tenant_scope
from crm.events import Origin
from crm.models import Selection
from crm.operations.usage import InUse
from flows.checking import check_context
from flows.checks.table import CHECKS
from flows.document import FlowDocument, SuccessCriterion, Trigger
from flows.models import Flow
from flows.operations.save import save_draft
from flows.part_form import part_form
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from flows.validation import problems
from tests.fixtures.people import Person
from tests.flows.conftest import NOW
from tests.flows.documents import step


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


@pytest.fixture
def form(alice: Person) -> Form:
    made = create_form(name="Sign-up", actor=alice.user, now=NOW)
    open_form(form_id=made.pk, actor=alice.user, now=NOW)
    return made


@pytest.fixture
def link() -> TrackedLink:
    return create_link(
        draft=LinkDraft(name="Offer", folder="Spring", url="https://a.test/"), actor=None, now=NOW
    )


def test_form_submitted_answers_to_its_form_from_every_door(form: Form) -> None:
    kind = TRIGGER_KINDS["form_submitted"]
    trigger = Trigger(kind=kind.name, settings={"form": form.pk})
    rule = kind.event_filter(trigger)
    assert rule.takes("form.submitted", form.pk, "", Origin.FORM, {})
    assert not rule.takes("form.submitted", form.pk + 1, "", Origin.FORM, {})
    assert not kind.event_filter(Trigger(kind=kind.name)).takes("form.submitted", form.pk, "", "form", {})
    ctx = check_context(FlowDocument(triggers=(trigger,)))
    assert kind.summary(trigger, ctx) == "“Sign-up” submitted"
    assert kind.problems(trigger, ctx) == []
    assert [p.message for p in kind.problems(Trigger(kind=kind.name), ctx)] == ["Choose a form"]


def test_a_closed_form_is_a_warning_and_a_deleted_one_an_error(form: Form) -> None:
    kind = TRIGGER_KINDS["form_submitted"]
    trigger = Trigger(kind=kind.name, settings={"form": form.pk})
    Form.objects.update(is_open=False)
    document = FlowDocument(triggers=(trigger,))
    assert kind.problems(trigger, check_context(document)) == []
    [found] = CHECKS["closed_form"].find(document, check_context(document))
    assert (found.message, found.is_warning) == ("“Sign-up” is closed: nobody can send it", True)
    Form.objects.update(deleted_at=NOW)
    [problem] = kind.problems(trigger, check_context(FlowDocument(triggers=(trigger,))))
    assert (problem.message, problem.is_warning) == ("The form was deleted: choose another", False)


def test_link_clicked_answers_to_clicks_of_people_on_its_link(link: TrackedLink) -> None:
    kind = TRIGGER_KINDS["link_clicked"]
    trigger = Trigger(kind=kind.name, settings={"link": link.pk})
    rule = kind.event_filter(trigger)
    assert rule.takes("link.clicked", link.pk, "", Origin.LINK, {})
    assert not rule.takes("link.clicked", link.pk + 1, "", Origin.LINK, {})
    assert not rule.takes("message.clicked", link.pk, "", Origin.LINK, {})
    assert not rule.takes("message.machine_clicked", link.pk, "", Origin.LINK, {})
    assert kind.summary(trigger, check_context(FlowDocument(triggers=(trigger,)))) == "“Offer” clicked"


def test_both_count_as_success(form: Form, link: TrackedLink) -> None:
    for name, settings, event in (
        ("form_submitted", {"form": form.pk}, "form.submitted"),
        ("link_clicked", {"link": link.pk}, "link.clicked"),
    ):
        kind = SUCCESS_KINDS[name]
        criterion = SuccessCriterion(kind=name, settings=settings)
        [object_id] = settings.values()
        assert kind.event_filter(criterion).takes(event, object_id, "", "link", {})
        assert kind.wakes_on(criterion) == frozenset({event})
        assert not kind.is_state
        ctx = check_context(FlowDocument(success=(criterion,)))
        assert kind.problems(criterion, ctx) == []
        empty = SuccessCriterion(kind=name)
        assert not kind.event_filter(empty).takes(event, object_id, "", "link", {})
        assert kind.problems(empty, ctx)[0].message.startswith("Choose a ")


def test_their_forms_offer_what_there_is_and_keep_what_was_deleted(
    form: Form, link: TrackedLink, flow: Flow
) -> None:
    trigger = Trigger(kind="link_clicked", settings={"link": 999_999})
    drawn = part_form(TRIGGER_KINDS["link_clicked"], trigger, flow_id=flow.pk)
    assert list(drawn.fields) == ["link"]
    assert drawn.fields["link"].choices == [  # type: ignore[attr-defined]
        ("", "Choose…"), (str(link.pk), "Spring / Offer"), ("999999", "A tracked link that was deleted"),
    ]  # fmt: skip
    drawn = part_form(
        SUCCESS_KINDS["form_submitted"], SuccessCriterion(kind="form_submitted"), flow_id=flow.pk
    )
    assert list(drawn.fields) == ["form"]
    assert (str(form.pk), "Sign-up") in drawn.fields["form"].choices  # type: ignore[attr-defined]


def test_what_a_saved_flow_names_cannot_be_deleted(
    form: Form, link: TrackedLink, flow: Flow, alice: Person
) -> None:
    document = FlowDocument.model_validate(flow.draft).model_copy(
        update={
            "triggers": (Trigger(kind="form_submitted", settings={"form": form.pk}),),
            "success": (SuccessCriterion(kind="link_clicked", settings={"link": link.pk}),),
        }
    )
    Flow.objects.filter(pk=flow.pk).update(draft=document.model_dump(mode="json"))
    save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW)
    with pytest.raises(InUse):
        delete_form(form_id=form.pk, actor=alice.user, now=NOW)
    with pytest.raises(InUse):
        delete_link(link_id=link.pk, actor=alice.user, now=NOW)


def test_a_form_or_link_that_repeats_or_contradicts_a_step_is_a_warning_there(form: Form) -> None:
    fans, cold = (Selection.objects.create(name=name, created_at=NOW) for name in ("Fans", "Cold"))
    actions = LinkActions(
        add_to_selections=(fans.pk,),
        remove_from_selections=(cold.pk,),
        changes=(ChangeLine(field="contact.job_title", values=("Visitor",)),),
    )
    draft = LinkDraft(name="Busy", url="https://a.test/", actions=actions)
    busy = create_link(draft=draft, actor=None, now=NOW)
    steps = (
        step("add_to_selection", "Same", selection=fans.pk),
        step("remove_from_selection", "Opposite", selection=fans.pk),
        step("add_to_selection", "Opposite too", selection=cold.pk),
        step(
            "update_contact",
            "Field",
            lines=[{"field": "contact.job_title", "action": "set", "values": ["x"]}],
        ),
        step(
            "update_contact",
            "Other field",
            lines=[{"field": "contact.phone", "action": "clear", "values": []}],
        ),
    )
    quiet = FlowDocument(triggers=(Trigger(kind="form_submitted", settings={"form": form.pk}),), steps=steps)
    check = CHECKS["does_the_same"]
    assert list(check.find(quiet, check_context(quiet))) == []
    loud = quiet.model_copy(
        update={"success": (SuccessCriterion(kind="link_clicked", settings={"link": busy.pk}),)}
    )
    assert [(p.title, p.message) for p in check.find(loud, check_context(loud))] == [
        ("Same", "“Busy” adds to this selection by itself already"),
        ("Opposite", "“Busy” does the opposite by itself: it adds to this selection"),
        ("Opposite too", "“Busy” does the opposite by itself: it removes from this selection"),
        ("Field", "“Busy” changes Job title by itself to another value: whichever comes last wins"),
    ]
    said = [p for p in problems(loud, now=NOW) if "by itself" in p.message]
    assert len(said) == 4
    assert all(problem.is_warning and problem.part.startswith("step:") for problem in said)
