"""The double opt-in of a form: nothing comes of a submission until its mailbox has confirmed it."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client

from accounts.models import Tenant
from content.brand import BrandValues
from content.models import EmailVersion, Form, FormSubmission
from content.operations.brand import save_brand
from content.operations.forms import document_of, save_form
from content.operations.rebranding import JOB
from core.jobs import run_slice
from core.models import Job
from core.signing import make_lasting_token
from core.tenancy import tenant_scope
from crm.models import ConsentChange
from crm.operations.consent import record_consent
from delivery.models import BlockedAddress, Message
from tests.content.forms import LATER, NOW, Booth, Visitor
from tests.content.test_public_forms import booth as booth
from tests.content.test_public_forms import clock as clock
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

Traveller = time_machine.Traveller


def _asked(booth: Booth, mailbox: Mailbox) -> str:
    """Return the path in the newest mail that asks to confirm."""
    booth.send(now=LATER + dt.timedelta(minutes=1))
    message = mailbox.received[-1].message
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    return str(re.findall(r"http://127.0.0.1:8000(/f/confirm/\S+)", text)[0])


def test_nothing_comes_of_a_submission_until_its_mail_is_confirmed(
    booth: Booth, clock: Traveller, mailbox: Mailbox
) -> None:
    form = booth.form(
        double_opt_in=True, confirm_text="Is it you? {{ contact.email }} <b>", confirm_button="Yes & go"
    )
    visitor = Visitor(booth.path(form), clock)
    response = visitor.send(email="ada@post.test", consent="on")
    assert response["Location"] == f"{visitor.path}check/"
    assert "within 30 minutes" in visitor.client.get(response["Location"]).content.decode()
    [sent] = booth.submissions()
    assert (sent.status, sent.contact, sent.expires_at) == (
        "awaiting", None, LATER + dt.timedelta(minutes=30, seconds=5),
    )  # fmt: skip
    assert booth.kinds() == []
    path = _asked(booth, mailbox)
    received = mailbox.received[-1]
    assert received.recipients == ["ada@post.test"]
    assert received.message["List-Unsubscribe"] is None
    html = received.message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "{ { contact.email }} &lt;b&gt;" in html
    assert "nsubscribe" not in html
    # A scanner that follows the link confirms nothing.
    assert "Yes &amp; go" in Client().get(path).content.decode()
    assert booth.submissions()[0].status == "awaiting"
    confirmed = Client(enforce_csrf_checks=True).post(path)
    assert confirmed["Location"] == f"{visitor.path}thanks/"
    [sent] = booth.submissions()
    assert (sent.status, sent.confirmed_at is not None) == ("processed", True)
    assert Client().post(path).status_code == 302
    assert booth.kinds().count("form.submitted") == 1
    with booth.scope():
        # Dated with the submission, not with the confirmation.
        assert sent.contact is not None
        assert sent.contact.consents.get().at == sent.submitted_at


@pytest.mark.parametrize(("accent", "ink"), [("#f4d35e", "#1d1b18"), ("#7b1e3a", "#fff")])
def test_the_mail_wears_the_brand_of_its_day_with_words_that_can_be_read(
    booth: Booth, clock: Traveller, mailbox: Mailbox, accent: str, ink: str
) -> None:
    form = booth.form(double_opt_in=True, confirm_button="Yes")
    with booth.scope():
        assert form.confirmation is not None
        first = form.confirmation.current
        save_brand(values=BrandValues(accent=accent, font="georgia", radius=0), actor=None, now=NOW)
        job = Job.objects.get(kind=JOB)
        # The house has an email of its own.
    while run_slice(tenant_id=booth.tenant.pk, job_id=job.pk, now=LATER):
        pass
    with booth.scope():
        job.refresh_from_db()
        assert (job.status, job.done, job.result["broken"]) == ("done", 2, [])
        assert first is not None
        # What was sent before stays as it was.
        assert "#0a5e49" in EmailVersion.objects.get(pk=first.pk).html
    Visitor(booth.path(form), clock).send(email="ada@post.test")
    _asked(booth, mailbox)
    html = mailbox.received[-1].message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    button = re.findall(r"<a [^>]*>\s*Yes\s*</a>", html)[0]
    assert f"background:{accent}" in button.replace(": ", ":")
    assert f"color:{ink}" in button.replace(": ", ":")
    assert "Georgia" in html
    assert "#0a5e49" not in html
    # Saved with the same words in the same brand, it is the same mail.
    with booth.scope():
        form.refresh_from_db()
        assert form.confirmation is not None
        mail = form.confirmation
        current = mail.current_id
        save_form(form_id=form.pk, document=document_of(form), revision=form.revision, actor=None, now=LATER)
        mail.refresh_from_db()
        assert mail.current_id == current


def test_the_proof_of_a_double_opt_in_is_kept_and_shown_on_the_contact(
    booth: Booth, clock: Traveller, mailbox: Mailbox, alice: Person
) -> None:
    form = booth.form(double_opt_in=True)
    Visitor(booth.path(form), clock).send(email="ada@post.test", consent="on")
    path = _asked(booth, mailbox)
    clock.shift(dt.timedelta(minutes=10))
    assert Client().post(path).status_code == 302
    [sent] = booth.submissions()
    # The form's words change later: what she agreed to stays.
    with booth.scope():
        changed = {**form.document, "fields": [{**one, "label": "New"} for one in form.document["fields"]]}
        Form.objects.filter(pk=form.pk).update(document=changed)
        [log] = ConsentChange.objects.all()
        assert (log.given, log.at, log.source) == (True, sent.submitted_at, "Form “Sign-up”")
        assert (log.wording, log.confirmed_at) == ("Write to me", sent.confirmed_at)
        assert log.confirmed_at is not None
        assert log.confirmed_at - log.at >= dt.timedelta(minutes=10)
        assert sent.contact is not None
    url = f"contacts/{sent.contact.pk}/consent/"
    page = " ".join(alice.client().get(alice.url(url)).content.decode().split())
    assert "<dt>Agreed to</dt><dd>“<bdi>Write to me</bdi>”</dd><dt>Confirmed by email</dt>" in page
    assert "<br>Agreed to: “<bdi>Write to me</bdi>”<br>Confirmed by email" in page
    # A withdrawal counts from now on; the proof of what was given stays in the log.
    with booth.scope():
        record_consent(contact_id=sent.contact.pk, given=False, at=LATER + dt.timedelta(hours=1))
    page = " ".join(alice.client().get(alice.url(url)).content.decode().split())
    assert "<dt>Agreed to</dt>" not in page
    assert "<br>Agreed to: “<bdi>Write to me</bdi>”<br>Confirmed by email" in page


def test_a_confirmation_that_comes_too_late_confirms_nothing(
    booth: Booth, clock: Traveller, mailbox: Mailbox
) -> None:
    Visitor(booth.path(booth.form(double_opt_in=True, confirm_minutes=10)), clock).send(email="ada@post.test")
    path = _asked(booth, mailbox)
    clock.shift(dt.timedelta(minutes=11))
    for response in (Client().get(path), Client().post(path)):
        assert response.status_code == 410
        assert "Fill in the form again" in response.content.decode()
    assert booth.submissions()[0].status == "awaiting"


def test_what_nobody_confirmed_is_forgotten_after_a_month(booth: Booth, clock: Traveller) -> None:
    path = booth.path(booth.form(double_opt_in=True))
    Visitor(path, clock).send(email="ada@post.test")
    clock.shift(dt.timedelta(days=29))
    Visitor(path, clock).send(email="eva@post.test")
    assert [one.email_norm for one in booth.submissions()] == ["ada@post.test", "eva@post.test"]
    clock.shift(dt.timedelta(days=2))
    Visitor(path, clock).send(email="iris@post.test")
    assert [one.email_norm for one in booth.submissions()] == ["eva@post.test", "iris@post.test"]


def test_places_go_to_those_who_confirm(booth: Booth, clock: Traveller, mailbox: Mailbox) -> None:
    path = booth.path(booth.form(double_opt_in=True, closes_after=1))
    for name in ("a", "b"):
        Visitor(path, clock).send(email=f"{name}@b.test")
    booth.send(now=LATER + dt.timedelta(minutes=1))
    texts = [r.message.get_body(("plain",)).get_content() for r in mailbox.received]  # type: ignore[union-attr]
    paths = [re.findall(r"http://127.0.0.1:8000(/f/confirm/\S+)", text)[0] for text in texts]
    assert [Client().post(one).status_code for one in paths] == [302, 410]
    assert sorted(one.status for one in booth.submissions()) == ["awaiting", "processed"]


def test_a_form_cannot_fill_a_strangers_mailbox(booth: Booth, clock: Traveller) -> None:
    path = booth.path(booth.form(double_opt_in=True))
    answers = [Visitor(path, clock).send(email="Victim@post.test")["Location"] for _ in range(8)]
    assert set(answers) == {f"{path}check/"}
    with booth.scope():
        assert Message.objects.count() == 6


def test_no_mail_goes_to_a_blocked_address(booth: Booth, clock: Traveller) -> None:
    with booth.scope():
        BlockedAddress.objects.create(address_norm="ada@post.test", reason="hard_bounce", at=NOW)
    Visitor(booth.path(booth.form(double_opt_in=True)), clock).send(email="ada@post.test")
    with booth.scope():
        assert not Message.objects.exists()
    assert "blocked" in booth.submissions()[0].error


@pytest.mark.parametrize("token", ["x", "🎉"])
def test_a_forged_confirmation_is_not_found(booth: Booth, token: str) -> None:
    assert Client().post(f"/f/confirm/{token}/").status_code == 404


def test_a_confirmation_of_another_tenant_is_not_found(
    booth: Booth, clock: Traveller, globex: Tenant
) -> None:
    Visitor(booth.path(booth.form(double_opt_in=True)), clock).send(email="ada@post.test")
    [sent] = booth.submissions()
    token = make_lasting_token(purpose="form-confirm", tenant_id=globex.pk, values=(sent.pk,))
    assert Client().post(f"/f/confirm/{token}/").status_code == 404
    with tenant_scope(globex.pk):
        assert not FormSubmission.objects.exists()
