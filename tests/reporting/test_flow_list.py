"""The flow list: tabs, search, folders, sorting by figures, and what its buttons do."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry
from content.models import Email
from flows.models import Flow, FlowFolder
from flows.operations.folders import FolderRefused, create_folder, delete_folder, move_folder
from tests.fixtures.people import Person
from tests.participants.conftest import wait
from tests.participants.pages import Stage, add_people, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    with made.scope() as world:
        world.now += dt.timedelta(days=1)
        for name, status in (("Bread & <butter> 🎉", "not_running"), ("zebra", "paused"), ("Älg", "running")):
            world.flow(wait(1), name=name, status=status)
    return made


def names(person: Person, **query: Any) -> list[str]:
    answer = person.client().get(person.url("flows/"), {"view": "list", **query})
    assert answer.status_code == 200
    html = answer.content.decode()
    return [
        unescape(name)
        for name in re.findall(r'<td><a data-row-main href="[^"]+"><bdi>([^<]*)</bdi></a>', html)
    ]


def test_the_newest_change_comes_first_and_every_column_sorts_both_ways(stage: Stage, bob: Person) -> None:
    assert names(bob)[-1] == "Autumn welcome"
    assert names(bob, sort="name") == ["Autumn welcome", "Bread & <butter> 🎉", "zebra", "Älg"]
    assert names(bob, sort="-name") == ["Älg", "zebra", "Bread & <butter> 🎉", "Autumn welcome"]
    for figure in ("enrolled", "active", "completed", "dropped", "rate"):
        assert names(bob, sort=f"-{figure}")[0] == "Autumn welcome"
        assert names(bob, sort=figure)[-1] == "Autumn welcome"
    assert names(bob, sort="-status")[2:] == ["zebra", "Bread & <butter> 🎉"]
    assert len(names(bob, sort="1;drop table")) == 4
    assert len(names(bob, sort="-started")) == len(names(bob, sort="folder")) == 4
    with stage.scope():
        folder = FlowFolder.objects.create(name="Alpha")
        Flow.objects.filter(name="zebra").update(folder=folder, started_at=stage.world.now)
        Flow.objects.exclude(name="zebra").update(started_at=None, status="not_running")
    for sort in ("folder", "-folder", "started", "-started"):
        assert names(bob, sort=sort)[0] == "zebra"


def test_the_list_shows_the_key_numbers(stage: Stage, bob: Person) -> None:
    html = bob.client().get(bob.url("flows/"), {"view": "list"}).content.decode()
    row = re.search(r"<tr data-row>(?:(?!</tr>).)*Autumn welcome.*?</tr>", html, re.DOTALL)
    assert row is not None
    cells = [
        re.sub(r"<[^>]+>", "", cell).strip()
        for cell in re.findall(r'<td class="num[^"]*">(.*?)</td>', row.group(), re.DOTALL)
    ]
    assert cells == ["4", "1", "1", "0.0 %"]
    assert 'participants/?status=active">1</a>' in row.group()
    tiles = bob.client().get(bob.url("flows/"), {"view": "tiles"}).content.decode()
    assert f'{stage.url("participants/")}?status=completed">1</a>' in tiles


def test_tabs_and_search_narrow_the_list(stage: Stage, bob: Person, wendy: Person) -> None:
    assert sorted(names(bob, tab="running")) == ["Autumn welcome", "Älg"]
    assert names(bob, q="BUTTER") == ["Bread & <butter> 🎉"]
    assert names(bob, q="nothing like it") == []
    assert names(bob, tab="recent") == []
    client = bob.client()
    for url in (stage.url(), bob.url(f"flows/{flow_id(stage, 'zebra')}/")):
        client.get(url)
    assert names(bob, tab="recent") == ["zebra", "Autumn welcome"]
    assert names(wendy, tab="recent") == []


def flow_id(stage: Stage, name: str) -> int:
    with stage.scope():
        return Flow.objects.get(name=name).pk


def test_an_empty_list_says_what_to_do(bob: Person, wendy: Person) -> None:
    page = bob.client().get(bob.url("flows/")).content.decode()
    assert "Draw your first flow" in page
    assert bob.url("flows/new/") in page
    page = wendy.client().get(wendy.url("flows/")).content.decode()
    assert "There are no flows yet" in page
    assert bob.url("flows/new/") not in page


def test_the_list_costs_the_same_with_four_flows_as_with_forty(stage: Stage, bob: Person) -> None:
    client = bob.client()
    client.get(bob.url("flows/"))  # the first visit of the hour notes that Bob is here

    def cost(**query: str) -> int:
        client.get(bob.url("flows/"), query)  # pictures of drafts are kept
        with CaptureQueriesContext(connection) as captured:
            client.get(bob.url("flows/"), query)
        return len(captured)

    few = [cost(view="tiles"), cost(view="list", sort="-rate"), cost(tab="recent")]
    with stage.scope() as world:
        for number in range(36):
            world.flow(wait(1), name=f"Flow {number}")
    assert [cost(view="tiles"), cost(view="list", sort="-rate"), cost(tab="recent")] == few
    assert max(few) <= 20, few


def test_pages_of_the_list_hold_every_flow_once(stage: Stage, bob: Person) -> None:
    with stage.scope() as world:
        for number in range(60):
            world.flow(wait(1), name=f"Flow {number:02}")
    first, second = names(bob, sort="name"), names(bob, sort="name", page="2")
    assert (len(first), len(second)) == (48, 16)
    assert len({*first, *second}) == 64
    assert names(bob, sort="name", page="99") == second


def test_folders_nest_and_count_what_one_sees(stage: Stage, bob: Person) -> None:
    client = bob.client()
    client.post(bob.url("flows/folders/new/"), {"name": "  Campaigns   2026 "})
    with stage.scope():
        top = FlowFolder.objects.get(name="Campaigns 2026")
    client.post(bob.url(f"flows/folders/new/?parent={top.pk}"), {"name": "Autumn"})
    with stage.scope():
        inner = FlowFolder.objects.get(name="Autumn")
        assert inner.parent_id == top.pk
    client.post(stage.url("folder/"), {"folder": inner.pk})
    assert names(bob, folder=inner.pk) == ["Autumn welcome"]
    assert names(bob, folder=top.pk) == []
    header = client.get(stage.url()).content.decode()
    assert header.index("Campaigns 2026") < header.index("Autumn</a>")
    assert client.post(bob.url(f"flows/folders/{inner.pk}/delete/"), follow=True).status_code == 200
    with stage.scope():
        assert FlowFolder.objects.filter(pk=inner.pk).exists()
    client.post(stage.url("folder/"), {"folder": ""})
    client.post(bob.url(f"flows/folders/{inner.pk}/delete/"))
    with stage.scope():
        assert list(FlowFolder.objects.values_list("name", flat=True)) == ["Campaigns 2026"]


def test_a_folder_cannot_be_put_into_itself_or_named_twice(stage: Stage) -> None:
    with stage.scope():
        top = create_folder(name="Top", parent_id=None)
        inner = create_folder(name="Inner", parent_id=top.pk)
        for target in (top.pk, inner.pk):
            with pytest.raises(FolderRefused):
                move_folder(folder_id=top.pk, parent_id=target)
        for name in ("Inner", " ", "x" * 81):
            with pytest.raises(FolderRefused):
                create_folder(name=name, parent_id=top.pk)
        with pytest.raises(FolderRefused):
            delete_folder(folder_id=top.pk)
        parent: int | None = inner.pk
        for depth in range(6):
            parent = create_folder(name=f"Level {depth}", parent_id=parent).pk
        with pytest.raises(FolderRefused):
            create_folder(name="Too deep", parent_id=parent)
        assert FlowFolder.objects.count() == 8


def test_a_refused_folder_name_answers_422_with_the_reason(stage: Stage, bob: Person) -> None:
    client = bob.client()
    client.post(bob.url("flows/folders/new/"), {"name": "Twice"})
    answer = client.post(bob.url("flows/folders/new/"), {"name": "Twice"})
    assert answer.status_code == 422
    assert "There is a folder Twice here already." in answer.content.decode()


def test_folders_are_a_flow_administrators_and_stay_in_their_tenant(
    stage: Stage, wendy: Person, rory: Person, charlie: Person
) -> None:
    with stage.scope():
        folder = create_folder(name="Ours", parent_id=None)
    for person in (wendy, rory, charlie):
        for path in ("new/", f"{folder.pk}/rename/", f"{folder.pk}/move/", f"{folder.pk}/delete/"):
            url = person.url(f"flows/folders/{path}")
            status = person.client().post(url, {"name": "Theirs"}).status_code
            assert status == (302 if (person is charlie and path == "new/") else 404), (person, path)
    with stage.scope():
        assert list(FlowFolder.objects.values_list("name", flat=True)) == ["Ours"]


def test_a_copy_has_its_own_emails_no_people_and_does_not_run(stage: Stage, bob: Person) -> None:
    bob.client().post(stage.url("copy/"))
    with stage.scope():
        copy = Flow.objects.get(name="Autumn welcome (copy)")
        assert (copy.status, copy.revision) == ("not_running", 0)
        assert Email.objects.filter(flow_id=copy.pk).count() == 1
    page = bob.client().get(bob.url(f"flows/{copy.pk}/")).content.decode()
    assert "Draft" in page


def test_copies_of_one_flow_have_names_of_their_own(stage: Stage, bob: Person) -> None:
    for _ in range(3):
        bob.client().post(stage.url("copy/"))
    with stage.scope():
        Flow.objects.filter(name="Autumn welcome (copy 2)").update(deleted_at=stage.world.now)
    bob.client().post(stage.url("copy/"))
    with stage.scope():
        made = Flow.objects.filter(deleted_at=None, name__startswith="Autumn welcome").order_by("pk")
        assert [flow.name for flow in made] == [
            "Autumn welcome",
            *(f"Autumn welcome (copy{n})" for n in ("", " 3", " 2")),
        ]


def test_only_a_flow_that_is_off_is_deleted_and_it_is_audited(stage: Stage, bob: Person) -> None:
    bob.client().post(stage.url("delete/"))
    with stage.scope():
        assert Flow.objects.get(pk=stage.flow.pk).deleted_at is None
    bob.client().post(stage.url("end/"))
    bob.client().post(stage.url("delete/"))
    assert "Autumn welcome" not in names(bob)
    assert bob.client().get(stage.url()).status_code == 404
    with stage.scope():
        actions = list(
            AuditEntry.objects.filter(object_kind="flow").order_by("id").values_list("action", flat=True)
        )
        assert actions[-2:] == ["flow.end", "flow.delete"]


def test_pause_and_resume_turn_the_switch_and_a_second_click_changes_nothing(
    stage: Stage, bob: Person
) -> None:
    client = bob.client()
    for _ in range(2):
        client.post(stage.url("pause/"))
    with stage.scope():
        flow = Flow.objects.get(pk=stage.flow.pk)
        assert flow.status == "paused"
        assert AuditEntry.objects.filter(action="flow.pause").count() == 1
    html = client.get(stage.url()).content.decode()
    assert 'role="switch" aria-checked="false" title="Resume flow"' in html


def test_renaming_changes_the_name_everywhere(stage: Stage, bob: Person) -> None:
    bob.client().post(stage.url("rename/"), {"name": "Winter <welcome> 🎿"})
    assert "Winter <welcome> 🎿" in names(bob)
    assert bob.client().post(stage.url("rename/"), {"name": ""}).status_code == 422


def test_numbers_add_up_at_every_step_and_branch(stage: Stage, bob: Person) -> None:
    answer = bob.client().get(stage.url("canvas/counts/")).json()
    welcome, waiting, split = (
        answer["steps"][str(node.id)] for node in (stage.welcome, stage.wait, stage.split)
    )
    assert (welcome["here"], welcome["went_on"], welcome["left"]) == (0, 3, 1)
    assert (waiting["here"], waiting["went_on"], waiting["left"]) == (1, 2, 0)
    assert (split["here"], split["went_on"], split["left"]) == (0, 1, 1)
    assert sorted(split["branches"].values()) == [1, 1]
    assert answer["flow"] == {"enrolled": 4, "completed": 1, "active": 1}


@pytest.mark.parametrize("part", ["step", "branch", "start", "finish"])
def test_every_part_of_the_canvas_opens_in_the_panel(stage: Stage, bob: Person, part: str) -> None:
    branch_id = stage.split.branches[1].id
    named = {"step": f"step:{stage.wait.id}", "branch": f"branch:{branch_id}"}.get(part, part)
    answer = bob.client().get(stage.url("canvas/part/"), {"part": named})
    assert answer.status_code == 200
    expected = {
        "step": "Wait 2 days",
        "branch": f'<a href="{stage.url("participants/")}?branch={branch_id}">1</a> (50.0 %)',
        "start": "Contact created",
        "finish": "Success rate",
    }
    assert expected[part] in answer.content.decode()
    assert bob.client().get(stage.url("canvas/part/"), {"part": "step:nonsense"}).status_code == 404
