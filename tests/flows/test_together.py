"""Two people at one flow: who is here and at what, and that nothing of either is overwritten without being told."""

from __future__ import annotations

import re
from typing import Any

import pytest

from core.tenancy import tenant_scope
from flows.models import Flow
from flows.presence import note_present
from tests.fixtures.people import Person
from tests.flows.documents import step
from tests.flows.test_designer import state, with_steps

pytestmark = pytest.mark.django_db
HERS, HIS = "aaaaaaaa-0000", "bbbbbbbb-0000"


@pytest.fixture
def wait() -> Any:
    return step("wait_for_time", "Two days")


@pytest.fixture
def flow(alice: Person, wait: Any) -> Flow:
    return with_steps(alice, wait, step("wait_for_time", "Last"))


def post(person: Person, flow: Flow, what: str, **given: Any) -> Any:
    return person.client().post(person.url(f"flows/{flow.pk}/edit/{what}/"), given)


def panel(person: Person, flow: Flow, part: str) -> dict[str, str]:
    """Return the hidden fields of a panel that was opened now."""
    html = person.client().get(person.url(f"flows/{flow.pk}/edit/panel/"), {"part": part}).text
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def titled(title: str) -> dict[str, str]:
    times = {"days": "0", "direction": "after", "at_time": "09:00", "field": "", "moment": ""}
    return {"title": title, "mode": "span", "amount": "2", "unit": "days", "note": "", **times}


def test_each_sees_the_other_and_what_they_are_at(alice: Person, bob: Person, flow: Flow, wait: Any) -> None:
    assert "flow-person" not in post(alice, flow, "here", window=HERS, base_version=0, editable=1).text
    seen = post(bob, flow, "here", window=HIS, part=f"step:{wait.id}", base_version=0, editable=1).text
    assert "Alice Wong is here" in " ".join(re.sub(r"<[^>]+>", "", seen).split())
    seen = post(alice, flow, "here", window=HERS, base_version=0, editable=1).text
    assert "Bob Larsen at “Two days”" in " ".join(re.sub(r"<[^>]+>", "", seen).split())
    assert f'data-at="step:{wait.id}"' in seen
    post(bob, flow, "here", window=HIS, gone=1)
    assert "flow-person" not in post(alice, flow, "here", window=HERS, base_version=0, editable=1).text
    again = post(alice, flow, "here", window="cccccccc-0000", base_version=0, editable=1).text
    assert "You, in another window" in again


def test_a_draft_that_moved_on_is_told_with_who_and_what(alice: Person, bob: Person, flow: Flow) -> None:
    post(bob, flow, "op", op="insert", kind="split", index=0, base_version=0)
    told = post(alice, flow, "here", window=HERS, base_version=0, editable=1).text
    assert "Bob Larsen changed this flow: added “Split”." in told
    assert "flow-behind" not in post(alice, flow, "here", window=HERS, base_version=1, editable=1).text


@pytest.mark.parametrize("window", ["", "<script>", "x" * 400, "…"])
def test_a_strange_window_is_not_kept_and_a_strange_part_not_told(
    window: str, alice: Person, flow: Flow
) -> None:
    assert post(alice, flow, "here", window=window, base_version=0, editable=1).status_code == 200
    post(alice, flow, "here", window=HIS, part="<b>:x", base_version="no", editable=1)
    told = post(alice, flow, "here", window=HERS, base_version=0, editable=1).text
    assert told.count("flow-person") == 1
    assert 'data-at=""' in told


def test_presence_is_the_tenants_own_and_an_administrators(
    alice: Person, charlie: Person, wendy: Person, rory: Person, flow: Flow
) -> None:
    for person in (wendy, rory, charlie):
        assert post(person, flow, "here", window=HERS).status_code == 404
        assert person.client().get(person.url(f"flows/{flow.pk}/edit/newest/")).status_code == 404
    note_present(
        tenant_id=charlie.tenant.pk,
        flow_id=flow.pk,
        window="dddddddd-0000",
        user_id=1,
        name="Spy",
        part="",
    )
    assert "Spy" not in post(alice, flow, "here", window=HERS, base_version=0).text


def test_a_change_elsewhere_is_told_in_the_panel_and_what_was_typed_goes_onto_the_newest(
    alice: Person, bob: Person, flow: Flow, wait: Any
) -> None:
    hidden = panel(alice, flow, f"step:{wait.id}")
    assert post(bob, flow, "op", op="insert", kind="split", index=0, base_version=0).status_code == 200
    before = state(flow)
    answer = post(alice, flow, "apply", **{**hidden, **titled("Hers")})
    assert (answer.status_code, answer["HX-Retarget"]) == (409, "#panel-conflict")
    assert "Bob Larsen changed this flow while you were editing (added “Split”)" in answer.text
    assert "was changed too" not in answer.text
    assert "Keep what I typed" in answer.text
    assert state(flow) == before
    kept = {**hidden, "base_version": "1"}
    assert post(alice, flow, "apply", **{**kept, **titled("Hers")}).status_code == 200
    with tenant_scope(alice.tenant.pk):
        assert [one["title"] for one in Flow.objects.get(pk=flow.pk).draft["steps"]] == [
            "Split",
            "Hers",
            "Last",
        ]


def test_a_change_of_the_same_step_is_told_also_after_the_panel_was_drawn_again(
    alice: Person, bob: Person, flow: Flow, wait: Any
) -> None:
    part = f"step:{wait.id}"
    hidden, his = panel(alice, flow, part), panel(bob, flow, part)
    assert post(bob, flow, "apply", **{**his, **titled("His")}).status_code == 200
    drawn = post(alice, flow, "apply", **{**hidden, **titled(""), "redraw": "1"}).text
    again = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', drawn))
    assert (again["base_version"], again["seen"]) == ("0", hidden["seen"])
    wrong = post(alice, flow, "apply", **{**again, **titled("")})
    assert wrong.status_code == 422
    before = state(flow)
    answer = post(alice, flow, "apply", **{**again, **titled("Hers")})
    assert answer.status_code == 409
    assert "What is open here was changed too" in answer.text
    assert state(flow) == before


def test_a_step_that_the_other_removed_is_told_as_gone(
    alice: Person, bob: Person, flow: Flow, wait: Any
) -> None:
    hidden = panel(alice, flow, f"step:{wait.id}")
    assert post(bob, flow, "op", op="remove", step=wait.id, base_version=0).status_code == 200
    answer = post(alice, flow, "apply", **{**hidden, **titled("Hers")})
    assert answer.status_code == 409
    assert "What is open here is gone" in answer.text
    assert "Keep what I typed" not in answer.text
    newest = alice.client().get(
        alice.url(f"flows/{flow.pk}/edit/newest/"), {"part": f"step:{wait.id}", "keep": "1"}
    )
    assert newest.status_code == 200
    assert 'id="flow-panel"' not in newest.text


def test_settings_of_two_are_not_overwritten(alice: Person, bob: Person, flow: Flow) -> None:
    hers, his = panel(alice, flow, "details"), panel(bob, flow, "details")
    common = {"description": "", "folder": "", "owner": str(alice.user.pk), "visibility": "everyone"}
    assert post(bob, flow, "apply", **{**his, **common, "name": "His"}).status_code == 200
    answer = post(alice, flow, "apply", **{**hers, **common, "name": "Hers"})
    assert answer.status_code == 409
    with tenant_scope(alice.tenant.pk):
        assert Flow.objects.get(pk=flow.pk).name == "His"


def test_ones_own_change_in_another_window_is_told_as_that(alice: Person, flow: Flow) -> None:
    post(alice, flow, "op", op="insert", kind="split", index=0, base_version=0)
    told = post(alice, flow, "here", window=HERS, base_version=0, editable=1).text
    assert "You changed this flow in another window: added “Split”." in told
    answer = post(alice, flow, "op", op="insert", kind="split", index=0, base_version=0)
    assert answer.status_code == 409
    assert (
        "You changed this flow in another window (added “Split”). Your last change was not made."
        in answer.text
    )
