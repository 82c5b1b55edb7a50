"""Ending a membership with somebody who takes over: all in the leaver's name becomes theirs."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest

from accounts.models import AuditEntry, Membership
from core.db.cursors import raw_cursor
from core.handover import in_the_name_of
from core.jobs import run_slice
from core.models import Job
from core.tenancy import tenant_scope
from crm.models import (
    Company,
    Contact,
    Event,
    FollowUp,
    Project,
    Request,
    RequestCategory,
    RequestPriority,
    RequestType,
    Sale,
    SaleType,
    Selection,
)
from flows.models import Flow
from tests.fixtures.people import Person
from tests.participants.pages import make_stage

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 3, 9, 0, tzinfo=dt.UTC)


def contact_of(name: str, **more: Any) -> Contact:
    return Contact.objects.create(
        first_name=name, name_norm=name.lower(), origin="user", created_at=NOW, updated_at=NOW, **more
    )


def put_in_the_name_of(rory: Person) -> None:
    """One of everything; of what can be over, one that is and one that is not."""
    user = rory.user
    acme = Company.objects.create(
        name="Acme", name_norm="acme", our_contact=user, created_at=NOW, updated_at=NOW
    )
    contact_of("Anna", company=acme)
    lone = contact_of("Lone", our_contact=user)
    contact_of("Served", service_contact=user)
    Selection.objects.create(name="Fair", owner=user, created_at=NOW)
    Project.objects.create(name="Fair", owner=user, created_at=NOW)
    RequestCategory.objects.create(name="Bikes", rule="user", owner=user)
    stamps = {"contact": lone, "created_at": NOW, "updated_at": NOW}
    sale = {**stamps, "type": SaleType.objects.earliest("pk"), "currency": "NOK", "date": NOW.date()}
    Sale.objects.create(**sale, title="Open", owner=user, origin="user")
    Sale.objects.create(**sale, title="Sold", owner=user, origin="user", status="sold", closed_at=NOW)
    request = {
        **stamps,
        "type": RequestType.objects.earliest("pk"),
        "category": RequestCategory.objects.earliest("pk"),
        "priority": RequestPriority.objects.earliest("pk"),
    }
    Request.objects.create(**request, title="Open", owner=user, origin="user")
    Request.objects.create(
        **request, title="Closed", owner=user, origin="user", status="closed", closed_at=NOW
    )
    task = {**stamps, "kind": "task", "assignee": user, "day": NOW.date()}
    FollowUp.objects.create(**task, title="Open")
    FollowUp.objects.create(**task, title="Done", status="done", done_at=NOW)


def owners() -> dict[str, int | None]:
    """In whose name everything is."""
    found: dict[str, int | None] = {"flow": Flow.objects.get().owner_id}
    for model, column in ((Sale, "owner_id"), (Request, "owner_id"), (FollowUp, "assignee_id")):
        found |= {f"{model.__name__} {one.title}": getattr(one, column) for one in model.objects.all()}
    found["selection"] = Selection.objects.get(name="Fair").owner_id
    found["project"] = Project.objects.get(name="Fair").owner_id
    found["category"] = RequestCategory.objects.get(name="Bikes").owner_id
    found["company"] = Company.objects.get(name="Acme").our_contact_id
    found["lone"] = Contact.objects.get(first_name="Lone").our_contact_id
    found["served"] = Contact.objects.get(first_name="Served").service_contact_id
    return found


def run_jobs(person: Person) -> None:
    with tenant_scope(person.tenant.pk):
        jobs = list(Job.objects.filter(kind="hand_over_contacts").values_list("pk", flat=True))
    for pk in jobs:
        while run_slice(tenant_id=person.tenant.pk, job_id=pk, now=NOW):
            pass


@pytest.fixture
def filled(rory: Person) -> Person:
    make_stage(rory)
    with tenant_scope(rory.tenant.pk):
        put_in_the_name_of(rory)
    return rory


SAID = (
    "1 flow, 1 selection, 1 project, 1 open sale, 1 open request, 1 request category of theirs, 1 open follow-up, "
    "1 company in their care, 1 contact in their care and 1 contact whom they serve"
)


def test_whoever_takes_over_gets_everything_that_is_not_over(
    alice: Person, bob: Person, filled: Person
) -> None:
    client, rory, heir = alice.client(), filled.user.pk, bob.user.pk
    page, end = (alice.url(f"settings/users/{filled.member.pk}/{path}") for path in ("", "active/"))
    html = unescape(client.get(page).content.decode())
    assert f"In the name of Rory Silva: {SAID}." in html
    assert f"Whoever takes over gets {SAID}; with nobody, all stays." in html
    client.post(end, {"active": "no", "successor": heir})
    run_jobs(alice)
    with tenant_scope(alice.tenant.pk):
        over = {name: user for name, user in owners().items() if user != heir}
        assert over == {"Sale Sold": rory, "Request Closed": rory, "FollowUp Done": rory}
        changed = Event.objects.filter(kind="contact.updated").values_list("contact_id", flat=True)
        names = Contact.objects.filter(pk__in=changed).values_list("first_name", flat=True)
        assert sorted(names) == ["Anna", "Lone", "Served"]
        kept = AuditEntry.objects.filter(action="member.deactivated").latest("pk").payload
        assert (kept["successor"], len(kept["handed_over"]), kept["handed_over"]["flow"]) == (heir, 10, 1)
        with raw_cursor() as cursor:
            assert in_the_name_of(cursor, tenant_id=alice.tenant.pk, user_id=rory) == []


def test_without_somebody_who_takes_over_all_stays(alice: Person, filled: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        before = owners()
    alice.client().post(alice.url(f"settings/users/{filled.member.pk}/active/"), {"active": "no"})
    with tenant_scope(alice.tenant.pk):
        assert not Membership.objects.get(pk=filled.member.pk).is_active
        assert owners() == before
        assert not Job.objects.exists()


def test_a_stranger_as_successor_moves_nothing(alice: Person, charlie: Person, filled: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        before = owners()
    end = alice.url(f"settings/users/{filled.member.pk}/active/")
    alice.client().post(end, {"active": "no", "successor": charlie.user.pk})
    filled.client().post(end, {"active": "no", "successor": alice.user.pk})
    with tenant_scope(alice.tenant.pk):
        assert Membership.objects.get(pk=filled.member.pk).is_active
        assert owners() == before
        assert not Job.objects.exists()


def test_many_contacts_go_slice_by_slice(
    alice: Person, bob: Person, rory: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crm.handover.SLICE", 2)
    with tenant_scope(alice.tenant.pk):
        for number in range(5):
            contact_of(f"C{number}", our_contact=rory.user, service_contact=rory.user)
    end = alice.url(f"settings/users/{rory.member.pk}/active/")
    alice.client().post(end, {"active": "no", "successor": bob.user.pk})
    run_jobs(alice)
    with tenant_scope(alice.tenant.pk):
        mine = Contact.objects.filter(our_contact=bob.user, service_contact=bob.user)
        assert mine.count() == 5
        job = Job.objects.get()
        assert (job.status, job.done) == ("done", 10)
