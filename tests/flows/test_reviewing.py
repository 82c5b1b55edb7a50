"""The designer with people inside: the question before a save, who may not be moved, and the links to those people."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from core.tenancy import tenant_scope
from flows.document import FlowDocument, Sender
from flows.editing import steps
from flows.editing.frame import with_settings
from flows.editing.tree import Slot
from flows.models import Flow
from flows.operations import drafts
from flows.operations.drafts import draft_of
from participants.models import Participant
from tests.fixtures.people import Person
from tests.participants.conftest import wait
from tests.participants.pages import Stage, add_people, make_stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stage(bob: Person) -> Stage:
    """Late stands in the wait of a flow that is paused."""
    made = make_stage(bob)
    add_people(made)
    with made.scope():
        Flow.objects.filter(pk=made.flow.pk).update(status="paused")
    return made


def version(stage: Stage) -> int:
    with stage.scope():
        stage.flow.refresh_from_db()
    return stage.flow.draft_version


def longer(stage: Stage) -> None:
    """Make the wait longer in the draft."""
    with stage.scope():
        drafts.apply(
            flow_id=stage.flow.pk,
            base_version=version(stage),
            change=lambda d: steps.update(
                d,
                step_id=stage.wait.id,
                title="Wait 2 days",
                note="",
                settings={"amount": 9, "unit": "days"},
            ),
            label="longer",
            actor=stage.person.user,
            now=stage.world.now,
        )


def post(stage: Stage, path: str, **values: Any) -> Any:
    posted = {"base_version": version(stage), **values}
    return stage.person.client().post(stage.url(f"edit/{path}/"), posted)


def test_a_save_with_people_inside_asks_first_and_saves_when_it_was_answered(stage: Stage) -> None:
    longer(stage)
    asked = post(stage, "save")
    assert asked.headers["HX-Retarget"] == "#flow-review"
    assert "They keep the end time, the actions and the exit that they arrived with." in asked.text
    assert "Also for the 1 person waiting here" in asked.text
    assert f"participants/?status=active&amp;step={stage.wait.id}" in asked.text
    version(stage)
    assert stage.flow.revision == 1, "nothing is saved yet"

    before = stage.participant("Late").waits_until
    post(stage, "save", reviewed=1)
    version(stage)
    assert stage.flow.revision == 2
    assert stage.participant("Late").waits_until == before


def test_a_ticked_wait_is_reckoned_anew_and_what_is_no_wait_is_left_alone(stage: Stage) -> None:
    longer(stage)
    ticked = [str(stage.wait.id), str(stage.welcome.id), str(uuid.uuid4()), "' OR 1=1", ""]
    post(stage, "save", reviewed=1, retime=ticked)
    late = stage.participant("Late")
    assert (late.waits_until, late.visit_revision) == (None, 2)
    with stage.scope():
        assert Participant.objects.filter(visit_revision=2).count() == 1


def test_resuming_with_an_edit_asks_too_and_saves_and_runs_when_it_was_answered(stage: Stage) -> None:
    def sendable(document: FlowDocument) -> FlowDocument:
        sender = Sender(name="Acme", email="hello@acme.test")
        messages = document.settings.messages.model_copy(update={"sender": sender})
        return with_settings(document, settings=document.settings.model_copy(update={"messages": messages}))

    with stage.scope():
        drafts.apply(
            flow_id=stage.flow.pk,
            base_version=version(stage),
            change=sendable,
            label="sender",
            actor=stage.person.user,
            now=stage.world.now,
        )
    longer(stage)
    assert "Save and resume" in post(stage, "start").text
    version(stage)
    assert (stage.flow.status, stage.flow.revision) == ("paused", 1)
    answer = post(stage, "start", reviewed=1)
    version(stage)
    assert (stage.flow.status, stage.flow.revision) == ("running", 2), answer.text[-3000:]


def test_a_stale_page_is_told_of_the_conflict_not_asked(stage: Stage) -> None:
    longer(stage)
    answer = stage.person.client().post(stage.url("edit/save/"), {"base_version": version(stage) - 1})
    assert answer.status_code == 409


def test_the_card_says_who_is_inside_and_the_refusal_links_to_them(stage: Stage) -> None:
    page = stage.person.client().get(stage.url("edit/")).text
    assert "1 inside: stays where it is" in page
    assert 'data-held="People are in it, so it cannot be moved or removed."' in page
    refused = post(stage, "op", op="remove", step=str(stage.wait.id))
    assert refused.status_code == 422
    assert "has participants in it, so it cannot be moved or removed" in refused.text
    assert f"participants/?status=active&amp;step={stage.wait.id}" in refused.text
    with stage.scope():
        stage.flow.refresh_from_db()
        assert draft_of(stage.flow).step(stage.wait.id) is not None


def test_an_edit_beside_the_people_is_one_and_the_page_of_a_flow_without_people_says_nothing(
    stage: Stage, alice: Person
) -> None:
    with stage.scope():
        drafts.apply(
            flow_id=stage.flow.pk,
            base_version=version(stage),
            change=lambda d: steps.insert(d, slot=Slot(None, 2), node=wait(1, title="New")),
            label="added",
            actor=stage.person.user,
            now=stage.world.now,
        )
    assert "Then they go on with “New”, not “Chef?”." in post(stage, "save").text
    with tenant_scope(alice.tenant.pk):
        active = Participant.objects.filter(status="active")
        active.update(status="cancelled", ended_at=stage.world.now, due_at=None, waiting=False)
    assert "flow-card__inside" not in stage.person.client().get(stage.url("edit/")).text


def test_a_branch_with_people_says_so_on_its_label_with_a_lock_and_a_link_that_opens_just_them(
    stage: Stage,
) -> None:
    inner, empty = wait(5, title="Inner"), wait(5, title="Empty")
    with stage.scope() as world:
        drafts.apply(
            flow_id=stage.flow.pk,
            base_version=version(stage),
            change=lambda d: steps.insert(
                steps.insert(d, slot=Slot(stage.split.branches[0].id, 0), node=inner),
                slot=Slot(stage.split.branches[1].id, 0),
                node=empty,
            ),
            label="added",
            actor=stage.person.user,
            now=world.now,
        )
    post(stage, "save", reviewed=1)
    with stage.scope():
        Participant.objects.filter(status="active").update(step_id=inner.id)
    page = stage.person.client().get(stage.url("edit/")).text
    link = stage.url(f"participants/?status=active&amp;step={inner.id}")
    label = page.partition(f'data-part="branch:{stage.split.branches[0].id}"')[2].partition("</div>")[0]
    assert f'<a class="flow-branch__inside" href="{link}"' in label
    assert "1 inside" in label
    assert 'title="1 person is in this branch, so it cannot be removed."' in label
    assert page.count("flow-branch__inside") == 1
    card = page.partition(f'data-step="{stage.split.id}"')[2].partition("flow-branches")[0]
    assert f'<a class="flow-card__inside" href="{link}"' in card
    assert "People in its branches: it stays" in card
    refused = post(stage, "op", op="remove", step=str(stage.split.id))
    assert (refused.status_code, link in refused.text) == (422, True)
    here = stage.person.client().get(stage.url(f"participants/?status=active&step={inner.id}")).text
    assert "Late" in here


def test_the_people_of_several_steps_are_one_list_and_what_is_no_step_narrows_nothing(stage: Stage) -> None:
    client, ids = stage.person.client(), [str(stage.wait.id), str(stage.welcome.id)]
    both = client.get(stage.url("participants/"), {"status": "active", "at": ids}).text
    assert "In a branch, at 2 of its steps" in both
    assert "Late" in both
    assert both.count('name="at"') == 2
    assert "Late" not in client.get(stage.url("participants/"), {"at": [str(stage.split.id)]}).text
    assert "Late" in client.get(stage.url("participants/"), {"at": ["no id", "' OR 1=1"]}).text
