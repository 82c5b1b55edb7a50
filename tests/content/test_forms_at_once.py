"""Several submissions in the same moment: places, pages, contacts and locks."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, connections, transaction

from accounts.models import Tenant
from content.jobs import PROCESS_SUBMISSION
from content.models import Form
from content.operations.submissions import FormClosed, Sent, submit_form
from core.models import Job
from core.tenancy import tenant_scope
from core.text import norm_email
from crm.models import (
    Contact,
)
from tests.content.forms import LATER, Booth, bound
from tests.content.test_form_processing import clock as clock
from tests.content.test_form_processing import send


def _together(booth: Booth, form: Form, emails: list[str], keys: list[uuid.UUID]) -> list[str]:
    """Submit from several connections that all begin before any ends."""
    barrier = threading.Barrier(len(emails))
    results: list[str] = []

    def one(email: str, key: uuid.UUID) -> None:
        try:
            with tenant_scope(booth.tenant.pk):
                barrier.wait(10)
                sent = Sent(
                    key=key, answers={"email": email}, email=email, email_norm=norm_email(email), wording={}
                )
                submit_form(form_id=form.pk, sent=sent, now=LATER)
            results.append("taken")
        except FormClosed:
            results.append("closed")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=pair) for pair in zip(emails, keys, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(results)


@pytest.mark.django_db(transaction=True)
def test_the_last_place_is_given_once_though_many_come_at_once(acme: Tenant) -> None:
    booth = Booth(acme)
    form = booth.form(closes_after=3)
    emails = [f"a{n}@b.test" for n in range(6)]
    assert _together(booth, form, emails, [uuid.uuid4() for _ in emails]) == ["closed"] * 3 + ["taken"] * 3
    assert [one.status for one in booth.submissions()] == ["processed"] * 3


@pytest.mark.django_db(transaction=True)
def test_one_page_sent_by_two_connections_is_one_submission(acme: Tenant) -> None:
    booth = Booth(acme)
    key = uuid.uuid4()
    assert _together(booth, booth.form(), ["a@b.test"] * 2, [key] * 2) == ["taken", "taken"]
    assert len(booth.submissions()) == 1
    assert booth.kinds().count("form.submitted") == 1


@pytest.mark.django_db(transaction=True)
def test_two_submissions_of_one_new_address_make_one_contact(acme: Tenant) -> None:
    booth = Booth(acme)
    emails = ["New@b.test", "new@b.test"]
    assert _together(booth, booth.form(), emails, [uuid.uuid4(), uuid.uuid4()]) == ["taken", "taken"]
    with booth.scope():
        assert Contact.objects.count() == 1
    assert len({one.contact_id for one in booth.submissions()}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_contact_that_others_hold_does_not_keep_the_visitor_waiting(acme: Tenant) -> None:
    booth = Booth(acme)
    ada = booth.contact("Ada", job_title="")
    form = booth.form(bound("job", "contact.job_title"))
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with tenant_scope(acme.pk):
            Contact.objects.select_for_update(of=("self",)).get(pk=ada.pk)
            begun.set()
            done.wait(20)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    assert begun.wait(10)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '200ms'")
            one = send(booth, form, job="Miller")
    finally:
        done.set()
        holder.join(20)
    assert one.status == "submitted"
    with booth.scope():
        job = Job.objects.get(kind="process_submission")
        assert job.arguments == {"submission": one.pk}
        PROCESS_SUBMISSION.slice(job, now=LATER)
        ada.refresh_from_db()
        assert ada.job_title == "Miller"
