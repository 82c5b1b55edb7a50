"""What the pages of a flow's participants show: rows, paging, stories, exports, endings, additions."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest

from accounts.models import AuditEntry
from crm.models import Contact
from flows.document import FlowDocument, StepNode, Trigger
from flows.models import Flow
from flows.queries import newest_document
from participants.models import Participant
from tests.fixtures.people import Person
from tests.participants.pages import (
    EMOJI,
    RIGHT_TO_LEFT,
    Stage,
    add_people,
    crowd,
    make_stage,
    page_of,
    text_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


def test_the_table_shows_each_fate_with_names_in_every_script(stage: Stage, bob: Person) -> None:
    text = text_of(page_of(bob, stage.url("participants/")))
    for shown in (EMOJI, RIGHT_TO_LEFT, "مطعم النيل", "anna@post.test", "Welcome 👋"):
        assert shown in text
    assert "4 enrolled in all, 1 in progress" in text
    # Late waits, Anna finished, Zoe's branch exits, Nour never consented.
    for fate in ("Active", "Finished", "No branch matched", "No consent", "Wait 2 days", "Queued"):
        assert fate in text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"status": "dropped"}, {"zoe@post.test", "nour@post.test"}),
        ({"status": "dropped", "reason": "no_consent"}, {"nour@post.test"}),
        ({"status": "active"}, {"late@post.test"}),
        (
            {"status": "nonsense", "reason": "x", "step": "y"},
            {"anna@post.test", "zoe@post.test", "nour@post.test", "late@post.test"},
        ),
    ],
)
def test_the_table_narrows_by_status_and_reason(
    stage: Stage, bob: Person, query: dict[str, str], shown: set[str]
) -> None:
    html = page_of(bob, stage.url("participants/"), **query)
    assert set(re.findall(r"[a-z]+@post\.test", html)) == shown


def test_the_table_narrows_by_step(stage: Stage, bob: Person) -> None:
    html = page_of(bob, stage.url("participants/"), step=str(stage.wait.id), status="active")
    assert set(re.findall(r"[a-z]+@post\.test", html)) == {"late@post.test"}


def test_paging_by_key_shows_everyone_once_both_ways(stage: Stage, bob: Person) -> None:
    crowd(stage, 120)
    seen: list[int] = []
    url: str | None = stage.url("participants/")
    pages = []
    while url:
        html = page_of(bob, url)
        pages.append(ids := [int(one) for one in re.findall(r'name="ids" value="(\d+)" aria-label', html)])
        seen += ids
        older = re.search(r'rel="next" href="([^"]+)"', html)
        url = stage.url("participants/") + unescape(older.group(1)) if older else None
    with stage.scope():
        everyone = list(
            Participant.objects.filter(flow_id=stage.flow.pk).order_by("-pk").values_list("pk", flat=True)
        )
    assert seen == everyone
    assert [len(page) for page in pages] == [50, 50, 24]
    back = page_of(bob, stage.url("participants/"), before=pages[2][0])
    assert [int(one) for one in re.findall(r'name="ids" value="(\d+)" aria-label', back)] == pages[1]


def test_the_pages_cost_the_same_with_five_participants_as_with_five_hundred(
    stage: Stage, bob: Person
) -> None:
    client = bob.client()
    paths = (
        "",
        "participants/",
        "canvas/",
        "canvas/counts/",
        "content/",
        f"participants/{stage.participant('Anna').pk}/",
    )
    few = {path: queries_of(client, stage.url(path)) for path in paths}
    crowd(stage, 500)
    many = {path: queries_of(client, stage.url(path)) for path in paths}
    # The newest fifty have no message yet, which saves two.
    assert many == {**few, "participants/": few["participants/"] - 2}
    assert max(few.values()) <= 40, few


def queries_of(client: Any, url: str) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_a_drop_outs_page_says_why_with_the_values_seen(stage: Stage, bob: Person) -> None:
    nour = stage.participant("Nour")
    text = text_of(page_of(bob, stage.url(f"participants/{nour.pk}/")))
    assert "E-marketing consent was withdrawn on" in text
    assert "E-marketing consent: failed" in text
    assert "Subscription: not reached" in text
    assert "Added by hand" in text
    assert "Passed every rule and entered the flow." in text


def test_a_finished_participants_page_tells_every_visit_in_order(stage: Stage, bob: Person) -> None:
    anna = stage.participant("Anna")
    text = text_of(page_of(bob, stage.url(f"participants/{anna.pk}/")))
    places = [
        text.index(words)
        for words in (
            "Entered the flow",
            "anna@post.test Queued",
            "stayed 2 days",
            "Chefs : Job title contains",
        )
    ]
    assert places == sorted(places)
    assert "Came to Finish without meeting a success criterion." in text


def test_a_waiting_participants_page_says_what_comes_next(stage: Stage, bob: Person) -> None:
    late = stage.participant("Late")
    url = stage.url(f"participants/{late.pk}/")
    assert "Waits on “Wait 2 days”." in text_of(page_of(bob, url))
    with stage.scope():
        Flow.objects.filter(pk=stage.flow.pk).update(status="paused")
    assert "Stands on “Wait 2 days” while the flow is paused" in text_of(page_of(bob, url))


def test_the_export_holds_every_row_and_no_formula(stage: Stage, bob: Person, wendy: Person) -> None:
    with stage.scope():
        Contact.objects.filter(pk=stage.contacts["Anna"].pk).update(
            first_name='=HYPERLINK("x")', last_name=""
        )
    answer = bob.client().get(stage.url("participants/export/"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    body = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(body)))
    assert len(rows) == 4
    named = {row["Email address"]: row for row in rows}
    assert named["anna@post.test"]["Contact"] == '\'=HYPERLINK("x")'
    assert named["nour@post.test"]["Drop-out reason"] == "No consent"
    assert named["late@post.test"]["Current step"] == "Wait 2 days"
    with stage.scope():
        assert AuditEntry.objects.filter(action="participant.export").count() == 1
    assert wendy.client().get(stage.url("participants/export/")).status_code == 404


def test_the_export_is_narrowed_as_the_table_is(stage: Stage, bob: Person) -> None:
    answer = bob.client().get(stage.url("participants/export/"), {"status": "dropped"})
    body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert sorted(re.findall(r"[a-z]+@post\.test", body)) == ["nour@post.test", "zoe@post.test"]


def test_ending_names_how_many_become_cancelled_and_does_it(stage: Stage, bob: Person) -> None:
    crowd(stage, 3)
    text = text_of(page_of(bob, stage.url("end/")))
    assert "4 active participants become cancelled" in text
    answer = bob.client().post(stage.url("end/"), follow=True)
    assert "Autumn welcome has ended. 4 active participants became cancelled." in text_of(
        answer.content.decode()
    )
    with stage.scope():
        statuses = Participant.objects.filter(flow_id=stage.flow.pk).values_list("status", flat=True)
        assert sorted(statuses) == ["cancelled"] * 4 + ["dropped", "dropped", "finished"]


def test_a_refused_start_lists_each_problem_with_a_link_to_its_step(bob: Person) -> None:
    stage = make_stage(bob, status="not_running")
    with stage.scope() as world:
        broken = StepNode(kind="send_email", title="Nothing chosen")
        world.save(stage.flow, FlowDocument(steps=(broken,)))
        number = Flow.objects.get(pk=stage.flow.pk).revision
    answer = bob.client().post(stage.url("run/"), {"as_saved": number}, follow=True)
    html = answer.content.decode()
    assert "Not started." in html
    assert f"{stage.url('edit/')}?part=step%3A{broken.id}" in html
    with stage.scope():
        assert Flow.objects.get(pk=stage.flow.pk).status == "not_running"


STARTABLE = FlowDocument(
    triggers=(Trigger(kind="contact_created"),),
    steps=(
        StepNode(kind="wait_for_time", title="Wait", settings={"mode": "span", "amount": 1, "unit": "days"}),
    ),
)


@pytest.mark.parametrize(("status", "verb"), [("not_running", "Start"), ("paused", "Resume")])
def test_unsaved_changes_are_told_before_the_flow_runs_without_them(
    bob: Person, status: str, verb: str
) -> None:
    stage = make_stage(bob, status=status)
    client = bob.client()
    with stage.scope() as world:
        world.save(stage.flow, STARTABLE)
        flow = Flow.objects.get(pk=stage.flow.pk)
        saved = newest_document(flow.pk)
        changed = saved.model_copy(update={"steps": saved.steps[:0]})
        Flow.objects.filter(pk=flow.pk).update(draft=changed.model_dump(mode="json"))
    asked = client.post(stage.url("run/"), {"back": "list"})
    text = text_of(asked.content.decode())
    assert f"{verb} Autumn welcome as last saved?" in text
    assert f"They are not in what runs: that is revision {flow.revision}." in text
    assert f'href="{stage.url("edit/")}"' in asked.content.decode()
    # Who was asked about another revision is asked again.
    client.post(stage.url("run/"), {"as_saved": str(flow.revision + 1)})
    with stage.scope():
        assert Flow.objects.get(pk=flow.pk).status == status
    answer = client.post(stage.url("run/"), {"as_saved": str(flow.revision), "back": "list"})
    assert (answer.status_code, answer["Location"]) == (302, bob.url("flows/"))
    with stage.scope():
        running = Flow.objects.get(pk=flow.pk)
        assert (running.status, running.draft) == ("running", changed.model_dump(mode="json"))
    # A second click: it runs, nothing is asked.
    assert client.post(stage.url("run/")).status_code == 302


def test_a_flow_whose_draft_is_saved_starts_without_a_question(bob: Person) -> None:
    stage = make_stage(bob, status="paused")
    with stage.scope() as world:
        world.save(stage.flow, STARTABLE)
        saved = newest_document(stage.flow.pk).model_dump(mode="json")
        Flow.objects.filter(pk=stage.flow.pk).update(draft=saved)
    assert bob.client().post(stage.url("run/")).status_code == 302
    with stage.scope():
        assert Flow.objects.get(pk=stage.flow.pk).status == "running"


def test_take_out_keeps_the_record_and_remove_erases_it(stage: Stage, bob: Person) -> None:
    late, zoe = stage.participant("Late"), stage.participant("Zoe")
    bob.client().post(stage.url("participants/act/"), {"action": "take_out", "ids": [late.pk]})
    with stage.scope():
        late.refresh_from_db()
        assert (late.status, late.drop_reason) == ("dropped", "removed_by_user")
    text = text_of(page_of(bob, stage.url(f"participants/{late.pk}/")))
    assert "Taken out by Bob Larsen." in text
    bob.client().post(stage.url("participants/act/"), {"action": "remove", "ids": [zoe.pk]})
    with stage.scope():
        assert not Participant.objects.filter(pk=zoe.pk).exists()
        actions = AuditEntry.objects.filter(object_kind="flow").values_list("action", flat=True)
        assert {"participant.taken_out", "participant.removed"} <= set(actions)
    assert "3 enrolled in all" in text_of(page_of(bob, stage.url("participants/")))


def test_nothing_chosen_and_unknown_actions_change_nothing(stage: Stage, bob: Person) -> None:
    late = stage.participant("Late")
    for body in (
        {"action": "take_out"},
        {"action": "explode", "ids": [late.pk]},
        {"action": "remove", "ids": ["-1", "x"]},
    ):
        assert bob.client().post(stage.url("participants/act/"), body).status_code == 302
    assert stage.participant("Late").status == "active"


def test_a_rep_sees_a_contacts_flows_without_a_link_into_them(
    stage: Stage, rory: Person, bob: Person
) -> None:
    anna = stage.contacts["Anna"]
    html = page_of(rory, rory.url(f"contacts/{anna.pk}/flows/"))
    text = text_of(html)
    for shown in ("Autumn welcome", "Finished", "Welcome 👋", "Queued"):
        assert shown in text
    assert stage.url() not in html
    assert "Why not in a flow?" not in text
    assert stage.url() in page_of(bob, bob.url(f"contacts/{anna.pk}/flows/"))


def test_a_strangers_contact_is_not_found(stage: Stage, charlie: Person) -> None:
    anna = stage.contacts["Anna"]
    assert charlie.client().get(charlie.url(f"contacts/{anna.pk}/flows/")).status_code == 404


def test_a_rep_finds_the_own_contacts_in_flows(stage: Stage, rory: Person) -> None:
    assert "None of your contacts is in a flow" in text_of(page_of(rory, rory.url("contacts/in-flows/")))
    with stage.scope():
        Contact.objects.filter(pk=stage.contacts["Late"].pk).update(our_contact=rory.user)
        company = stage.contacts["Anna"].company
        assert company is not None
        company.our_contact = rory.user
        company.save()
    active = text_of(page_of(rory, rory.url("contacts/in-flows/")))
    assert "Late" in active
    assert "Anna" not in active
    everyone = text_of(page_of(rory, rory.url("contacts/in-flows/"), show="all"))
    assert "Late" in everyone
    assert "Anna" in everyone
