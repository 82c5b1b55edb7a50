"""What the pages of a flow's participants show: rows, paging, stories, exports, endings, additions."""

from __future__ import annotations

import csv
import io
import re
import uuid
from html import unescape
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import AuditEntry
from core.jobs import run_slice
from core.models import Job, JobLane
from crm.models import Contact, Selection, SelectionMember
from flows.document import FlowDocument, StepNode, Trigger
from flows.models import Flow
from flows.queries import newest_document
from participants.models import Participant, Suggestion
from participants.operations.adding import Chosen, start_adding
from tests.fixtures.people import Person
from tests.participants.pages import EMOJI, RIGHT_TO_LEFT, Stage, add_people, crowd, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


def text_of(html: str) -> str:
    """Return what one reads: no tags, single blanks."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def page_of(person: Person, url: str, **query: Any) -> str:
    answer = person.client().get(url, query)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.content.decode()


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
    back = page_of(bob, stage.url("participants/"), after=pages[2][0])
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


def test_adding_a_selection_tells_who_entered_and_who_did_not_by_rule(stage: Stage, bob: Person) -> None:
    with stage.scope() as world:
        selection = world.selection("Everyone", *stage.contacts.values(), world.contact("Newcomer"))
    form = page_of(bob, bob.url("flows/add-contacts/"), selection=selection.pk)
    assert "5 contacts will be suggested" in text_of(form)
    body = {"flow": stage.flow.pk, "token": "once"}
    url = bob.url(f"flows/add-contacts/?selection={selection.pk}")
    answer = bob.client().post(url, body, follow=True)
    text = text_of(answer.content.decode())
    # Late is active already; the other three had ended and come again.
    assert "Enrolled 4 Not enrolled 1" in text
    assert "Was active in this flow already." in text
    again = bob.client().post(url, body, follow=True)
    assert again.redirect_chain == answer.redirect_chain
    with stage.scope():
        assert Suggestion.objects.filter(source="selection", source_id=selection.pk).count() == 5


def test_many_contacts_are_added_in_slices_that_repeat_nothing(
    stage: Stage, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("participants.operations.adding.AT_ONCE", 10)
    monkeypatch.setattr("participants.operations.adding.SLICE", 40)
    crowd(stage, 100)
    with stage.scope() as world:
        selection = world.selection("Crowd", *Contact.objects.filter(last_name="Crowd"))
        world.flow(stage.wait.model_copy(update={"id": uuid.uuid4()}), name="Other")
        other = Flow.objects.get(name="Other")
        chosen = Chosen(selection_id=selection.pk)
        job = start_adding(flow_id=other.pk, chosen=chosen, token="t", member=bob.member, now=world.now)
        assert (job.status, job.done, job.total) == (Job.Status.WAITING, 0, 100)
        tenant = world.tenant.pk
        more = [run_slice(tenant_id=tenant, job_id=job.pk, now=world.now) for _ in range(4)]
        assert more == [True, True, False, False]
        job.refresh_from_db()
        assert (job.status, job.done, job.result) == (Job.Status.DONE, 100, {"verdicts": {"enrolled": 100}})
        assert Participant.objects.filter(flow_id=other.pk).count() == 100


@pytest.mark.parametrize("of", ["selection", "list"])
def test_very_many_are_added_in_lanes_that_meet_nobody_twice(
    stage: Stage, bob: Person, monkeypatch: pytest.MonkeyPatch, settings: Settings, of: str
) -> None:
    for name, number in {"AT_ONCE": 10, "SLICE": 7, "CUT_FROM": 50, "LANES_PER_WORKER": 2}.items():
        monkeypatch.setattr(f"participants.operations.adding.{name}", number)
    settings.JOB_WORKERS = 2
    crowd(stage, 100)
    with stage.scope() as world:
        people = Contact.objects.filter(deleted_at=None).order_by("pk")
        selection = world.selection("All", *people.all())
        world.flow(stage.wait.model_copy(update={"id": uuid.uuid4()}), name="Other")
        other = Flow.objects.get(name="Other")
        chosen = Chosen(selection_id=selection.pk) if of == "selection" else Chosen(query="")
        job = start_adding(flow_id=other.pk, chosen=chosen, token="t", member=bob.member, now=world.now)
        assert run_slice(tenant_id=world.tenant.pk, job_id=job.pk, now=world.now)
        each = -(-people.count() // 4)
        ends = [people[each * n - 1].pk for n in (1, 2, 3)]
        lanes = JobLane.objects.filter(job=job).order_by("number").values_list("cursor", flat=True)
        cut = [(lane["after"], lane["until"]) for lane in lanes]
        assert cut[:3] == list(zip([0, *ends], ends, strict=False))
        assert cut[-1][1] is None
        # Who comes after the job was cut is judged too, by the lane that is open at its end.
        crowd(stage, 1)
        selection.members.create(contact=people.latest("pk"), added_at=world.now)
        while run_slice(tenant_id=world.tenant.pk, job_id=job.pk, now=world.now):
            pass
        job.refresh_from_db()
        total = people.count()
        assert total == 101 + len(stage.contacts)
        assert (job.status, job.done, job.total) == (Job.Status.DONE, total, total)
        assert job.result == {"verdicts": {"enrolled": total}}
        enrolled = Participant.objects.filter(flow_id=other.pk).values_list("contact_id", flat=True)
        assert sorted(enrolled) == list(people.values_list("pk", flat=True))


def test_a_flow_that_is_off_cannot_be_chosen_to_add_to(stage: Stage, bob: Person) -> None:
    with stage.scope() as world:
        selection = world.selection("One", stage.contacts["Anna"])
        off = world.flow(stage.wait.model_copy(update={"id": uuid.uuid4()}), name="Off", status="not_running")
    url = bob.url(f"flows/add-contacts/?selection={selection.pk}")
    answer = bob.client().post(url, {"flow": off.pk, "token": "x"})
    assert answer.status_code == 422
    assert "Choose a flow that is running or paused." in text_of(answer.content.decode())
    with stage.scope():
        assert not Job.objects.exists()


def test_only_who_may_add_contacts_is_offered_it(
    stage: Stage, wendy: Person, rory: Person, charlie: Person
) -> None:
    with stage.scope() as world:
        selection = world.selection("One", stage.contacts["Anna"])
        before = Suggestion.objects.count()
    for person in (wendy, rory, charlie):
        url = person.url(f"flows/add-contacts/?selection={selection.pk}")
        assert person.client().get(url).status_code == 404
        assert person.client().post(url, {"flow": stage.flow.pk, "token": "x"}).status_code == 404
    with stage.scope():
        assert Suggestion.objects.count() == before
        assert SelectionMember.objects.count() == 1


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


def test_why_not_answers_from_the_kept_verdict_and_by_judging_now(bob: Person) -> None:
    from tests.participants.conftest import when

    stage = make_stage(bob, filter=when("contact.job_title", "contains", "baker"))
    with stage.scope() as world:
        maria = world.contact("Maria", job_title="Waiter")
        stranger = world.contact("Ida", job_title="Baker")
        world.suggest(stage.flow, maria)
    url = bob.url(f"contacts/{maria.pk}/flows/why/")
    text = text_of(page_of(bob, url, flow=stage.flow.pk))
    assert "Did not pass the flow's filter." in text
    assert "the value was “Waiter”" in text
    never = text_of(page_of(bob, bob.url(f"contacts/{stranger.pk}/flows/why/"), flow=stage.flow.pk))
    assert "Never suggested for Autumn welcome." in never
    assert "would pass every rule and enter" in never
    with stage.scope():
        assert Suggestion.objects.count() == 1


def test_all_that_a_list_finds_are_added_not_only_its_page(stage: Stage, bob: Person) -> None:
    crowd(stage, 70)
    with stage.scope() as world:
        world.flow(stage.wait.model_copy(update={"id": uuid.uuid4()}), name="Other")
        other = Flow.objects.get(name="Other")
        everyone = Contact.objects.count()
    answer = bob.client().post(bob.url("contacts/to-flow/"), {"every": "on", "query": ""})
    form = bob.client().get(answer["Location"])
    assert f"{everyone} contacts will be suggested" in text_of(form.content.decode())
    result = bob.client().post(answer["Location"], {"flow": other.pk, "token": "all"}, follow=True)
    assert f"Enrolled {everyone} Not enrolled 0" in text_of(result.content.decode())


def test_chosen_people_are_added_to_a_selection_and_suggested_for_another_flow(
    stage: Stage, bob: Person
) -> None:
    late, anna = stage.participant("Late"), stage.participant("Anna")
    with stage.scope():
        hot = Selection.objects.create(name="Hot", created_at=stage.flow.created_at)
        other = Flow.objects.exclude(pk=stage.flow.pk).filter(status="running").first()
        assert other is None, "the stage has one flow only"
    post = bob.client().post
    act = stage.url("participants/act/")
    assert (
        "Choose a selection first"
        in post(act, {"action": "add_to_selection", "ids": [late.pk]}, follow=True).content.decode()
    )
    bad = {"action": "add_to_selection", "ids": [late.pk], "selection": 987654}
    assert "Choose a selection first" in post(act, bad, follow=True).content.decode()
    good = {"action": "add_to_selection", "ids": [late.pk, anna.pk], "selection": hot.pk}
    assert "2 participants added to the selection." in post(act, good, follow=True).content.decode()
    assert "they are all in the selection" in post(act, good, follow=True).content.decode()
    with stage.scope():
        members = SelectionMember.objects.filter(selection=hot).values_list("contact_id", flat=True)
        assert set(members) == {late.contact_id, anna.contact_id}
        assert stage.participant("Late").status == "active"
    assert (
        "Choose a flow first"
        in post(act, {"action": "suggest", "ids": [late.pk]}, follow=True).content.decode()
    )
