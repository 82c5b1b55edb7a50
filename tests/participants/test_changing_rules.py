"""The rules of changing a flow with people inside: what is refused, why and who is meant; what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flows.document import Branch, ExitSettings, Finish, FlowDocument, StepNode
from flows.editing import branches, frame, steps
from flows.editing.tree import IllegalEdit, Slot
from flows.effects import review_of
from flows.models import Flow
from flows.occupancy import PeopleInside
from flows.operations import drafts
from participants.models import Participant
from tests.participants.conftest import World, update, wait, when
from tests.participants.edits import document, edit

INNER, OTHER = wait(2, title="Inner"), wait(3, title="Other")
A = Branch(name="A", criteria=when("contact.country", "is_set"), steps=(INNER,))
B = Branch(name="B", criteria=when("contact.job_title", "is_set"), steps=(OTHER,))
ELSE = Branch(name="Everyone else")
FORK = StepNode(kind="split", title="Fork", branches=(A, B, ELSE))
SECOND = StepNode(kind="split", title="Second", branches=(Branch(name="C"), Branch(name="Rest")))
AFTER = update("contact.job_title", "set", "Chef")

Change = Callable[[FlowDocument], FlowDocument]


@pytest.fixture
def flow(world: World) -> Flow:
    """Anna waits in branch A; nobody is in B."""
    made = world.flow(FORK, AFTER, SECOND)
    world.suggest(made, world.contact("Anna", country="NO"))
    world.advance(made)
    Flow.objects.filter(pk=made.pk).update(status="paused")
    made.refresh_from_db()
    return made


def do(world: World, flow: Flow, change: Change, *moves: Any) -> Flow:
    flow.refresh_from_db()
    return drafts.apply(
        flow_id=flow.pk,
        base_version=flow.draft_version,
        change=change,
        label="edit",
        actor=world.user,
        now=world.now,
        moves=moves,
    )


@pytest.mark.parametrize(
    ("change", "moves", "why"),
    [
        (lambda d: steps.remove(d, step_id=INNER.id), (), "“Inner”"),
        (lambda d: steps.move(d, step_id=INNER.id, slot=Slot(None, 1)), (INNER.id,), "“Inner”"),
        (lambda d: steps.remove(d, step_id=FORK.id), (), "“Inner”"),
        (lambda d: steps.remove(d, step_id=FORK.id, keep=A.id), (), "“Inner”"),
        (lambda d: steps.move(d, step_id=FORK.id, slot=Slot(None, 3)), (FORK.id,), "“Fork”"),
        (lambda d: branches.remove_branch(d, branch_id=A.id), (), "“Inner”"),
        (
            lambda d: branches.transfer_branch(d, branch_id=A.id, step_id=SECOND.id, position=0),
            (),
            "“Inner”",
        ),
    ],
    ids=[
        "remove wait",
        "move wait",
        "remove split",
        "keep in line",
        "move split",
        "remove branch",
        "transfer",
    ],
)
def test_what_would_take_a_wait_split_or_branch_from_under_people_is_refused_and_names_where_they_stand(
    world: World, flow: Flow, change: Change, moves: Any, why: str
) -> None:
    before = document(flow)
    with pytest.raises(PeopleInside, match="has participants in it, so it cannot be") as refused:
        do(world, flow, change, *moves)
    assert refused.value.steps == (INNER.id,)
    assert why in str(refused.value)
    assert document(flow) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda d: steps.update(d, step_id=INNER.id, title="Longer", note="", settings={"amount": 9}),
        lambda d: steps.duplicate(d, step_id=INNER.id),
        lambda d: steps.insert(d, slot=Slot(A.id, 0), node=wait(1, title="First")),
        lambda d: steps.insert(d, slot=Slot(A.id, 1), node=wait(1, title="Then")),
        lambda d: steps.insert(d, slot=Slot(None, 0), node=wait(1, title="Before all")),
        lambda d: steps.remove(d, step_id=AFTER.id),
        lambda d: steps.move(d, step_id=AFTER.id, slot=Slot(None, 0)),
        lambda d: steps.remove(d, step_id=OTHER.id),
        lambda d: branches.remove_branch(d, branch_id=B.id),
        lambda d: branches.rename_branch(d, branch_id=A.id, name="Abroad"),
        lambda d: branches.move_branch(d, branch_id=A.id, by=1),
        lambda d: branches.copy_branch(d, branch_id=A.id),
        lambda d: branches.add_branch(d, step_id=FORK.id),
        lambda d: branches.end_branch(d, branch_id=A.id, exit_=ExitSettings()),
    ],
    ids=[
        *("settings", "duplicate", "insert before", "insert after", "insert above", "remove beside"),
        *("move beside", "remove empty wait", "remove empty branch", "rename", "reorder", "copy branch"),
        *("add branch", "exit"),
    ],
)
def test_everything_else_is_allowed_and_whoever_waits_stays_where_they_are(
    world: World, flow: Flow, change: Change
) -> None:
    before = Participant.objects.get(flow_id=flow.pk)
    new = change(document(flow))
    edit(world, flow, new)
    assert document(flow) == new
    anna = Participant.objects.get(flow_id=flow.pk)
    assert (anna.status, anna.step_id, anna.waiting) == ("active", INNER.id, True)
    assert anna.waits_until == before.waits_until


def test_everyone_else_is_never_removed_with_people_or_without(world: World) -> None:
    empty = world.flow(FORK, AFTER)
    with pytest.raises(IllegalEdit, match="Everyone else cannot be removed"):
        branches.remove_branch(document(empty), branch_id=ELSE.id)


def test_the_review_says_that_finish_sends_them_on_elsewhere(world: World, flow: Flow) -> None:
    onward = world.flow(wait(1), name="Onward")
    new = frame.with_finish(document(flow), finish=Finish(success=ExitSettings(flow=onward.pk)))
    review = review_of(flow, new)
    assert review is not None
    (effect,) = review.effects
    assert (effect.fate.value, effect.title, effect.people, effect.part) == ("new", "Finish", 1, "finish")
    assert effect.text == (
        "Whoever finishes from now on goes on by the new settings of Finish: onward flow and selection."
    )
    assert (review.people, review.untouched) == (1, 1)


def test_a_change_counts_for_those_who_have_not_reached_the_step(world: World) -> None:
    first = update("contact.job_title", "set", "Old")
    flow = world.flow(first, wait(2), update("contact.country", "set", "NO"))
    anna = world.contact("Anna")
    world.suggest(flow, anna)
    world.advance(flow)
    edit(
        world,
        flow,
        steps.update(
            document(flow),
            step_id=first.id,
            title=first.title,
            note="",
            settings=update("contact.job_title", "set", "New").settings,
        ),
    )
    ben = world.contact("Ben")
    world.suggest(flow, ben)
    world.advance(flow)
    for contact, title in ((anna, "Old"), (ben, "New")):
        contact.refresh_from_db()
        assert contact.job_title == title
