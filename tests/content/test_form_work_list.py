"""Working through submissions: who finds them, whom they are given to, and what is refused."""

from __future__ import annotations

import pytest

from accounts.models import Group, Membership, Tenant
from content.home import home_parts
from content.models import Form, FormSubmission
from content.operations.processing import NotOpen, reject_submission
from crm.models import (
    Event,
)
from tests.content.forms import LATER, Booth
from tests.content.test_form_processing import booth as booth
from tests.content.test_form_processing import clock as clock
from tests.content.test_form_processing import process, send
from tests.fixtures.people import Person


@pytest.fixture
def waiting(booth: Booth, rory: Person) -> FormSubmission:
    """A submission that waits for Rory's group."""
    form = booth.form(processing="manual")
    with booth.scope():
        Form.objects.filter(pk=form.pk).update(managed_by=Group.objects.get(name="Sales"))
    return send(booth, form, first_name="<b>Ada</b>", topic="Mills")


def test_only_the_managing_group_and_administrators_find_the_work_list(
    booth: Booth, waiting: FormSubmission, rory: Person, bob: Person, alice: Person, charlie: Person
) -> None:
    for person, status in ((rory, 200), (alice, 200), (bob, 404)):
        assert person.client().get(person.url("content/submissions/")).status_code == status
        assert person.client().get(person.url(f"content/submissions/{waiting.pk}/")).status_code == status
    assert (
        bob.client().post(bob.url(f"content/submissions/{waiting.pk}/"), {"do": "process"}).status_code == 404
    )
    assert charlie.client().get(charlie.url(f"content/submissions/{waiting.pk}/")).status_code == 404
    assert booth.submissions()[0].status == "submitted"
    with booth.scope():
        [part] = home_parts(Membership.objects.get(pk=rory.member.pk), LATER)
        assert part.context["count"] == 1
        assert home_parts(Membership.objects.get(pk=bob.member.pk), LATER) == []
    page = rory.client().get(rory.url(f"content/submissions/{waiting.pk}/")).content.decode()
    assert "&lt;b&gt;Ada&lt;/b&gt;" in page
    assert "Create contact and process" in page


def test_a_member_processes_and_the_timeline_says_who(
    booth: Booth, waiting: FormSubmission, rory: Person
) -> None:
    response = rory.client().post(
        rory.url(f"content/submissions/{waiting.pk}/"), {"do": "process"}, follow=True
    )
    assert "Processed." in response.content.decode()
    [one] = booth.submissions()
    assert (one.status, one.processed_by_id) == ("processed", rory.user.pk)
    with booth.scope():
        assert Event.objects.get(kind="form.submitted").actor_id == rory.user.pk
    again = rory.client().post(rory.url(f"content/submissions/{waiting.pk}/"), {"do": "process"}, follow=True)
    assert "not waiting any more" in again.content.decode()


def test_a_submission_is_linked_to_a_contact_chosen_by_hand(
    booth: Booth, waiting: FormSubmission, alice: Person
) -> None:
    eva = booth.contact("Eva", email="eva@work.test")
    url = alice.url(f"content/submissions/{waiting.pk}/")
    alice.client().post(url, {"do": "process", "contact": str(eva.pk)})
    [one] = booth.submissions()
    with booth.scope():
        eva.refresh_from_db()
        assert (one.contact_id, eva.email, eva.first_name) == (eva.pk, "eva@work.test", "Eva")


def test_a_contact_that_one_may_not_change_cannot_be_chosen(
    booth: Booth, waiting: FormSubmission, rory: Person, globex: Tenant, alice: Person
) -> None:
    foreign = Booth(globex).contact("Eva")
    url = alice.url(f"content/submissions/{waiting.pk}/")
    for chosen in (str(foreign.pk), "x", "999999"):
        assert alice.client().post(url, {"do": "process", "contact": chosen}).status_code == 404
    assert booth.submissions()[0].status == "submitted"


def test_a_rejected_submission_is_over(booth: Booth, waiting: FormSubmission, rory: Person) -> None:
    rory.client().post(rory.url(f"content/submissions/{waiting.pk}/"), {"do": "reject", "reason": "Spam"})
    [one] = booth.submissions()
    assert (one.status, one.error, one.contact_id) == ("rejected", "Spam", None)
    with pytest.raises(NotOpen):
        process(booth, one)
    with booth.scope(), pytest.raises(NotOpen):
        reject_submission(submission_id=one.pk, reason="", actor=rory.user, now=LATER)
    assert booth.kinds() == []
