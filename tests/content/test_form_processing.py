"""Processing submissions: whose they are, what they may overwrite, what comes of them, and who may decide."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from accounts.models import Tenant
from accounts.operations.groups import create_group, delete_group
from content.forms.document import FormDocument
from content.jobs import PROCESS_SUBMISSION
from content.models import Form, FormSubmission
from content.operations.processing import NotOpen, process_submission
from content.operations.submissions import Sent, submit_form
from core.models import Job
from core.text import norm_email
from crm.models import (
    Company,
    Consent,
    Contact,
    CustomField,
    Event,
    EventInbox,
    ListItem,
    ProjectMember,
    SelectionMember,
    SubscriptionOptOut,
)
from crm.operations.consent import opt_out
from delivery.models import Message
from tests.content.forms import LATER, NOW, Booth, bound, field
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(LATER, tick=False) as traveller:
        yield traveller


@pytest.fixture
def booth(acme: Tenant) -> Booth:
    return Booth(acme)


def send(
    booth: Booth, form: Form, *, now: dt.datetime = LATER, email: str = "ada@post.test", **answers: Any
) -> FormSubmission:
    """Submit as the public page does."""
    sent = Sent(
        key=uuid.uuid4(), answers={"email": email, **answers}, email=email, email_norm=norm_email(email), wording={}
    )  # fmt: skip
    with booth.scope():
        done = submit_form(form_id=form.pk, sent=sent, now=now)
        return FormSubmission.objects.select_related("contact").get(pk=done.pk)


def process(booth: Booth, one: FormSubmission, **more: Any) -> FormSubmission:
    with booth.scope():
        return process_submission(submission_id=one.pk, now=more.pop("now", LATER), **more)


def test_an_unknown_address_becomes_a_contact_at_its_company(booth: Booth) -> None:
    one = send(booth, booth.form(), first_name="Ada", company=" Mill  & Co ")
    assert one.contact is not None
    assert (one.status, one.contact.first_name, one.contact.email) == ("processed", "Ada", "ada@post.test")
    with booth.scope():
        assert Company.objects.get().name == "Mill & Co"
        assert booth.kinds() == ["contact.created", "form.submitted"]
        created, submitted = Event.objects.order_by("id")
        assert (created.origin, submitted.origin) == ("form", "form")
        assert (submitted.object_id, submitted.contact_id) == (one.form_id, one.contact.pk)
        assert (submitted.at, submitted.company_id) == (LATER, one.contact.company_id)
        assert submitted.data == {
            "form": {"id": one.form_id, "name": "Sign-up", "submission": one.pk, "answers": one.answers}
        }
        assert EventInbox.objects.filter(kind="form.submitted").count() == 1


def test_a_company_is_found_by_its_exact_name_only(booth: Booth) -> None:
    form = booth.form()
    send(booth, form, company="Globe")
    send(booth, form, email="b@b.test", company="Globe")
    send(booth, form, email="c@b.test", company="globe")
    with booth.scope():
        assert sorted(Company.objects.values_list("name", flat=True)) == ["Globe", "globe"]


def test_a_known_address_is_matched_without_regard_to_case_and_nothing_else_matches(booth: Booth) -> None:
    ada = booth.contact("Ada", email="Ada@Post.test", mobile="+4741234567")
    form = booth.form(bound("phone", "contact.mobile"))
    one = send(booth, form, email="ADA@post.TEST", first_name="Eve")
    other = send(booth, form, email="eve@post.test", first_name="Ada", phone="+4741234567")
    assert one.contact_id == ada.pk
    assert other.contact_id not in {None, ada.pk}
    with booth.scope():
        ada.refresh_from_db()
        assert (ada.first_name, ada.email) == ("Ada", "Ada@Post.test")


def test_of_several_with_one_address_it_is_the_oldest_and_never_an_erased_one(booth: Booth) -> None:
    gone = booth.contact("Old")
    with booth.scope():
        Contact.objects.filter(pk=gone.pk).update(first_name="", email="", email_norm="", deleted_at=NOW)
    first = booth.contact("Ada")
    booth.contact("Twin", email="ada@post.test")
    assert send(booth, booth.form()).contact_id == first.pk


def test_answers_fill_what_is_empty_and_replace_only_where_the_form_says_so(booth: Booth) -> None:
    with booth.scope():
        size = CustomField.objects.create(on="contact", key="size", name="Size", type="number")
        vip = CustomField.objects.create(on="contact", key="vip", name="VIP", type="bool")
    form = booth.form(
        bound("job", "contact.job_title", overwrite=True), bound("last", "contact.last_name"),
        bound("size", f"contact.custom.{size.key}"), bound("vip", f"contact.custom.{vip.key}"),
        bound("likes", "contact.interests"),
    )  # fmt: skip
    ada = booth.contact("Ada", job_title="Miller")
    first, second = booth.interests[:2]
    send(
        booth,
        form,
        first_name="Eve",
        job="Baker",
        last="Lovelace",
        size="42",
        vip=False,
        likes=[str(first.pk)],
    )
    send(booth, form, last="Byron", size="7", likes=[str(second.pk)])
    with booth.scope():
        ada.refresh_from_db()
        assert (ada.first_name, ada.job_title, ada.last_name) == ("Ada", "Baker", "Lovelace")
        changes = [
            [(line["field"], line["new"]) for line in event.data["changes"]]
            for event in Event.objects.filter(kind="contact.updated").order_by("id")
        ]
        assert changes == [
            [
                ("contact.job_title", "Baker"), ("contact.last_name", "Lovelace"), ("contact.custom.size", "42.0000"),
                ("contact.interests", [first.pk]),
            ],
            [("contact.interests", sorted([first.pk, second.pk]))],
        ]  # fmt: skip
        assert set(ada.interests.values_list("item_id", flat=True)) == {first.pk, second.pk}


def test_a_stranger_cannot_move_a_contact_or_change_its_company(booth: Booth) -> None:
    form = booth.form(bound("kind", "contact.category"), bound("site", "company.website"))
    with booth.scope():
        globe = Company.objects.create(
            name="Globe", name_norm="globe", website="https://globe.test", category=booth.category,
            created_at=NOW, updated_at=NOW,
        )  # fmt: skip
        other = ListItem.objects.filter(list="category").exclude(pk=booth.category.pk).earliest("pk")
    ada = booth.contact("Ada", company=globe)
    send(booth, form, company="Evil Inc", kind=str(other.pk), site="https://evil.test")
    new = send(booth, form, email="new@b.test", company="Globe", kind=str(other.pk), site="https://evil.test")
    with booth.scope():
        ada.refresh_from_db()
        globe.refresh_from_db()
        assert ada.company_id == globe.pk
        assert new.contact is not None
        assert new.contact.company_id == globe.pk
        assert (globe.category_id, globe.website) == (booth.category.pk, "https://globe.test")


def test_new_contacts_get_the_forms_category_and_known_ones_do_not(booth: Booth) -> None:
    with booth.scope():
        business = ListItem.objects.filter(list="business").earliest("pk")
    form = booth.form(actions={"new_category": booth.category.pk, "new_business": business.pk})
    ada = booth.contact("Ada")
    send(booth, form)
    new = send(booth, form, email="new@b.test")
    at_company = send(booth, form, email="also@b.test", company="Globe")
    with booth.scope():
        ada.refresh_from_db()
        assert ada.category_id is None
        assert new.contact is not None
        assert (new.contact.category_id, new.contact.business_id) == (booth.category.pk, business.pk)
        assert at_company.contact is not None
        assert Company.objects.get().category_id == booth.category.pk


def test_consent_and_subscription_are_stored_when_processed_and_dated_with_the_submission(
    booth: Booth,
) -> None:
    form = booth.form(processing="manual")
    ada = booth.contact("Ada", consent=None)
    with booth.scope():
        opt_out(contact_id=ada.pk, type_id=booth.news.pk, at=NOW)
    one = send(booth, form, consent=True, news=True)
    assert one.status == "submitted"
    with booth.scope():
        assert not Consent.objects.exists()
        assert SubscriptionOptOut.objects.exists()
    process(booth, one, now=LATER + dt.timedelta(days=2))
    with booth.scope():
        consent = Consent.objects.get()
        assert (consent.given, consent.at, consent.legal_basis) == (True, LATER, "Consent")
        assert consent.source == "Form “Sign-up”"
        assert not SubscriptionOptOut.objects.exists()
        assert Event.objects.get(kind="form.submitted").at == LATER + dt.timedelta(days=2)


def test_what_a_person_decided_after_the_form_stays(booth: Booth) -> None:
    ada = booth.contact("Ada", consent=None)
    one = send(booth, booth.form(processing="manual"), consent=True, news=True)
    after = LATER + dt.timedelta(hours=1)
    with booth.scope():
        Consent.objects.create(contact=ada, purpose=booth.consent, given=False, at=after)
        opt_out(contact_id=ada.pk, type_id=booth.news.pk, at=after)
    process(booth, one, now=after + dt.timedelta(hours=1))
    with booth.scope():
        assert Consent.objects.get().given is False
        assert SubscriptionOptOut.objects.exists()


def test_an_unticked_box_takes_nothing_away(booth: Booth) -> None:
    booth.contact("Ada", consent=True)
    send(booth, booth.form(), consent=False, news=False)
    with booth.scope():
        assert Consent.objects.get().given is True
        assert not SubscriptionOptOut.objects.exists()


def test_the_forms_actions_are_done_and_an_email_answers(booth: Booth, mailbox: Mailbox) -> None:
    answer = booth.write(subject="Thanks for {{ event.form.answers.topic }}")
    form = booth.form(
        actions={
            "add_to_selections": [booth.fans.pk], "add_to_projects": [booth.fair.pk],
            "add_interests": [booth.interests[0].pk], "respond_email": answer.pk,
        }
    )  # fmt: skip
    ada = booth.contact("Ada", consent=None)
    send(booth, form, topic="Mills")
    with booth.scope():
        assert SelectionMember.objects.get().contact_id == ada.pk
        assert ProjectMember.objects.get().contact_id == ada.pk
        assert ada.interests.get().item_id == booth.interests[0].pk
        assert set(Event.objects.values_list("origin", flat=True)) == {"form"}
        message = Message.objects.get()
        # An answer is no marketing: it goes without consent.
        assert (message.contact_id, message.is_marketing, message.stream_id) == (
            ada.pk,
            False,
            form.stream_id,
        )
        assert message.values["event"]["form"]["answers"]["topic"] == "Mills"
    booth.send(now=LATER)
    assert booth.message(message.pk).status == "sent"


def test_a_form_that_answers_cannot_fill_a_strangers_mailbox(booth: Booth) -> None:
    form = booth.form(actions={"respond_email": booth.email.pk})
    for _ in range(8):
        assert send(booth, form, email="victim@post.test").status == "processed"
    with booth.scope():
        assert Message.objects.count() == 6


def test_a_group_that_goes_leaves_its_forms_to_the_administrators(booth: Booth, alice: Person) -> None:
    form = booth.form(processing="manual")
    with booth.scope():
        group = create_group(name="Fair team", actor=alice.user)
        Form.objects.filter(pk=form.pk).update(managed_by=group)
        delete_group(group_id=group.pk, actor=alice.user)
        assert Form.objects.get(pk=form.pk).managed_by is None
    one = send(booth, form)
    assert alice.client().get(alice.url(f"content/submissions/{one.pk}/")).status_code == 200


def test_the_mode_says_who_is_processed_by_hand(booth: Booth) -> None:
    form = booth.form(processing="manual_if_unknown")
    booth.contact("Ada")
    assert send(booth, form).status == "processed"
    assert send(booth, form, email="new@b.test").status == "submitted"
    assert send(booth, booth.form(name="By hand", processing="manual")).status == "submitted"


def test_what_cannot_be_done_undoes_everything_and_can_be_tried_again(booth: Booth) -> None:
    form = booth.form(bound("kind", "contact.category"), actions={"add_to_selections": [booth.fans.pk]})
    one = send(booth, form, kind="999999")
    assert (one.status, one.contact_id) == ("failed", None)
    assert "a chosen value does not exist any more" in one.error
    with booth.scope():
        assert not Contact.objects.exists()
        assert not SelectionMember.objects.exists()
        assert booth.kinds() == []
        FormSubmission.objects.filter(pk=one.pk).update(
            answers={**one.answers, "kind": str(booth.category.pk)}
        )
    assert process(booth, one).status == "processed"
    with pytest.raises(NotOpen):
        process(booth, one)
    assert booth.kinds().count("form.submitted") == 1


def test_a_fault_of_ours_keeps_the_answers(booth: Booth, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("content.operations.processing.run_actions", broken)
    one = send(booth, booth.form())
    assert (one.status, one.error) == ("failed", "Something went wrong. It can be tried again.")
    monkeypatch.undo()
    assert process(booth, one).status == "processed"


def test_a_job_processes_what_others_held(booth: Booth) -> None:
    one = send(booth, booth.form(processing="manual"))
    with booth.scope():
        job = Job(kind="process_submission", arguments={"submission": one.pk})
        assert PROCESS_SUBMISSION.slice(job, now=LATER).finished
        assert PROCESS_SUBMISSION.slice(job, now=LATER).finished
    assert booth.submissions()[0].status == "processed"


# --- by hand ------------------------------------------------------------------------------------------------------


# --- two at once --------------------------------------------------------------------------------------------------


def test_a_document_that_was_written_before_reads_as_it_was() -> None:
    document = FormDocument(fields=(field("a", "text"), bound("b", "contact.email", required=True)))
    assert FormDocument.model_validate(document.model_dump(mode="json")) == document
