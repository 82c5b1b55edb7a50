"""A new brand comes into the emails that there are: unlocked ones at once, in every language, nobody saves again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import AuditEntry
from content.models import Email, EmailVersion
from content.operations.brand import save_brand
from content.operations.emails import Draft, create_email, save_email
from content.operations.locks import lock_emails, unlock_emails
from content.operations.rebranding import JOB
from content.operations.variants import add_variant
from core.jobs import run_slice
from core.models import Job
from core.tenancy import tenant_scope
from tests.content.conftest import mail
from tests.content.test_attachments import keep
from tests.content.test_brand import FORM, ROSE
from tests.fixtures.people import LAST_MONDAY, Person

pytestmark = pytest.mark.django_db
LATER = LAST_MONDAY + dt.timedelta(hours=1)


def write(person: Person, name: str, source: str = mail("Hello"), **more: Any) -> Email:
    with tenant_scope(person.tenant.pk):
        email = create_email(name=name, actor=person.user, now=LAST_MONDAY)
        draft = Draft(name, name, source, **more)
        saved = save_email(email_id=email.pk, draft=draft, revision=0, actor=person.user, now=LAST_MONDAY)
        assert saved.is_saved, saved.problems
        return saved.email


def rebrand(person: Person) -> Job:
    """Choose the rose brand and do the job that this begins."""
    with tenant_scope(person.tenant.pk):
        save_brand(values=ROSE, actor=person.user, now=LATER)
        job = Job.objects.get(kind=JOB)
    while run_slice(tenant_id=person.tenant.pk, job_id=job.pk, now=LATER):
        pass
    with tenant_scope(person.tenant.pk):
        return Job.objects.get(pk=job.pk)


def again(person: Person, email: Email) -> Email:
    with tenant_scope(person.tenant.pk):
        return Email.objects.select_related("current").get(pk=email.pk)


def test_emails_take_a_new_brand_over_in_every_language_with_their_files(bob: Person) -> None:
    file = keep(bob, "a.pdf", b"%PDF-1.7\n")
    email = write(bob, "Offer", attachments=(file,))
    old = email.current_id
    assert old is not None
    with tenant_scope(bob.tenant.pk):
        add_variant(email_id=email.pk, language="nb", revision=1, actor=bob.user, now=LAST_MONDAY)
    job = rebrand(bob)
    assert (job.status, job.done, job.total) == ("done", 1, 1)
    assert job.result == {"changed": 1, "locked": [], "broken": []}
    email = again(bob, email)
    with tenant_scope(bob.tenant.pk):
        new = [email.current, email.variants.get(language="nb").current]
        for version in new:
            assert version is not None
            assert "Georgia" in version.html
            assert [one.name for one in version.attachments.all()] == ["a.pdf"]
        # What was sent stays as it was, and the email where it stood in the library.
        assert "Georgia" not in EmailVersion.objects.get(pk=old).html
        assert (email.updated_at, email.revision) == (LAST_MONDAY, 4)
        entry = AuditEntry.objects.get(action="email.rebranded")
        assert (entry.object_id, entry.payload["version"]) == (str(email.pk), 4)


def test_what_looks_the_same_is_left_and_the_same_brand_begins_nothing(bob: Person) -> None:
    with tenant_scope(bob.tenant.pk):
        save_brand(values=ROSE, actor=bob.user, now=LAST_MONDAY)
        # There is no email yet.
        assert not Job.objects.filter(kind=JOB).exists()
    email = write(bob, "Offer")
    with tenant_scope(bob.tenant.pk):
        save_brand(values=ROSE, actor=bob.user, now=LATER)
        assert not Job.objects.filter(kind=JOB).exists()
        job = Job.objects.create(kind=JOB, created_at=LATER, updated_at=LATER, total=1)
    assert not run_slice(tenant_id=bob.tenant.pk, job_id=job.pk, now=LATER)
    assert again(bob, email).current_id == email.current_id
    with tenant_scope(bob.tenant.pk):
        assert Job.objects.get(pk=job.pk).result["changed"] == 0


def test_running_flows_and_what_is_to_be_mended_keep_their_look_and_are_named(
    bob: Person, charlie: Person
) -> None:
    free, running, broken = (write(bob, name) for name in ("Free", "Running", "Broken"))
    theirs = write(charlie, "Theirs")
    with tenant_scope(bob.tenant.pk):
        lock_emails(flow_id=7, flow_name="Autumn", email_ids=[running.pk])
        Email.objects.filter(pk=broken.pk).update(mjml=mail("{{ contact.custom.gone }}"))
    job = rebrand(bob)
    assert job.result == {"changed": 1, "locked": [running.pk], "broken": [broken.pk]}
    for email in (running, broken):
        assert again(bob, email).current_id == email.current_id
    assert again(charlie, theirs).current_id == theirs.current_id
    page = bob.client().get(bob.url("content/brand/")).content.decode()
    assert "1 email took the brand over." in page
    for words, email in (
        ("until they are saved after a pause", running),
        ("have something to mend first", broken),
    ):
        assert f'{words}: <a href="{bob.url(f"content/{email.pk}/")}">{email.name}</a>.' in page
    # Saved after a pause, it is in the brand and no longer named.
    with tenant_scope(bob.tenant.pk):
        unlock_emails(flow_id=7)
        draft = Draft("Running", "Running", mail("Hello"))
        save_email(email_id=running.pk, draft=draft, revision=1, actor=bob.user, now=LATER)
    assert "run with" not in bob.client().get(bob.url("content/brand/emails/")).content.decode()
    version = again(bob, running).current
    assert version is not None
    assert "Georgia" in version.html
    assert free.pk


def test_the_page_begins_it_and_says_how_far_it_is(bob: Person, rory: Person) -> None:
    write(bob, "Offer")
    answer = bob.client().post(bob.url("content/brand/"), FORM, follow=True)
    page = answer.content.decode()
    assert "Emails are being brought into the brand" in page
    assert f'hx-get="{bob.url("content/brand/emails/")}"' in page
    assert rory.client().get(rory.url("content/brand/emails/")).status_code == 404
