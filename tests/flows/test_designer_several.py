"""Several steps, branches and notes by requests: moved, copied with their content, pasted elsewhere, removed."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from content.models import Email
from core.tenancy import tenant_scope
from flows.document import Branch, FlowDocument
from flows.models import Flow
from flows.operations.drafts import draft_of
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.documents import split, step
from tests.flows.test_designer import state, with_steps

pytestmark = pytest.mark.django_db(transaction=True)


def post(person: Person, client: Any, flow: Flow, version: int = 0, **values: str) -> Any:
    """Post one operation."""
    url = person.url(f"flows/{flow.pk}/edit/op/")
    return client.post(url, {**values, "base_version": str(version)})


def draft(flow: Flow) -> FlowDocument:
    """Return the draft as it is now."""
    state(flow)
    return draft_of(flow)


def ids(*nodes: Any) -> str:
    """Return ids as they are posted."""
    return ",".join(str(node.id) for node in nodes)


def test_several_steps_are_moved_copied_to_a_place_duplicated_and_removed(alice: Person) -> None:
    a, b, c = (step(title=title) for title in "ABC")
    flow, client = with_steps(alice, a, b, c), alice.client()

    def titles() -> str:
        return "".join(node.title for node in draft(flow).walk())

    assert "2 steps moved." in post(alice, client, flow, 0, op="move", steps=ids(c, a), index="2").text
    assert titles() == "BAC"
    assert "2 steps copied." in post(alice, client, flow, 1, op="copy_to", steps=ids(a, c), index="0").text
    assert titles() == "ACBAC"
    answer = post(alice, client, flow, 2, op="duplicate", steps=ids(b, a)).text
    assert titles() == "ACBABAC"
    copies = [node.id for node in draft(flow).walk()][4:6]
    assert f'data-chosen="{copies[0]} {copies[1]} "' in answer
    assert "3 steps removed." in post(alice, client, flow, 3, op="remove", steps=ids(a, b, c)).text
    assert titles() == "ACBA"
    before = state(flow)
    for bad in ({"op": "move", "steps": f"{uuid.uuid4()}", "index": "0"}, {"op": "remove", "steps": "x,y"}):
        assert post(alice, client, flow, 4, **bad).status_code == 422
    assert state(flow) == before


def test_steps_pasted_into_another_flow_own_their_emails_and_what_asks_about_them_asks_about_the_copies(
    alice: Person, world: World
) -> None:
    letter = step("send_email", "Letter", email=world.welcome.pk)
    wait = step("wait_for_action", "Opened?", actions=[{"kind": "open", "email": world.welcome.pk}])
    lost = step("send_email", "Lost", email=99_999_999)
    source, target, client = with_steps(alice, letter, wait, lost), with_steps(alice), alice.client()
    assert (
        "3 steps copied. Press a plus to paste."
        in post(alice, client, source, op="copy", steps=ids(letter, wait, lost)).text
    )
    # A place that is gone leaves no copied email behind.
    assert post(alice, client, target, op="paste", index="7").status_code == 422
    with tenant_scope(alice.tenant.pk):
        assert Email.objects.filter(flow_id=target.pk).count() == 0
    assert post(alice, client, target, op="paste", index="0").status_code == 200
    pasted = list(draft(target).walk())
    with tenant_scope(alice.tenant.pk):
        (own,) = Email.objects.filter(flow_id=target.pk)
    assert own.subject == "Welcome"
    assert pasted[0].settings["email"] == own.pk != world.welcome.pk
    assert pasted[1].settings["actions"][0]["email"] == own.pk
    assert pasted[2].settings["email"] == 99_999_999
    assert {node.id for node in pasted}.isdisjoint({letter.id, wait.id, lost.id})


def test_a_whole_branch_is_pasted_into_another_flows_split_and_its_steps_at_a_plus(
    alice: Person, charlie: Person, world: World
) -> None:
    deep = step("send_email", "Letter", email=world.welcome.pk)
    fork, other = split(Branch(name="Chefs", steps=(deep,))), split(Branch(name="One"))
    source, target, client = with_steps(alice, fork), with_steps(alice, other), alice.client()
    branch = str(fork.branches[0].id)
    assert "Branch “Chefs” copied." in post(alice, client, source, op="copy", branch_id=branch).text
    assert post(alice, client, target, op="paste_branch", step=str(other.id)).status_code == 200
    assert [b.name for b in draft(target).steps[0].branches] == ["One", "Chefs", "Everyone else"]
    assert draft(target).steps[0].branches[1].steps[0].settings["email"] != world.welcome.pk
    assert post(alice, client, target, 1, op="paste", index="0").status_code == 200
    assert [n.title for n in draft(target).walk()] == ["Letter", "Split", "Letter"]
    # Copied beside itself, a branch has emails of its own too.
    assert post(alice, client, source, 0, op="copy_branch", branch_id=branch).status_code == 200
    one, copy, _ = draft(source).steps[0].branches
    assert (copy.name, one.steps[0].settings["email"]) == ("Chefs (copy)", world.welcome.pk)
    assert copy.steps[0].settings["email"] != world.welcome.pk
    stranger = charlie.client()
    theirs = with_steps(charlie, split(Branch(name="Theirs")))
    assert post(charlie, stranger, theirs, op="paste", index="0").status_code == 422


def test_branches_are_placed_and_named(alice: Person) -> None:
    fork = split(Branch(name="One"), Branch(name="Two"), Branch(name="Three"))
    flow, client = with_steps(alice, fork), alice.client()
    one = str(fork.branches[0].id)
    assert post(alice, client, flow, op="place_branch", branch_id=one, position="2").status_code == 200
    assert (
        post(alice, client, flow, 1, op="rename_branch", branch_id=one, name=" Chefs 👩‍🍳 ").status_code
        == 200
    )
    assert [b.name for b in draft(flow).steps[0].branches] == ["Two", "Three", "Chefs 👩‍🍳", "Everyone else"]
    before = state(flow)
    for bad in (
        {"op": "place_branch", "branch_id": one, "position": "3"},
        {"op": "place_branch", "branch_id": one, "position": "left"},
        {"op": "rename_branch", "branch_id": one, "name": "  "},
    ):
        assert post(alice, client, flow, 2, **bad).status_code == 422
    assert state(flow) == before


def test_what_was_cut_moves_within_its_flow_and_is_copied_into_another(alice: Person, world: World) -> None:
    letter, wait = step("send_email", "Letter", email=world.welcome.pk), step(title="Wait")
    source, target, client = with_steps(alice, letter, wait), with_steps(alice), alice.client()
    # Whoever saw an older version cuts nothing, and their clipboard stays empty.
    assert post(alice, client, source, 7, op="cut", steps=ids(letter)).status_code == 409
    assert post(alice, client, source, 0, op="paste", index="0").status_code == 422
    assert (
        "“Letter” cut. Press a plus to paste."
        in post(alice, client, source, op="cut", steps=ids(letter)).text
    )
    assert [node.title for node in draft(source).walk()] == ["Wait"]
    assert post(alice, client, source, 1, op="paste", index="1").status_code == 200
    assert list(draft(source).walk()) == [wait, letter]
    # Pasted a second time, and into another flow, it is a copy with an email of its own.
    for flow, version in ((source, 2), (target, 0)):
        assert post(alice, client, flow, version, op="paste", index="0").status_code == 200
        pasted = draft(flow).steps[0]
        assert (pasted.title, pasted.id == letter.id) == ("Letter", False)
        assert pasted.settings["email"] != world.welcome.pk
