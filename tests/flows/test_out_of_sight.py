"""Flows that somebody may not see are neither offered nor taken; what a colleague chose stays, without its name."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.looking import looking_as, who_looks
from content.models import Email
from core.tenancy import tenant_scope
from crm.criteria.choices import choices_of, names_of
from crm.criteria.fields import field_named
from crm.criteria.schema import Criteria, Group, Line
from crm.criteria.unseen import unseen_problem
from crm.operations.usage import write_uses
from flows.checking import check_context
from flows.document import FlowDocument, FlowSettings, StepNode
from flows.editing.frame import with_filter, with_settings
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from flows.searched import CHOOSABLE
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step

UNSEEN = "a flow you may not see"


@pytest.fixture
def secret(alice: Person, flow: Flow) -> Flow:
    """A flow that only Alice sees; Bob is flow administrator and sees the other one."""
    with tenant_scope(alice.tenant.pk):
        made = create_flow(name="Layoffs", owner=alice.user, now=NOW, document=FlowDocument())
        Flow.objects.filter(pk=made.pk).update(visibility=Flow.Visibility.OWNER)
        return made


@pytest.fixture
def open_one(alice: Person, flow: Flow) -> Flow:
    with tenant_scope(alice.tenant.pk):
        return create_flow(name="Onboarding", owner=alice.user, now=NOW, document=FlowDocument())


def criteria(flow_id: int) -> Criteria:
    line = Line(field="flow.enrolled", operator="at_least", values=("1",), which=(flow_id,))
    return Criteria(groups=(Group(lines=(line,)),))


def store(flow: Flow, document: FlowDocument) -> None:
    with tenant_scope(flow.tenant.pk):
        Flow.objects.filter(pk=flow.pk).update(draft=document.model_dump(mode="json"))


def apply(person: Person, flow: Flow, part: str, posted: dict[str, Any]) -> Any:
    with tenant_scope(flow.tenant.pk):
        version = Flow.objects.get(pk=flow.pk).draft_version
    data = {"part": part, "next": part, "base_version": version, **posted}
    return person.client().post(person.url(f"flows/{flow.pk}/edit/apply/"), data)


def drafted(flow: Flow) -> FlowDocument:
    with tenant_scope(flow.tenant.pk):
        return draft_of(Flow.objects.get(pk=flow.pk))


def test_the_search_offers_only_flows_in_sight(
    alice: Person, bob: Person, flow: Flow, secret: Flow, open_one: Flow
) -> None:
    url = f"flows/{flow.pk}/edit/choices/flow/"
    for person, told in ((alice, True), (bob, False)):
        page = person.client().get(person.url(url)).content.decode()
        assert ("Layoffs" in page, "Onboarding" in page) == (told, True)
    with tenant_scope(bob.tenant.pk):
        assert who_looks() is None
        assert CHOOSABLE["flow"].labels(flow.pk, [str(secret.pk)]) == {str(secret.pk): "Layoffs"}


ENROLMENT = {"timezone": "Europe/Oslo", "control_share": "0"}


def test_a_flow_to_remove_from_is_refused_out_of_sight_and_kept_where_it_was_chosen(
    alice: Person, bob: Person, flow: Flow, secret: Flow, open_one: Flow
) -> None:
    panel = bob.client().get(bob.url(f"flows/{flow.pk}/edit/panel/?part=settings"))
    assert "Onboarding" in panel.content.decode()
    assert "Layoffs" not in panel.content.decode()
    refused = apply(bob, flow, "settings", {**ENROLMENT, "remove_from_flows": [secret.pk]})
    assert refused.status_code == 422
    assert drafted(flow).settings.remove_from_flows == ()
    taken = apply(alice, flow, "settings", {**ENROLMENT, "remove_from_flows": [secret.pk]})
    assert (taken.status_code, drafted(flow).settings.remove_from_flows) == (200, (secret.pk,))
    shown = bob.client().get(bob.url(f"flows/{flow.pk}/edit/panel/?part=settings")).content.decode()
    assert ("Layoffs" in shown, "A flow you may not see" in shown) == (False, True)
    both = apply(bob, flow, "settings", {**ENROLMENT, "remove_from_flows": [open_one.pk, secret.pk]})
    assert (both.status_code, drafted(flow).settings.remove_from_flows) == (200, (open_one.pk, secret.pk))


def goes_to(flow_id: int | None) -> tuple[FlowDocument, StepNode]:
    node = step("go_to_flow", "Hand over", flow=flow_id)
    return FlowDocument(steps=(node,), settings=FlowSettings(timezone="UTC")), node


def test_a_step_takes_no_flow_out_of_sight_and_keeps_the_one_that_a_colleague_chose(
    bob: Person, flow: Flow, secret: Flow
) -> None:
    document, node = goes_to(None)
    store(flow, document)
    posted = {"title": "Hand over", "then": "leave", "flow": str(secret.pk)}
    assert apply(bob, flow, f"step:{node.id}", posted).status_code == 422
    assert drafted(flow).steps[0].settings["flow"] is None
    document, node = goes_to(secret.pk)
    store(flow, document)
    page = bob.client().get(bob.url(f"flows/{flow.pk}/edit/?part=step:{node.id}")).content.decode()
    assert "Layoffs" not in page
    assert f'<option value="{secret.pk}" selected>A flow you may not see</option>' in page
    # The card names it no more than the panel, and the check does not call it deleted.
    assert f"“{UNSEEN}”, and leaves" in page
    assert "was deleted" not in page
    assert apply(bob, flow, f"step:{node.id}", {**posted, "title": "Further"}).status_code == 200
    assert (drafted(flow).steps[0].title, drafted(flow).steps[0].settings["flow"]) == ("Further", secret.pk)


def test_criteria_name_no_flow_out_of_sight_but_keep_it(
    alice: Person, bob: Person, flow: Flow, secret: Flow
) -> None:
    posted = {
        "criteria.g0.l0.field": "flow.enrolled",
        "criteria.g0.l0.operator": "at_least",
        "criteria.g0.l0.v0": "1",
        "criteria.g0.l0.which": [str(secret.pk)],
    }
    refused = apply(bob, flow, "filter", posted)
    assert refused.status_code == 422
    assert "Entered a flow: choose something that you may see." in refused.content.decode()
    assert drafted(flow).filter is None
    store(flow, with_filter(drafted(flow), criteria=criteria(secret.pk)))
    page = bob.client().get(bob.url(f"flows/{flow.pk}/edit/?part=filter")).content.decode()
    assert ("Layoffs" in page, f"({UNSEEN})" in page) == (False, True)
    assert apply(bob, flow, "filter", posted).status_code == 200
    kept = drafted(flow).filter
    assert kept is not None
    assert kept.groups[0].lines[0].which == (str(secret.pk),)  # type: ignore[union-attr]
    assert "Layoffs" in alice.client().get(alice.url(f"flows/{flow.pk}/edit/?part=filter")).content.decode()


def test_a_list_does_not_name_it_and_a_dynamic_selection_is_refused(bob: Person, secret: Flow) -> None:
    line = {"field": "flow.enrolled", "operator": "at_least", "v0": "1", "which": str(secret.pk)}
    query = {f"f.g0.l0.{name}": value for name, value in line.items()}
    page = bob.client().get(bob.url("contacts/"), query).content.decode()
    assert ("Layoffs" in page, "A flow you may not see" in page or UNSEEN in page) == (False, True)
    posted = {"name": "Spied", **{f"rule.g0.l0.{name}": value for name, value in line.items()}}
    answer = bob.client().post(bob.url("selections/new-dynamic/"), posted)
    assert answer.status_code == 422
    assert "Entered a flow: choose something that you may see." in answer.content.decode()


def test_an_email_of_a_flow_out_of_sight_is_not_told_either(
    alice: Person, bob: Person, secret: Flow, world: World
) -> None:
    with tenant_scope(alice.tenant.pk):
        Email.objects.filter(pk=world.unfinished.pk).update(flow_id=secret.pk)
        got, pk = field_named("event.got"), world.unfinished.pk
        with looking_as(bob.member):
            assert [choice.name for choice in choices_of(got)] == ["Welcome"]
            assert names_of({"email": [pk, world.welcome.pk]})["email"] == {
                pk: "an email you may not see", world.welcome.pk: "Welcome",
            }  # fmt: skip
        assert [choice.name for choice in choices_of(got)] == ["Unfinished", "Welcome"]


def test_names_are_veiled_for_who_looks_and_whole_for_a_worker(
    alice: Person, bob: Person, secret: Flow, flow: Flow
) -> None:
    field_key = "flow.enrolled"
    with tenant_scope(alice.tenant.pk):
        document = with_settings(
            FlowDocument(), settings=FlowSettings(timezone="UTC", remove_from_flows=(secret.pk,))
        )
        for member, name in ((None, "Layoffs"), (alice.member, "Layoffs"), (bob.member, UNSEEN)):
            if member is None:
                seen = check_context(document).name("flow", secret.pk), names_of({"flow": [secret.pk]})
            else:
                with looking_as(member):
                    seen = check_context(document).name("flow", secret.pk), names_of({"flow": [secret.pk]})
            assert seen == (name, {**seen[1], "flow": {secret.pk: name}})
        with looking_as(bob.member):
            assert "Layoffs" not in [choice.name for choice in choices_of(field_named(field_key))]
            assert unseen_problem(criteria(secret.pk)) == "Entered a flow: choose something that you may see."
            assert unseen_problem(criteria(secret.pk), criteria(secret.pk)) is None
        assert unseen_problem(criteria(secret.pk)) is None
    assert who_looks() is None


def test_where_a_selection_is_used_does_not_tell_it_either(
    alice: Person, bob: Person, secret: Flow, world: World
) -> None:
    with tenant_scope(alice.tenant.pk):
        references = [("selection", world.selection.pk)]
        write_uses(
            user_kind="flow", user_id=secret.pk, user_name="Layoffs", page="flows:edit",
            references=references, place="Trigger",
        )  # fmt: skip
    for person, told in ((alice, True), (bob, False)):
        page = person.client().get(person.url(f"selections/{world.selection.pk}/")).content.decode()
        assert ("Layoffs" in page, "A flow you may not see" in page) == (told, not told)
        assert (f"flows/{secret.pk}/" in page) is told
