"""What a click does for our own people and by scripts: a task, a request, changed fields; once, and never lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from accounts.models import Licence, Tenant
from content.jobs import CONTACT_SCRIPT
from content.link_actions import LinkActions
from content.models import Script, TrackedLink
from content.operations.links import change_link
from content.operations.scripts import save_script
from core.models import Job
from crm.models import Company, Contact, FollowUp, Request, Usage
from tests.content.forms import LATER, NOW, Booth
from tests.content.test_form_processing import send
from tests.content.test_tracked_links import PHONE, Shop
from tests.content.test_tracked_links import monday as monday
from tests.content.test_tracked_links import shop as shop
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

SOURCE = """
answers = event.get("form", {}).get("answers", {})
updates = {"contact.job_title": "Knows " + event.get("link", {}).get("name", answers.get("first_name", ""))}
"""


def script_of(tenant: Any, source: str = SOURCE, *, name: str = "Title") -> Script:
    """Make a script in the open scope."""
    return save_script(
        script_id=None, name=name, description="", source=source, revision=0, actor=None, now=NOW
    )


def set_actions(shop: Shop, **actions: Any) -> None:
    """Make the link do this alone."""
    with shop.scope():
        draft = shop.draft.__class__(
            name="Offer", url="https://example.com/offer", actions=LinkActions(**actions)
        )
        change_link(link_id=shop.link.pk, draft=draft, actor=None, now=NOW)


def run_scripts(booth: Any) -> int:
    """Do what a worker would, and return how many."""
    with booth.scope():
        jobs = list(Job.objects.filter(kind=CONTACT_SCRIPT.name))
        for job in jobs:
            CONTACT_SCRIPT.slice(job, now=LATER)
    return len(jobs)


def test_a_click_makes_one_task_for_our_contact_and_one_request_however_often_it_is_pressed(
    shop: Shop, mailbox: Mailbox, alice: Person, bob: Person
) -> None:
    set_actions(
        shop, follow_up=True, follow_up_title="Call", follow_up_days=2, fallback_user=alice.user.pk, request=True,
        request_title="Wants an offer",
    )  # fmt: skip
    with shop.scope():
        mill = Company.objects.create(
            name="Mill", name_norm="mill", our_contact=bob.user, created_at=NOW, updated_at=NOW
        )
    ada = shop.contact("Ada", company=mill)
    path = shop.click_of(mailbox, ada)
    for _ in range(3):
        assert Client().get(path, headers=PHONE).status_code == 302
    with shop.scope():
        [task] = FollowUp.objects.all()
        [request] = Request.objects.all()
    assert (task.title, task.assignee_id, task.contact_id) == ("Call", bob.user.pk, ada.pk)
    assert task.day == LATER.date() + dt.timedelta(days=2)
    assert (request.title, request.contact_id) == ("Wants an offer", ada.pk)
    assert shop.kinds().count("link.clicked") == 3


def test_without_our_contact_the_task_goes_to_the_fallback_and_without_a_licence_there_is_no_request(
    shop: Shop, mailbox: Mailbox, alice: Person
) -> None:
    set_actions(
        shop,
        follow_up=True,
        follow_up_title="Call",
        fallback_user=alice.user.pk,
        request=True,
        request_title="x",
    )
    with shop.scope():
        Licence.objects.filter(code=Licence.Code.SERVICE).delete()
    path = shop.click_of(mailbox, shop.contact("Ada"))
    assert Client().get(path, headers=PHONE).status_code == 302
    with shop.scope():
        assert [one.assignee_id for one in FollowUp.objects.all()] == [alice.user.pk]
        assert Request.objects.count() == 0


def test_a_click_by_a_machine_makes_nothing(shop: Shop, mailbox: Mailbox, alice: Person) -> None:
    with shop.scope():
        script = script_of(shop.tenant)
    set_actions(
        shop, follow_up=True, follow_up_title="Call", fallback_user=alice.user.pk, request=True, request_title="x",
        script=script.pk,
    )  # fmt: skip
    path = shop.click_of(mailbox, shop.contact("Ada"))
    assert Client().head(path).status_code == 302
    with shop.scope():
        assert (FollowUp.objects.count(), Request.objects.count()) == (0, 0)
    assert run_scripts(shop) == 0


def test_a_script_runs_by_a_worker_after_the_click_and_cannot_be_deleted_while_a_link_runs_it(
    shop: Shop, mailbox: Mailbox
) -> None:
    with shop.scope():
        script = script_of(shop.tenant)
    set_actions(shop, script=script.pk)
    ada = shop.contact("Ada", job_title="")
    assert Client().get(shop.click_of(mailbox, ada), headers=PHONE).status_code == 302
    with shop.scope():
        ada.refresh_from_db()
        assert ada.job_title == ""
        assert Usage.objects.filter(used_kind="script", used_id=script.pk, user_kind="link").exists()
    assert run_scripts(shop) == 1
    with shop.scope():
        ada.refresh_from_db()
    assert ada.job_title == "Knows Offer"


@pytest.mark.parametrize(
    ("source", "title"),
    [(SOURCE, "Knows Ada"), ("updates = 1 / 0", ""), ('updates = {"contact.email": "none"}', "")],
)
def test_a_form_runs_a_script_with_its_answers_and_a_bad_one_costs_no_answer(
    acme: Tenant, source: str, title: str
) -> None:
    booth = Booth(acme)
    with booth.scope():
        script = script_of(acme, source)
    form = booth.form(actions={"script": script.pk})
    sent = send(booth, form, first_name="Ada")
    assert sent.status == "processed"
    with booth.scope():
        job = Job.objects.get(kind=CONTACT_SCRIPT.name)
    # Answers lie with the submission alone.
    assert "answers" not in job.arguments["event"]["form"]
    run_scripts(booth)
    with booth.scope():
        assert Contact.objects.get().job_title == title


def test_a_writer_sets_what_a_link_does_for_our_people(shop: Shop, wendy: Person, bob: Person) -> None:
    with shop.scope():
        script = script_of(shop.tenant)
    url = wendy.url(f"content/links/{shop.link.pk}/")
    data = {
        "name": "Offer", "shows": "address", "url": "https://example.com/offer", "follow_up": "on",
        "fallback_user": bob.user.pk, "script": script.pk,
    }  # fmt: skip
    refused = wendy.client().post(url, data)
    assert refused.status_code == 422
    assert "Give it a title." in refused.text
    done = wendy.client().post(url, {**data, "follow_up_title": "Call", "follow_up_days": "3"})
    assert done.status_code == 302
    with shop.scope():
        actions = TrackedLink.objects.get(pk=shop.link.pk).actions
    assert actions == {
        "script": script.pk, "follow_up": True, "follow_up_title": "Call", "follow_up_days": 3,
        "fallback_user": bob.user.pk,
    }  # fmt: skip
    page = wendy.client().get(url).text
    assert 'value="Call"' in page
