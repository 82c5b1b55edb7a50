"""A copy of a flow: what it sends is its own, what asks about that asks about the copy, and who sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from content.models import Email
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from flows.document import Branch, FlowDocument, SuccessCriterion, Trigger
from flows.models import Flow
from flows.operations import drafts
from flows.operations.create import copy_flow
from flows.references import uses
from flows.visibility import choose_viewers, visible_flows
from tests.fixtures.people import MakePerson, Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import split, step


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def opened(email: Email) -> Criteria:
    """Return criteria that hold for whoever opened the email at least once."""
    line = Line(field="event.opened", operator="at_least", values=(1,), which=(email.pk,))
    return Criteria(groups=(Group(lines=(line,)),))


def drafted(flow: Flow, alice: Person, **parts: Any) -> Flow:
    """Put these parts into the draft."""
    return drafts.apply(
        flow_id=flow.pk,
        base_version=flow.draft_version,
        change=lambda document: document.model_copy(update=parts),
        label="drawn",
        actor=alice.user,
        now=NOW,
    )


def asking(world: World) -> FlowDocument:
    """Return a document that sends an email and asks about it in each way."""
    number = world.welcome.pk
    actions = [{"kind": "email_link", "email": number}, {"kind": "open", "email": number}]
    readers = Branch(
        name="Readers",
        criteria=opened(world.welcome),
        steps=(step("wait_for_action", "Inside", actions=[{"kind": "open", "email": number}]),),
    )
    return FlowDocument(
        triggers=(Trigger(kind="contact_created", criteria=opened(world.welcome)),),
        success=(SuccessCriterion(kind="criteria", criteria=opened(world.welcome)),),
        steps=(
            step("send_email", "Send", email=number),
            step("wait_for_action", "Wait", actions=actions, criteria=opened(world.welcome).model_dump()),
            split(readers),
            split(Branch(settings={"actions": actions[1:]})).model_copy(
                update={"settings": {"based_on": "opened"}}
            ),
        ),
    )


def test_waits_splits_and_success_of_a_copy_ask_about_the_copied_email(
    flow: Flow, alice: Person, world: World
) -> None:
    document = asking(world)
    current = drafted(flow, alice, triggers=document.triggers, success=document.success, steps=document.steps)
    before = Email.objects.count()
    copied = drafts.draft_of(copy_flow(flow=current, actor=alice.user, now=NOW))
    assert Email.objects.count() == before + 1
    send, wait, parting, by_opens = copied.steps
    own = send.settings["email"]
    assert own != world.welcome.pk
    assert [action["email"] for action in wait.settings["actions"]] == [own, own]
    assert wait.settings["criteria"]["groups"][0]["lines"][0]["which"] == [own]
    readers = parting.branches[0]
    assert readers.criteria == opened(Email.objects.get(pk=own))
    assert readers.steps[0].settings["actions"] == [{"kind": "open", "email": own}]
    assert by_opens.branches[0].settings["actions"] == [{"kind": "open", "email": own}]
    assert copied.success[0].criteria == opened(Email.objects.get(pk=own))
    named = {(use.place, use.reference.id) for use in uses(copied) if use.reference.kind == "email"}
    # Who comes in is asked about what they did before: that was the original.
    assert {place for place, number in named if number == world.welcome.pk} == {"Trigger"}
    original = uses(drafts.draft_of(current))
    assert {use.reference.id for use in original if use.reference.kind == "email"} == {world.welcome.pk}


def test_an_email_that_is_only_asked_about_or_was_deleted_is_left_as_it_is(
    flow: Flow, alice: Person, world: World
) -> None:
    document = asking(world)
    other = step("wait_for_action", "Other", actions=[{"kind": "open", "email": world.unfinished.pk}])
    current = drafted(flow, alice, steps=(*document.steps, other))
    Email.objects.filter(pk=world.welcome.pk).update(deleted_at=NOW)
    before = Email.objects.count()
    copied = drafts.draft_of(copy_flow(flow=current, actor=alice.user, now=NOW))
    assert Email.objects.count() == before
    assert copied.steps[0].settings == {"email": world.welcome.pk}
    assert copied.steps[1].settings == current.draft["steps"][1]["settings"]
    assert copied.steps[-1].settings["actions"] == [{"kind": "open", "email": world.unfinished.pk}]


def test_a_copy_is_no_more_widely_visible_than_its_original(
    flow: Flow, alice: Person, bob: Person, wendy: Person, make_person: MakePerson
) -> None:
    stranger = make_person(alice.tenant, "Sam", "Strange", role="Flow administrator", group="Elsewhere")
    people = (bob, wendy, stranger)

    def seeing_a_copy_by(copier: Person) -> list[Person]:
        flow.refresh_from_db()
        copy = copy_flow(flow=flow, actor=copier.user, now=NOW)
        return [one for one in people if visible_flows(one.member).filter(pk=copy.pk).exists()]

    Flow.objects.filter(pk=flow.pk).update(owner=bob.user, visibility="owner")
    assert seeing_a_copy_by(bob) == [bob]
    # A general administrator reaches it; the copy is the administrator's own.
    assert seeing_a_copy_by(alice) == []
    Flow.objects.filter(pk=flow.pk).update(visibility="everyone")
    assert seeing_a_copy_by(bob) == [bob, wendy, stranger]
    Flow.objects.filter(pk=flow.pk).update(visibility="group")
    assert seeing_a_copy_by(bob) == [bob, wendy]
    assert seeing_a_copy_by(wendy) == [bob, wendy]
    assert seeing_a_copy_by(stranger) == [stranger]


def test_chosen_users_and_groups_see_the_copy(
    flow: Flow, alice: Person, bob: Person, wendy: Person, make_person: MakePerson
) -> None:
    inside = make_person(alice.tenant, "Ina", "In", role="Flow administrator", group="Elsewhere")
    assert inside.member.group is not None
    Flow.objects.filter(pk=flow.pk).update(visibility="chosen")
    flow.refresh_from_db()
    choose_viewers(flow=flow, user_ids=[bob.user.pk], auth_group_ids=[inside.member.group.auth_group_id])
    copy = copy_flow(flow=flow, actor=alice.user, now=NOW)
    assert copy.visibility == "chosen"
    seen = [visible_flows(one.member).filter(pk=copy.pk).exists() for one in (bob, wendy, inside)]
    assert seen == [True, False, True]
