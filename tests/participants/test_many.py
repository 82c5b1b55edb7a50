"""Everybody who matches, not only the page: a job that meets each once, and the list it starts from."""

from __future__ import annotations

import re
from typing import Any

import pytest

from accounts.models import AuditEntry, Membership, Role
from core.jobs import run_slice
from core.models import Job
from participants.models import Participant
from participants.operations import many
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, crowd, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    crowd(made, 60)
    return made


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many, "SLICE", 25)


def start(stage: Stage, action: str, query: str = "", person: Person | None = None, **more: Any) -> Any:
    data = {"action": action, "every": "1", "query": f"?{query}", "token": "t1", **more}
    return (person or stage.person).client().post(stage.url("participants/act/"), data)


def finish(stage: Stage) -> Job:
    with stage.scope() as world:
        job = Job.objects.get(kind="act_on_participants")
    while run_slice(tenant_id=stage.person.tenant.pk, job_id=job.pk, now=world.now):
        pass
    with stage.scope():
        job.refresh_from_db()
    return job


def statuses(stage: Stage) -> dict[str, int]:
    with stage.scope():
        rows = Participant.objects.filter(flow_id=stage.flow.pk).values_list("status", flat=True)
        return {status: list(rows).count(status) for status in sorted(set(rows))}


def test_all_that_match_are_taken_out_also_those_of_other_pages(stage: Stage) -> None:
    answer = start(stage, "take_out", "status=active")
    job = finish(stage)
    assert (job.status, job.done, job.total, job.result["changed"]) == ("done", 61, 61, 61)
    assert statuses(stage) == {"dropped": 63, "finished": 1}
    html = stage.person.client().get(answer.url).content.decode()
    assert "61 participants taken out. 61 matched." in html
    with stage.scope():
        assert AuditEntry.objects.filter(action="participant.taken_out").count() == 3


def test_the_same_form_twice_is_one_job(stage: Stage) -> None:
    first, second = start(stage, "take_out"), start(stage, "take_out")
    assert first.url == second.url
    with stage.scope():
        assert Job.objects.filter(kind="act_on_participants").count() == 1


def test_who_comes_in_after_it_began_is_left_alone(stage: Stage) -> None:
    start(stage, "remove", "status=active")
    crowd(stage, 5)
    finish(stage)
    assert statuses(stage) == {"active": 5, "dropped": 2, "finished": 1}


def test_it_stops_where_nobody_can_move_and_says_so(stage: Stage) -> None:
    stage.person.client().post(stage.url("pause/"))
    answer = start(stage, "move_on", "status=active")
    assert finish(stage).status == "failed"
    html = stage.person.client().get(answer.url).content.decode()
    assert "It stopped after 0 of 61: The flow is not running, so nobody moves. Resume it first." in html


def test_an_action_that_leads_nowhere_is_refused_before_it_begins(stage: Stage) -> None:
    start(stage, "add_to_selection", selection="")
    start(stage, "add_to_selection", selection="99999999")
    start(stage, "explode")
    with stage.scope():
        assert not Job.objects.filter(kind="act_on_participants").exists()


def test_only_flow_administrators_start_watch_and_keep_the_right(
    stage: Stage, wendy: Person, charlie: Person
) -> None:
    assert start(stage, "remove", person=wendy).status_code == 404
    assert charlie.client().post(stage.url("participants/act/"), {"every": "1"}).status_code == 404
    answer = start(stage, "remove")
    for stranger in (wendy, charlie):
        assert stranger.client().get(answer.url).status_code == 404
    before = statuses(stage)
    with stage.scope():
        Membership.objects.filter(user=stage.person.user).update(role=Role.objects.get(name="Content writer"))
    assert finish(stage).error == "Whoever started this may not change participants any more."
    assert statuses(stage) == before


def test_the_list_says_how_many_match(stage: Stage) -> None:
    def total(query: str) -> str:
        html = stage.person.client().get(stage.url(f"participants/?{query}")).content.decode()
        found = re.search(r'<bulk-list data-total="(\d+)"', html)
        return found.group(1) if found else ""

    assert total("") == "64"
    assert total("status=active") == "61"
    assert total("status=dropped&reason=no_consent") == "1"
    assert total("when=enrolled&from=2000-01-01&to=2100-01-01") == "64"


def test_columns_are_chosen_and_the_oldest_come_first(stage: Stage) -> None:
    client = stage.person.client()
    html = client.get(
        stage.url("participants/?col=source&col=until&col=nonsense&sort=oldest")
    ).content.decode()
    heads = [
        re.sub("<[^>]+>", "", head)
        for head in re.findall(
            r'<th scope="col"(?! class="col-(?:check|menu)")[^>]*>(.*?)</th>', html, re.DOTALL
        )
    ]
    assert heads == ["Email address", "Enrolled by", "Waits until"]
    assert re.findall(r"(\w+)@post\.test</a>", html)[:3] == ["anna", "zoe", "nour"]
    newer = re.search(r'rel="next" href="([^"]+)"', html)
    assert newer is not None
    html = client.get(stage.url("participants/") + newer.group(1).replace("&amp;", "&")).content.decode()
    assert len(re.findall("<tr data-row>", html)) == 14
    older = re.search(r'rel="prev" href="([^"]+)"', html)
    assert older is not None
    html = client.get(stage.url("participants/") + older.group(1).replace("&amp;", "&")).content.decode()
    assert re.findall(r"(\w+)@post\.test</a>", html)[0] == "anna"
