"""The flow list's filters, groups and columns, pictures on tiles, comparing, and moving several at once."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.models import Usage
from flows.models import Flow, FlowFolder
from flows.operations.folders import create_folder
from reporting.comparing import compared
from reporting.flow_filters import COLUMNS
from tests.fixtures.people import Person
from tests.participants.conftest import wait
from tests.participants.pages import Stage, add_people, make_stage
from tests.reporting.test_flow_list import names

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person, wendy: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    with made.scope() as world:
        world.now += dt.timedelta(days=1)
        folder = create_folder(name="<i>Spring</i> 🌷", parent_id=None)
        for name, status in (("Bread", "not_running"), ("zebra", "paused"), ("Älg", "running")):
            flow = world.flow(wait(1), name=name, status=status)
            if name == "zebra":
                Flow.objects.filter(pk=flow.pk).update(owner=wendy.user, folder=folder)
    return made


def page(person: Person, path: str = "flows/", **query: Any) -> str:
    answer = person.client().get(person.url(path), query)
    assert answer.status_code == 200
    return answer.content.decode()


def pk(stage: Stage, name: str) -> int:
    with stage.scope():
        return Flow.objects.get(name=name).pk


def test_the_list_is_narrowed_by_status_owner_and_what_is_used(
    stage: Stage, bob: Person, wendy: Person
) -> None:
    assert names(bob, status="paused") == ["zebra"]
    assert sorted(names(bob, status="running")) == ["Autumn welcome", "Älg"]
    assert names(bob, owner=wendy.user.pk) == ["zebra"]
    assert names(bob, owner=wendy.user.pk, status="running") == []
    with stage.scope():
        Usage.objects.create(
            used_kind="selection",
            used_id=7,
            user_kind="flow",
            user_id=pk(stage, "Bread"),
            user_name="",
            place="x",
        )
    assert names(bob, uses="selection:7") == ["Bread"]
    assert names(bob, uses="selection:8") == []
    for nonsense in ("selection:x", "password:1", "selection:" + "9" * 60, "''"):
        assert len(names(bob, uses=nonsense)) == 4
    assert len(names(bob, status="nonsense")) == 4
    assert "No flow fits this filter" in page(bob, view="list", status="running", owner=str(wendy.user.pk))


def test_the_filter_offers_owners_and_things_of_visible_flows_only(
    stage: Stage, bob: Person, wendy: Person
) -> None:
    with stage.scope() as world:
        email = world.email("Secret letter")
        zebra = Flow.objects.get(name="zebra")
        Usage.objects.create(
            used_kind="email",
            used_id=email.pk,
            user_kind="flow",
            user_id=zebra.pk,
            user_name="zebra",
            place="x",
        )
    html = page(bob)
    assert "Secret letter" in html
    assert "Wendy Okafor" in html
    with stage.scope():
        Flow.objects.filter(pk=zebra.pk).update(visibility=Flow.Visibility.OWNER)
    html = page(bob)
    assert "Secret letter" not in html
    assert "Wendy Okafor" not in html


def heads(html: str) -> list[str]:
    return [unescape(text) for text in re.findall(r'<th scope="rowgroup"[^>]*>([^<]*)<', html)]


def test_groups_stand_together_and_keep_the_order_asked_for(stage: Stage, bob: Person) -> None:
    html = page(bob, view="list", group="status", sort="name")
    assert heads(html) == ["Running", "Paused", "Not running"]
    assert names(bob, group="status", sort="name") == ["Autumn welcome", "Älg", "zebra", "Bread"]
    assert names(bob, group="status", sort="-name") == ["Älg", "Autumn welcome", "zebra", "Bread"]
    assert heads(page(bob, view="list", group="folder")) == ["<i>Spring</i> 🌷", "No folder"]
    assert heads(page(bob, view="list", group="owner")) == ["Bob Larsen", "Wendy Okafor"]
    assert heads(page(bob, view="list", group="nonsense")) == []


def test_columns_are_chosen_and_unknown_ones_left_out(stage: Stage, bob: Person) -> None:
    def shown(**query: Any) -> list[str]:
        head = re.search(r"<thead>.*?</thead>", page(bob, view="list", **query), re.DOTALL)
        assert head is not None
        found = [
            re.sub(r"<[^>]+>", "", cell).strip()
            for cell in re.findall(r"<th.*?</th>", head.group(), re.DOTALL)
        ]
        return found[1:-1]

    assert shown() == [
        "Name",
        "Status",
        "Owner",
        "Enrolled",
        "In progress",
        "Completed",
        "Success rate",
        "Updated",
    ]
    assert shown(col=["folder", "dropped", "password"]) == ["Name", "Folder", "Dropped out"]
    assert shown(col=list(COLUMNS)) == ["Name", *(title for title, _, _ in COLUMNS.values())]


def test_tiles_show_a_picture_of_each_flow(stage: Stage, bob: Person) -> None:
    html = page(bob, view="tiles")
    assert html.count('class="flow-picture"') == 4
    assert html.count('class="family-split"') == 1


def test_several_flows_move_into_a_folder_at_once(stage: Stage, bob: Person, charlie: Person) -> None:
    with stage.scope():
        folder = FlowFolder.objects.get()
        hidden = Flow.objects.get(name="Älg")
        Flow.objects.filter(pk=hidden.pk).update(visibility=Flow.Visibility.OWNER, owner=stage.flow.owner)
        Flow.objects.filter(name="zebra").update(visibility=Flow.Visibility.OWNER, folder=None)
    chosen = [pk(stage, name) for name in ("Bread", "Autumn welcome", "zebra")]
    client = bob.client()
    client.post(bob.url("flows/move/"), {"ids": [*chosen, "x", "9" * 30], "folder": folder.pk})
    with stage.scope():
        there = sorted(Flow.objects.filter(folder=folder).values_list("name", flat=True))
        assert there == ["Autumn welcome", "Bread"]
    client.post(bob.url("flows/move/"), {"ids": chosen, "folder": "top"})
    with stage.scope():
        assert not Flow.objects.filter(folder=folder).exists()
    for folder_id in ("", "99999999", "x"):
        assert client.post(bob.url("flows/move/"), {"ids": chosen, "folder": folder_id}).status_code == 302
    charlie.client().post(charlie.url("flows/move/"), {"ids": chosen, "folder": folder.pk})
    with stage.scope():
        assert not Flow.objects.filter(folder=folder).exists()


def test_flows_are_compared_by_their_numbers(stage: Stage, bob: Person) -> None:
    ids = [pk(stage, "Autumn welcome"), pk(stage, "Bread")]
    with stage.scope():
        found = compared(member=bob.member, flow_ids=[*ids, *ids])
        told = {row.title: [cell.number for cell in row.cells] for row in found.rows}
    assert [flow.name for flow in found.flows] == ["Autumn welcome", "Bread"]
    assert told["Enrolled"] == [4, 0]
    assert told["In progress"] == [1, 0]
    assert told["Completed"] == [1, 0]
    assert told["Success rate"] == [0.0, None]
    assert told["Completed of enrolled"] == [25.0, None]
    html = page(bob, "flows/compare/", ids=ids)
    assert html.count('<th scope="col">') == 2
    assert re.search(rf'flows/{ids[0]}/participants/\?status=dropped">2</a>', html)
    assert f"flows/{ids[1]}/participants/" not in html
    assert "Nothing to compare yet" in page(bob, "flows/compare/")


def test_comparing_costs_the_same_for_two_flows_as_for_six(stage: Stage, bob: Person) -> None:
    with stage.scope() as world:
        many = [world.flow(wait(1), name=f"Flow {number}").pk for number in range(8)]
    client = bob.client()
    client.get(bob.url("flows/"))

    def cost(ids: list[int]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(bob.url("flows/compare/"), {"ids": ids}).status_code == 200
        return len(captured)

    assert cost(many[:2]) >= cost(many[:6])
    assert page(bob, "flows/compare/", ids=many).count('<th scope="col">') == 6


def test_what_one_may_not_see_or_do_is_absent(
    stage: Stage, bob: Person, wendy: Person, rory: Person, charlie: Person
) -> None:
    listed = page(wendy, view="list")
    for word in (
        "Move to folder",
        "Export to a file",
        "Delete",
        "New flow",
        "New folder",
        "Rename",
        'flows/move/" ',
    ):
        assert word not in listed, word
    assert "Compare" in listed
    assert wendy.client().post(wendy.url("flows/move/"), {"ids": [1], "folder": "top"}).status_code == 404
    assert rory.client().get(rory.url("flows/compare/")).status_code == 404
    foreign = page(charlie, "flows/compare/", ids=[pk(stage, "Älg")])
    assert "Älg" not in foreign
    with stage.scope():
        Flow.objects.filter(name="zebra").update(visibility=Flow.Visibility.CHOSEN)
    assert "zebra" not in page(bob, "flows/compare/", ids=[pk(stage, "zebra")])
