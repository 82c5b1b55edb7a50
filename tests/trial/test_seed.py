"""The demo tenant: everything in it came through the operations that users use, and its flow can start at once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Count
from django.test import Client

from accounts.models import Membership, Tenant, User
from content.models import Form, MessageLink, TrackedLink
from core.tenancy import tenant_scope
from crm.models import Company, Consent, Contact, ContactFieldValue, ImportIssue, Request, Sale, Selection
from flows import validation
from flows.models import Flow
from flows.queries import newest_document
from trial.people import PASSWORD, PEOPLE, TENANT_SLUG
from trial.seed.everything import seed_everything
from trial.seed.world import CONTACTS, COUNTRIES, companies, people

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_the_demo_has_people_of_many_countries_and_a_flow_without_problems() -> None:
    tenant = seed_everything(now=NOW)
    with tenant_scope(tenant.pk):
        assert Contact.objects.count() == CONTACTS
        assert set(Contact.objects.values_list("country", flat=True)) == {
            country.code for country in COUNTRIES
        }
        assert Company.objects.filter(category=None).count() == 0
        assert Consent.objects.filter(given=True).count() > CONTACTS // 2
        assert ContactFieldValue.objects.filter(field__key="annual-revenue").count() > CONTACTS // 2
        assert ImportIssue.objects.count() == 0
        assert {one.name: one.members.count() for one in Selection.objects.filter(kind="static")} == {
            "Autumn newcomers": 80,
            "Do not disturb": 4,
            "Not a fit for the autumn offer": 0,
            "Trade fair Oslo": 40,
        }
        assert dict(Sale.objects.values_list("status").annotate(count=Count("pk"))) == {
            "open": 6, "sold": 3, "lost": 2, "stalled": 1,
        }  # fmt: skip
        assert Request.objects.filter(status="closed").count() == 2
        assert Request.objects.filter(owner=None).count() == 3
        flow = Flow.objects.get()
        assert (flow.name, flow.status, flow.revision) == ("Welcome to Northwind", Flow.Status.NOT_RUNNING, 1)
        assert validation.problems(newest_document(flow.pk), now=NOW) == []
        assert Membership.objects.count() == len(PEOPLE)
        assert [(form.name, form.is_open, str(form.managed_by)) for form in Form.objects.all()] == [
            ("Newsletter sign-up", True, "Marketing")
        ]
        assert MessageLink.objects.get(registered__isnull=False).registered == TrackedLink.objects.get()


@pytest.mark.django_db
def test_every_person_of_the_demo_can_sign_in(client: Client) -> None:
    seed_everything(now=NOW)
    for person in PEOPLE:
        client.logout()
        answer = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert client.get(f"/t/{TENANT_SLUG}/").status_code == 200


@pytest.mark.django_db
def test_seeding_again_changes_nothing() -> None:
    call_command("seed_demo", verbosity=0)
    call_command("seed_demo", verbosity=0)
    assert Tenant.objects.count() == 1
    assert User.objects.count() == len(PEOPLE)


def test_the_same_people_are_drawn_every_time_each_with_an_address_of_their_own(tmp_path: Path) -> None:
    first, second = (list(people(companies(NOW.date()))) for _ in range(2))
    assert first == second
    addresses = [someone.email for someone in first if someone.email]
    assert len(set(addresses)) == len(addresses)
    # Names under .example belong to nobody: no mail of a trial can ever reach a person.
    assert all(address.endswith(".example") for address in addresses)
