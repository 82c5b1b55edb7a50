"""Adding contacts to a flow from a contact, a selection or a list, and what the answers tell."""

from __future__ import annotations

import uuid

import pytest
from pytest_django import Settings

from core.jobs import run_slice
from core.models import Job, JobLane
from crm.models import Contact, Selection, SelectionMember
from flows.models import Flow
from participants.models import Participant, Suggestion
from participants.operations.adding import Chosen, start_adding
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, crowd, make_stage, page_of, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


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
