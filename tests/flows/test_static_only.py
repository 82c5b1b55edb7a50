"""Where contacts are put in or taken out, only a static selection will do, however the document came: a problem at its
place. And a user who left is a problem of the line that sets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.operations.members import deactivate_membership
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm import bulk
from crm.criteria.schema import Criteria, Group, Line
from crm.events import Origin
from crm.models import Contact, Selection
from crm.operations.selections import Rule, create_selection
from flows.document import Branch, ExitSettings, Finish, FlowDocument, StepNode, SuccessCriterion, Trigger
from flows.steps.update_contact import _with_stand_ins
from flows.validation import problems
from tests.crm.conftest import make_contact
from tests.fixtures.people import Person
from tests.flows.conftest import NOW, World


@pytest.fixture
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        yield


def dynamic(alice: Person) -> Selection:
    line = Line(field="contact.first_name", operator="is", values=("Ann",))
    rule = Rule(Criteria(groups=(Group(lines=(line,)),)))
    return create_selection(name="Anns", description="", rule=rule, actor=alice.user, now=NOW)


def found_in(document: FlowDocument, words: str) -> list[tuple[str, str]]:
    """Return (place on the canvas, field) of the problems with these words."""
    found = problems(document, now=NOW)
    return sorted((str(one.title), one.place) for one in found if words in one.message)


def everywhere(world: World, selection: Selection) -> FlowDocument:
    """Return a flow that names a selection wherever only a static one will do."""
    exit_ = ExitSettings(selection=selection.pk)
    chosen = {"selection": selection.pk}
    steps = (
        StepNode(kind="add_to_selection", title="Add", settings=chosen),
        StepNode(kind="remove_from_selection", title="Remove", settings=chosen),
        StepNode(
            kind="wait_for_action", title="Wait", settings={"exits": True, "exit_selection": selection.pk}
        ),
        StepNode(
            kind="split", title="Split", branches=(Branch(name="A"), Branch(name="Everyone else", exit=exit_))
        ),
    )
    return FlowDocument(
        settings=world.settings().model_copy(update={"exclusions": (selection.pk,)}),
        triggers=(Trigger(kind="added_to_selection", settings=chosen),),
        success=(SuccessCriterion(kind="added_to_selection", settings=chosen),),
        finish=Finish(success=exit_, no_success=exit_),
        steps=steps,
    )


def test_a_dynamic_selection_is_a_problem_at_each_place_that_takes_static_ones_only(
    scope: None, alice: Person, world: World
) -> None:
    words = "“Anns” is made of criteria or of other selections: choose a static one"
    places = found_in(everywhere(world, dynamic(alice)), words)
    assert [place for _, place in places].count("selection") == 4
    assert [place for _, place in places].count("exclusions") == 1
    assert [place for _, place in places].count("exit_selection") == 1
    assert [title for title, _ in places].count("Finish") == 2
    assert len([title for title, _ in places if title == "Split"]) == 1
    assert found_in(everywhere(world, world.selection), "choose a static one") == []


def test_a_line_that_sets_somebody_who_left_is_a_problem_unless_somebody_stands_in(
    scope: None, alice: Person, bob: Person, rory: Person, world: World
) -> None:
    line = {"field": "contact.our_contact", "action": "set", "values": [rory.user.pk]}
    node = StepNode(kind="update_contact", title="Hand over", settings={"lines": [line]})
    document = FlowDocument(settings=world.settings(), steps=(node,))
    words = "A user who is not active any more"
    assert found_in(document, words) == []
    deactivate_membership(membership_id=rory.member.pk, actor=alice.member, now=NOW)
    assert found_in(document, words) == [("Hand over", "lines.0")]
    type(rory.member).objects.filter(pk=rory.member.pk).update(successor=bob.user)
    assert found_in(document, words) == []


def test_who_stands_in_is_set_instead_of_whoever_left(
    scope: None, alice: Person, bob: Person, rory: Person
) -> None:
    ann = make_contact(first_name="Ann")
    deactivate_membership(membership_id=rory.member.pk, actor=alice.member, now=NOW, successor_id=bob.user.pk)
    change = bulk.Change("contact.our_contact", "set", (rory.user.pk,))
    other = bulk.Change("contact.job_title", "set", (str(rory.user.pk),))
    with raw_cursor() as cursor:
        ctx = type("Ctx", (), {"cursor": cursor, "tenant_id": alice.tenant.pk})
        changes = _with_stand_ins([change, other], ctx)  # type: ignore[arg-type]
        bulk.update_fields(
            cursor,
            tenant_id=alice.tenant.pk,
            contact_ids=[ann.pk],
            changes=changes,
            now=NOW,
            origin=Origin.FLOW,
        )
    kept = Contact.objects.get(pk=ann.pk)
    assert (kept.our_contact_id, kept.job_title) == (bob.user.pk, str(rory.user.pk))
