"""Add to flow from a project and from a company: who is in it and within reach, at once or as a job in lanes."""

from __future__ import annotations

import uuid

import pytest
from pytest_django import Settings

from core.jobs import run_slice
from core.models import Job, JobLane
from crm.models import Company, Contact, Project, ProjectMember
from flows.models import Flow
from participants.models import Participant
from participants.operations.adding import Chosen, start_adding
from tests.crm.conftest import make_company
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, crowd, make_stage, page_of, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    return made


@pytest.fixture
def other(stage: Stage) -> Flow:
    with stage.scope() as world:
        return world.flow(stage.wait.model_copy(update={"id": uuid.uuid4()}), name="Other")


def fair(stage: Stage, *names: str) -> Project:
    with stage.scope() as world:
        project = Project.objects.create(name="Fair", created_at=world.now)
        for name in names:
            contact = world.contact(name)
            ProjectMember.objects.create(project=project, contact=contact, added_at=world.now)
        return project


def harbour(stage: Stage, *names: str) -> Company:
    with stage.scope() as world:
        company = make_company("Harbour AS")
        for name in names:
            world.contact(name, company=company, category=None)
        return company


def names_in(stage: Stage, flow: Flow) -> list[str]:
    with stage.scope():
        ids = Participant.objects.filter(flow_id=flow.pk).values_list("contact_id", flat=True)
        return sorted(Contact.objects.filter(pk__in=ids).values_list("first_name", flat=True))


def test_a_projects_members_are_added_from_its_page(stage: Stage, bob: Person, other: Flow) -> None:
    project = fair(stage, "Pia", "Per")
    link = bob.url(f"flows/add-contacts/?project={project.pk}")
    assert link.replace("&", "&amp;") in page_of(bob, bob.url(f"projects/{project.pk}/"))
    form = text_of(page_of(bob, bob.url("flows/add-contacts/"), project=project.pk))
    assert "Add Fair to a flow" in form
    assert "2 contacts will be suggested" in form
    answer = bob.client().post(link, {"flow": other.pk, "token": "once"}, follow=True)
    assert "Enrolled 2" in text_of(answer.content.decode())
    assert names_in(stage, other) == ["Per", "Pia"]


def test_a_companys_contacts_are_added_from_its_page(stage: Stage, bob: Person, other: Flow) -> None:
    company = harbour(stage, "Hal", "Hua")
    link = bob.url(f"flows/add-contacts/?company={company.pk}")
    assert link in page_of(bob, bob.url(f"companies/{company.pk}/"))
    assert "Add the contacts of Harbour AS to a flow" in text_of(page_of(bob, link))
    bob.client().post(link, {"flow": other.pk, "token": "once"})
    bob.client().post(link, {"flow": other.pk, "token": "once"})
    assert names_in(stage, other) == ["Hal", "Hua"]


def test_an_empty_company_offers_nothing_and_adds_nobody(stage: Stage, bob: Person, other: Flow) -> None:
    company = harbour(stage)
    link = bob.url(f"flows/add-contacts/?company={company.pk}")
    assert link not in page_of(bob, bob.url(f"companies/{company.pk}/"))
    assert "There is nobody in it to add." in text_of(page_of(bob, link))


@pytest.mark.parametrize("of", ["project", "company"])
def test_who_may_not_add_or_see_finds_nothing(
    stage: Stage, wendy: Person, rory: Person, charlie: Person, other: Flow, of: str
) -> None:
    made = fair(stage, "Pia") if of == "project" else harbour(stage, "Hal")
    for person in (wendy, rory, charlie):
        link = person.url(f"flows/add-contacts/?{of}={made.pk}")
        assert person.client().get(link).status_code == 404
        assert person.client().post(link, {"flow": other.pk, "token": "x"}).status_code == 404
    for nonsense in ("0", "x", "9" * 30):
        assert wendy.client().get(wendy.url(f"flows/add-contacts/?{of}={nonsense}")).status_code == 404
    assert names_in(stage, other) == []


@pytest.mark.parametrize("of", ["project", "company"])
def test_very_many_are_added_as_a_job_in_lanes(
    stage: Stage, bob: Person, other: Flow, monkeypatch: pytest.MonkeyPatch, settings: Settings, of: str
) -> None:
    for name, number in {"AT_ONCE": 10, "SLICE": 7, "CUT_FROM": 50, "LANES_PER_WORKER": 2}.items():
        monkeypatch.setattr(f"participants.operations.adding.{name}", number)
    settings.JOB_WORKERS = 2
    project, company = fair(stage), harbour(stage)
    crowd(stage, 60)
    with stage.scope() as world:
        people = Contact.objects.filter(last_name="Crowd").order_by("pk")
        people.update(company=company)
        members = [ProjectMember(project=project, contact=one, added_at=world.now) for one in people]
        ProjectMember.objects.bulk_create(members)
        chosen = Chosen(project_id=project.pk) if of == "project" else Chosen(company_id=company.pk)
        job = start_adding(flow_id=other.pk, chosen=chosen, token="t", member=bob.member, now=world.now)
        assert (job.status, job.total) == (Job.Status.WAITING, 60)
        while run_slice(tenant_id=world.tenant.pk, job_id=job.pk, now=world.now):
            pass
        job.refresh_from_db()
        assert (job.status, job.done, job.result) == (Job.Status.DONE, 60, {"verdicts": {"enrolled": 60}})
        assert JobLane.objects.filter(job=job).count() == 5
        enrolled = Participant.objects.filter(flow_id=other.pk).values_list("contact_id", flat=True)
        assert sorted(enrolled) == list(people.values_list("pk", flat=True))
