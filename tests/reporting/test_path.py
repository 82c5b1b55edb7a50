"""One participant's path on the canvas: marks, walked wires, other revisions, removed steps, and who may look."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from django.utils import timezone

from core.db.cursors import raw_cursor
from crm.search import CONTACT, write_words
from flows.document import FlowDocument
from flows.editing import steps
from flows.editing.tree import Slot
from flows.models import Flow
from flows.queries import revision_document
from participants.path import NOT_THERE, Path, path_of
from participants.queries_story import story_of
from tests.fixtures.people import Person
from tests.participants.conftest import wait
from tests.participants.edits import document, edit
from tests.participants.pages import Stage, add_people, make_stage
from tests.support.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


def drawn(stage: Stage, name: str, revision: int = 0) -> Path:
    person = stage.participant(name)
    with stage.scope():
        flow = Flow.objects.get(pk=stage.flow.pk)
        number = revision or flow.revision
        story = story_of(flow=flow, participant=person, now=timezone.now())
        return path_of(story, revision_document(flow.pk, number), number)


def said(path: Path) -> dict[str, list[tuple[str, int, str]]]:
    """Return state, order and ending of the marks, by the first letters of the step's id."""
    return {
        str(step)[:8]: [(mark.state, mark.order, mark.ending) for mark in marks]
        for step, marks in path.trail.steps.items()
    }


def key(node: object) -> str:
    return str(getattr(node, "id"))[:8]  # noqa: B009


def change(stage: Stage, new: FlowDocument) -> None:
    with stage.scope() as world:
        edit(world, stage.flow, new)


def test_who_took_a_branch_to_finish_walked_every_wire_of_it_and_no_other(stage: Stage) -> None:
    path = drawn(stage, "Anna")
    chefs, others = stage.split.branches
    assert said(path) == {
        key(stage.welcome): [("went_on", 1, "Went on")],
        key(stage.wait): [("went_on", 2, "Went on")],
        key(stage.split): [("went_on", 3, "Went on")],
    }
    assert path.trail.steps[stage.split.id][0].detail == "took “Chefs”"
    assert path.trail.slots == {("", 0), ("", 1), ("", 2), (str(chefs.id), 0), ("", 3)}
    assert (path.trail.taken, path.trail.joined, path.trail.exited) == (
        frozenset({chefs.id}),
        frozenset({chefs.id}),
        frozenset(),
    )
    assert path.trail.finish is not None
    assert (path.trail.finish.state, path.trail.finish.ending) == ("done", "Finished")
    assert others.id not in path.trail.taken


def test_who_left_by_exit_flow_walked_to_it_and_who_left_on_a_card_no_further(stage: Stage) -> None:
    others = stage.split.branches[1]
    zoe = drawn(stage, "Zoe")
    assert (zoe.trail.taken, zoe.trail.joined, zoe.trail.exited) == (
        frozenset({others.id}),
        frozenset(),
        frozenset({others.id}),
    )
    assert zoe.trail.slots == {("", 0), ("", 1), ("", 2), (str(others.id), 0)}
    assert zoe.trail.finish is None
    nour = drawn(stage, "Nour")
    assert said(nour) == {key(stage.welcome): [("left", 1, "Dropped out: no consent")]}
    assert nour.trail.slots == {("", 0)}


def test_who_waits_stands_there_and_walked_no_further(stage: Stage) -> None:
    late = drawn(stage, "Late")
    assert said(late) == {
        key(stage.welcome): [("went_on", 1, "Went on")],
        key(stage.wait): [("here", 2, "Here now")],
    }
    assert late.trail.slots == {("", 0), ("", 1)}
    assert late.trail.taken == set()


def test_a_step_added_behind_somebody_is_marked_so_and_one_removed_is_named_with_its_revision(
    stage: Stage,
) -> None:
    with stage.scope():
        new = steps.insert(document(stage.flow), slot=Slot(None, 0), node=wait(1, title="New wait"))
        new = steps.remove(new, step_id=stage.welcome.id)
    change(stage, new)
    late = drawn(stage, "Late")
    assert said(late) == {
        key(new.steps[0]): [("passed_by", 0, NOT_THERE)],
        key(stage.wait): [("here", 2, "Here now")],
    }
    assert [(visit.title, visit.revision) for visit in late.elsewhere] == [("Welcome", 1)]
    assert said(drawn(stage, "Late", revision=1)) == {
        key(stage.welcome): [("went_on", 1, "Went on")],
        key(stage.wait): [("here", 2, "Here now")],
    }
    page = stage.person.client()
    url = stage.url(f"path/{stage.participant('Late').pk}/")
    html = unescape(page.get(url).text)
    assert "Not in this revision: <b>Welcome</b>" in re.sub(r"<svg.*?</svg> ?", "", html)
    assert "Waits by revision 1. Drawn: revision 2, the newest." in html
    assert "Drawn: revision 1." in page.get(url, {"revision": "1"}).text
    for hostile in ("3", "0", "-1", "²", "x", "9" * 40):
        assert page.get(url, {"revision": hostile}).status_code == 404


def test_before_the_first_step_nothing_is_walked(stage: Stage) -> None:
    with stage.scope() as world:
        Flow.objects.filter(pk=stage.flow.pk).update(status="paused")
        stage.contacts["New"] = world.contact("New", job_title="chef")
        world.suggest(stage.flow, stage.contacts["New"])
    path = drawn(stage, "New")
    assert not path.trail.steps
    assert not path.trail.slots
    assert path.trail.start is not None
    assert path.trail.start.ending == "Here now, before the first step"


def test_success_that_moves_to_finish_is_no_walk_through_the_rest(bob: Person) -> None:
    stage = make_stage(bob, settings={"move_to_finish": True})
    add_people(stage)
    with stage.scope() as world:
        contact = stage.contacts["Late"]
        contact.category = world.customer
        contact.save(update_fields=["category"])
        world.now += dt.timedelta(days=3)
        world.advance(stage.flow)
    path = drawn(stage, "Late")
    assert path.trail.finish is not None
    assert (path.trail.finish.ending, path.trail.finish.detail) == (
        "Finished with success",
        "came here at once",
    )
    assert said(path)[key(stage.wait)] == [("left", 2, "Finished with success")]
    assert path.trail.slots == {("", 0), ("", 1)}


def test_the_panel_tells_what_happened_at_a_card_and_the_chooser_finds_people(
    stage: Stage, bob: Person
) -> None:
    client = bob.client()
    base = stage.url(f"path/{stage.participant('Zoe').pk}/part/")
    assert "Went on" in client.get(base, {"part": f"step:{stage.wait.id}"}).text
    assert "did not hold" in client.get(base, {"part": f"branch:{stage.split.branches[1].id}"}).text
    assert "Has not been here" in client.get(base, {"part": f"branch:{stage.split.branches[0].id}"}).text
    assert "Has not come here" in client.get(base, {"part": "finish"}).text
    assert "Entered" in client.get(base, {"part": "start"}).text
    assert client.get(base, {"part": "step:<x>"}).status_code == 404
    with stage.scope() as world, raw_cursor() as cursor:
        words = {contact.pk: {name.lower()} for name, contact in stage.contacts.items()}
        write_words(cursor, tenant_id=world.tenant.pk, kind=CONTACT, words=words)
    found = client.get(stage.url("path/"), {"q": "zoe"}).text
    assert re.findall(r"(\w+)@post\.test", found) == ["zoe"]
    assert "matches “&lt;b&gt;”" in client.get(stage.url("path/"), {"q": "<b>"}).text


def test_paths_are_for_those_who_may_look_into_the_flow(
    stage: Stage, bob: Person, wendy: Person, rory: Person, charlie: Person
) -> None:
    paths = ["path/", *(f"path/{stage.participant('Anna').pk}/{part}" for part in ("", "part/?part=start"))]
    for path in paths:
        seen = [person.client().get(stage.url(path)).status_code for person in (bob, wendy, rory, charlie)]
        assert seen == [200, 200, 404, 404]
    assert bob.client().get(stage.url("path/999999/")).status_code == 404
    with stage.scope() as world:
        other = world.flow(wait(1), name="Other")
    anna = stage.participant("Anna").pk
    assert bob.client().get(bob.url(f"flows/{other.pk}/path/{anna}/")).status_code == 404


def test_the_path_asks_the_same_however_long_it_is(stage: Stage, bob: Person) -> None:
    def asked(name: str) -> int:
        client, url = bob.client(), stage.url(f"path/{stage.participant(name).pk}/")
        client.get(url)
        with statements() as seen:
            client.get(url)
        return len(seen)

    assert asked("Anna") <= asked("Late") + 1
