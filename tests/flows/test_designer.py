"""The designer's pages and answers, by requests: who may, what is refused, and that nothing happened then."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from core.tenancy import tenant_scope
from crm.models import Selection
from flows.document import FlowDocument
from flows.models import DraftState, Flow
from flows.operations.create import create_flow
from flows.operations.drafts import draft_of
from flows.panels.look import families
from flows.steps.table import STEP_KINDS
from tests.fixtures.people import LAST_MONDAY, Person
from tests.flows.conftest import NOW, World
from tests.flows.documents import step

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = ["", "start", "filter", "finish", "details", "settings", "messages", "problems", "revisions"]


def with_steps(person: Person, *nodes: Any) -> Flow:
    """Return a flow of the person's with these steps."""
    with tenant_scope(person.tenant.pk):
        return create_flow(name="Given", owner=person.user, now=NOW, document=FlowDocument(steps=nodes))


def state(flow: Flow) -> tuple[Any, ...]:
    """Everything about the flow that a refused request must not change."""
    with tenant_scope(flow.tenant_id or 0):
        flow.refresh_from_db()
        return flow.draft, flow.draft_version, flow.status, flow.revision, DraftState.objects.count()


def test_the_designer_opens_with_every_panel(alice: Person, flow: Flow) -> None:
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/")
    for part in PARTS:
        assert "Autumn welcome" in client.get(url, {"part": part}).text, part
        assert client.get(f"{url}panel/", {"part": part}).status_code == 200


def test_with_hints_alone_the_list_of_problems_says_that_they_stop_nothing(
    alice: Person, flow: Flow, world: World
) -> None:
    settings = world.settings().model_copy(update={"move_to_finish": True})
    hinted = FlowDocument(settings=settings, steps=(step("send_email", email=world.welcome.pk),))
    with tenant_scope(alice.tenant.pk):
        other = create_flow(name="Hinted", owner=alice.user, now=NOW, document=hinted)
    assert (
        "Things to fix"
        in alice.client().get(alice.url(f"flows/{flow.pk}/edit/panel/"), {"part": "problems"}).text
    )
    url = alice.url(f"flows/{other.pk}/edit/panel/")
    told = alice.client().get(url, {"part": "problems"}).text
    assert "Nobody is moved to Finish" in told
    assert ("Things to know" in told, "Things to fix" in told) == (True, False)


def test_each_family_of_steps_is_offered_once_with_all_its_kinds() -> None:
    labels = [label for label, _ in families()]
    assert labels == ["Messages", "Waiting", "Splitting", "Data", "Goals"]
    offered = [kind.name for _, kinds in families() for kind in kinds]
    assert sorted(offered) == sorted(kind.name for kind in STEP_KINDS)
    assert offered[-3:] == ["run_script", "webhook", "go_to_flow"]


def test_a_new_flow_needs_a_name_and_opens_in_the_designer(alice: Person, acme: Any) -> None:
    client = alice.client()
    refused = client.post(alice.url("flows/new/"), {"name": "  "})
    assert refused.status_code == 422
    assert "Give the flow a name." in refused.text
    made = client.post(alice.url("flows/new/"), {"name": "Winter"})
    with tenant_scope(acme.pk):
        flow = Flow.objects.get()
    assert made.headers["Location"] == alice.url(f"flows/{flow.pk}/edit/")
    assert (flow.name, flow.owner_id, flow.draft["settings"]["timezone"]) == (
        "Winter",
        alice.user.pk,
        "Europe/Oslo",
    )


@pytest.mark.parametrize("who", ["wendy", "rory", "charlie"])
def test_who_may_not_edit_finds_nothing_and_changes_nothing(who: str, flow: Flow, request: Any) -> None:
    person: Person = request.getfixturevalue(who)
    before = state(flow)
    client = person.client()
    base = f"flows/{flow.pk}/edit/"
    for path in ["", "panel/", "choices/selection/", "revisions/1/"]:
        assert client.get(person.url(base + path)).status_code == 404
    for path in ["op/", "apply/", "undo/", "redo/", "save/", "start/", "pause/"]:
        posted = {"op": "insert", "kind": "split", "index": "0", "base_version": "0"}
        assert client.post(person.url(base + path), posted).status_code == 404
    assert state(flow) == before


def test_a_flow_that_only_its_owner_sees_is_not_found_by_a_team_mate(bob: Person, flow: Flow) -> None:
    with tenant_scope(bob.tenant.pk):
        Flow.objects.filter(pk=flow.pk).update(visibility=Flow.Visibility.OWNER)
    assert bob.client().get(bob.url(f"flows/{flow.pk}/edit/")).status_code == 404


@pytest.mark.parametrize(
    "posted",
    [
        {"op": "nonsense"},
        {"op": "insert", "kind": "nonsense", "index": "0"},
        {"op": "insert", "kind": "split", "index": "7"},
        {"op": "insert", "kind": "split", "index": "x"},
        {"op": "insert", "kind": "split", "index": "0", "branch": str(uuid.uuid4())},
        {"op": "move", "step": "not-an-id", "index": "0"},
        {"op": "remove", "step": str(uuid.uuid4())},
        {"op": "paste", "index": "0"},
        {"op": "restore", "number": "12"},
        {"op": "branch_left", "branch_id": str(uuid.uuid4())},
    ],
)
def test_an_operation_that_makes_no_sense_is_refused_and_changes_nothing(
    posted: dict[str, str], alice: Person, flow: Flow
) -> None:
    before = state(flow)
    answer = alice.client().post(alice.url(f"flows/{flow.pk}/edit/op/"), {**posted, "base_version": "0"})
    assert answer.status_code in {404, 422}
    assert state(flow) == before


@pytest.mark.parametrize("version", ["", "x", "-1", "17"])
def test_an_edit_over_a_version_that_is_not_the_newest_is_a_conflict(
    version: str, alice: Person, flow: Flow
) -> None:
    before = state(flow)
    posted = {"op": "insert", "kind": "split", "index": "0", "base_version": version}
    answer = alice.client().post(alice.url(f"flows/{flow.pk}/edit/op/"), posted)
    assert answer.status_code == 409
    assert state(flow) == before


def test_another_tenants_selection_cannot_be_chosen(alice: Person, charlie: Person) -> None:
    with tenant_scope(charlie.tenant.pk):
        theirs = Selection.objects.create(name="Secret list", created_at=LAST_MONDAY)
    node = step("add_to_selection", "Add")
    flow = with_steps(alice, node)
    before = state(flow)
    posted = {"part": f"step:{node.id}", "title": "Add", "selection": str(theirs.pk), "base_version": "0"}
    answer = alice.client().post(alice.url(f"flows/{flow.pk}/edit/apply/"), posted)
    assert answer.status_code == 422
    assert "Select a valid choice" in answer.text
    assert "Secret list" not in answer.text
    assert state(flow) == before


def test_a_copied_step_is_pasted_into_another_flow_with_an_id_of_its_own(alice: Person) -> None:
    node = step(title="Copied", amount=3)
    source, target = with_steps(alice, node), with_steps(alice)
    client = alice.client()
    copied = {"op": "copy", "step": str(node.id), "base_version": "0"}
    assert client.post(alice.url(f"flows/{source.pk}/edit/op/"), copied).status_code == 200
    pasted = {"op": "paste", "index": "0", "base_version": "0"}
    assert client.post(alice.url(f"flows/{target.pk}/edit/op/"), pasted).status_code == 200
    state(target)
    (found,) = draft_of(target).steps
    assert (found.title, found.settings) == ("Copied", {"amount": 3})
    assert found.id != node.id


def test_a_duplicated_email_step_has_a_copy_of_the_email_and_a_conflict_makes_none(
    alice: Person, world: World
) -> None:
    from content.models import Email

    node = step("send_email", "Welcome", email=world.welcome.pk)
    flow = with_steps(alice, node)
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/op/")
    posted = {"op": "duplicate", "step": str(node.id), "base_version": "0"}
    assert client.post(url, posted).status_code == 200
    assert client.post(url, posted).status_code == 409
    state(flow)
    first, second = draft_of(flow).steps
    assert first.settings["email"] == world.welcome.pk
    with tenant_scope(alice.tenant.pk):
        assert Email.objects.get(pk=second.settings["email"]).flow_id == flow.pk
        assert Email.objects.count() == 3


def test_a_start_with_problems_lists_them_and_a_start_without_runs(
    alice: Person, flow: Flow, world: World
) -> None:
    client = alice.client()
    url = alice.url(f"flows/{flow.pk}/edit/")
    refused = client.post(f"{url}start/", {"base_version": "0"})
    assert "The flow has no steps yet" in refused.text
    assert state(flow)[2] == "not_running"
    client.post(f"{url}op/", {"op": "insert", "kind": "send_email", "index": "0", "base_version": "0"})
    state(flow)
    (node,) = draft_of(flow).steps
    posted = {"part": f"step:{node.id}", "title": "Hi", "email": str(world.welcome.pk), "if_cannot": "skip"}
    client.post(f"{url}apply/", {**posted, "base_version": "1"})
    assert "Running" in client.post(f"{url}start/", {"base_version": "2"}).text
    assert "Running" in client.post(f"{url}start/", {"base_version": "2"}).text
    assert state(flow)[2:4] == ("running", 1)
    answer = client.post(f"{url}op/", {"op": "insert", "kind": "split", "index": "0", "base_version": "2"})
    assert (answer.status_code, "pause it to change it" in answer.text) == (422, True)
    assert client.get(f"{url}revisions/1/").status_code == 200
    assert "Paused" in client.post(f"{url}pause/", {"base_version": "2"}).text


def test_only_who_may_override_consent_is_asked_about_it(alice: Person, bob: Person, flow: Flow) -> None:
    url = f"flows/{flow.pk}/edit/panel/"
    assert "override_consent" in alice.client().get(alice.url(url), {"part": "messages"}).text
    assert "override_consent" not in bob.client().get(bob.url(url), {"part": "messages"}).text


def test_a_script_in_a_title_is_only_a_text(alice: Person) -> None:
    flow = with_steps(alice, step(title="<script>alert(1)</script>"))
    page = alice.client().get(alice.url(f"flows/{flow.pk}/edit/")).text
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
