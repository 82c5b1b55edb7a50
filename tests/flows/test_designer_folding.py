"""Folding, branches between splits, and notes by requests."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from core.tenancy import tenant_scope
from flows.document import Branch, FlowDocument
from flows.editing.branches import transfer_branch
from flows.editing.tree import IllegalEdit
from flows.models import FlowOpened
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import split, step
from tests.flows.test_designer import state, with_steps
from tests.flows.test_designer_several import draft, post

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_split_is_folded_for_whoever_folds_it_and_revealed(
    alice: Person, bob: Person, world: World
) -> None:
    deep = split(Branch(name="Deep", steps=(step("send_email", "Letter"),)), title="Inner")
    fork = split(Branch(name="Chefs", steps=(deep, step(title="Wait"))), title="Outer")
    flow, client = with_steps(alice, fork), alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/")

    def fold(**values: str) -> Any:
        return client.post(f"{url}fold/", values)

    before = state(flow)
    answer = fold(fold=str(fork.id)).text
    assert "3 steps inside" in answer
    # Letter has no email, Wait no time, Deep no criteria.
    assert "3 to fix" in answer
    assert 'data-title="Letter"' not in answer
    assert f'data-branch="{fork.branches[0].id}" data-name="Chefs" data-inside="3"' in answer
    # Kept for Alice, in every session; nothing of the flow has changed and Bob sees all of it.
    assert 'data-title="Letter"' not in alice.client().get(url).text
    assert 'data-title="Letter"' in bob.client().get(url).text
    assert state(flow) == before
    assert fold(fold=str(deep.branches[0].id)).status_code == 200
    revealed = fold(reveal=str(deep.branches[0].steps[0].id)).text
    assert 'data-title="Letter"' in revealed
    assert "inside</span>" not in revealed
    for bad in (str(uuid.uuid4()), str(deep.branches[0].steps[0].id), "x"):
        assert fold(fold=bad).status_code == 422
    with tenant_scope(alice.tenant.pk):
        assert FlowOpened.objects.get(user=alice.user).folded == []


def test_of_another_tenants_flow_nothing_is_folded(alice: Person, charlie: Person, world: World) -> None:
    fork = split(Branch(name="Chefs"))
    flow = with_steps(alice, fork)
    assert (
        charlie.client().post(charlie.url(f"flows/{flow.pk}/edit/fold/"), {"fold": str(fork.id)}).status_code
        == 404
    )


def test_a_branch_goes_with_its_steps_into_another_split(alice: Person, world: World) -> None:
    inner = split(Branch(name="Inner one"), title="Inner")
    fork = split(
        Branch(name="One", steps=(step(title="Wait"),)), Branch(name="Two", steps=(inner,)), title="Outer"
    )
    flow, client = with_steps(alice, fork), alice.client()
    one, two = (str(branch.id) for branch in fork.branches[:2])
    posted = {"op": "place_branch", "branch_id": one, "step": str(inner.id), "position": "1"}
    assert "Branch One moved." in post(alice, client, flow, 0, **posted).text
    outer = draft(flow).steps[0]
    assert [branch.name for branch in outer.branches] == ["Two", "Everyone else"]
    assert [b.name for b in outer.branches[0].steps[0].branches] == ["Inner one", "One", "Everyone else"]
    assert [n.title for n in outer.branches[0].steps[0].branches[1].steps] == ["Wait"]
    before = state(flow)
    # Not into itself, not past everyone else; and a split keeps a branch.
    for bad in (
        {"branch_id": two, "step": str(inner.id)},
        {"branch_id": one, "step": str(outer.id), "position": "2"},
    ):
        assert post(alice, client, flow, 1, **{**posted, **bad}).status_code == 422
    assert state(flow) == before
    lone, other = split(Branch(name="A")), split(Branch(name="B"))
    document = FlowDocument(steps=(lone, other))
    with pytest.raises(IllegalEdit, match="one branch and everyone else"):
        transfer_branch(document, branch_id=lone.branches[0].id, step_id=other.id, position=0)


def test_a_note_is_added_written_moved_and_removed(alice: Person, world: World) -> None:
    wait = step(title="Wait")
    flow, client = with_steps(alice, wait), alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/")
    assert "Empty note" in post(alice, client, flow, 0, op="add_note", step=str(wait.id)).text
    (note,) = draft(flow).notes
    form = {"part": f"note:{note.id}", "text": "Ask <b>Kim</b> 👋", "colour": "pink", "step": str(wait.id)}
    answer = client.post(f"{url}apply/", {**form, "base_version": "1"})
    assert (answer.status_code, "Ask &lt;b&gt;Kim&lt;/b&gt; 👋" in answer.text) == (200, True)
    assert "flow-note--pink" in answer.text
    for bad in ({"text": "x" * 501}, {"colour": "black"}, {"step": str(uuid.uuid4())}):
        assert client.post(f"{url}apply/", {**form, **bad, "base_version": "2"}).status_code == 422
    assert post(alice, client, flow, 2, op="move_note", note=str(note.id), step="").status_code == 200
    moved = draft(flow).notes[0]
    assert (moved.step, moved.text, moved.colour) == (None, "Ask <b>Kim</b> 👋", "pink")
    assert post(alice, client, flow, 3, op="remove_note", note=str(note.id)).status_code == 200
    assert draft(flow).notes == ()
