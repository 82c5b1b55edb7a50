"""What a script breaks on after a click or a form is read at the script: for whom, by what, why; and not for ever."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import RoleDataRight, Tenant
from content.models import Script, ScriptFailure
from content.operations import script_runs
from content.operations.script_runs import run_later
from content.operations.scripts import save_script
from core.models import Job
from core.tenancy import tenant_scope
from crm.events import Origin
from tests.content.forms import LATER, NOW, Booth
from tests.content.test_form_processing import send
from tests.content.test_link_effects import run_scripts, script_of, set_actions
from tests.content.test_tracked_links import PHONE, Shop
from tests.content.test_tracked_links import monday as monday
from tests.content.test_tracked_links import shop as shop
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

BROKEN = 'fail("no score for " + contact["first_name"])'


def break_for(shop: Shop, script: Script, contact_id: int, *, now: dt.datetime = LATER) -> None:
    """Have the script run once for the contact."""
    with shop.scope():
        Job.objects.all().delete()
        event = {"link": {"id": shop.link.pk, "name": "Offer"}}
        run_later(script_id=script.pk, contact_id=contact_id, event=event, origin=Origin.LINK, now=now)
        job = Job.objects.get()
        script_runs.CONTACT_SCRIPT.slice(job, now=now)


def test_a_click_whose_script_breaks_is_read_at_the_script_until_it_is_mended(
    shop: Shop, mailbox: Mailbox, bob: Person
) -> None:
    with shop.scope():
        script = script_of(shop.tenant, BROKEN)
    set_actions(shop, script=script.pk)
    ada = shop.contact("Ada")
    assert Client().get(shop.click_of(mailbox, ada), headers=PHONE).status_code == 302
    run_scripts(shop)
    with shop.scope():
        [failure] = ScriptFailure.objects.all()
    assert (failure.script_id, failure.version, failure.contact_id) == (script.pk, 1, ada.pk)
    assert (failure.at, failure.origin, failure.cause) == (LATER, "link", "Offer")
    assert failure.message == "Line 1: fail: no score for Ada"
    client = bob.client()
    page = client.get(bob.url(f"content/scripts/{script.pk}/failures/")).content.decode()
    assert "Line 1: fail: no score for Ada" in page
    assert "Tracked link <bdi>“Offer”</bdi>" in page
    assert bob.url(f"contacts/{ada.pk}/") in page
    assert "1 failed run<" in client.get(bob.url("content/scripts/")).content.decode()
    tab = 'failures/">Failed runs<span class="count">1</span>'
    assert tab in client.get(bob.url(f"content/scripts/{script.pk}/")).content.decode()
    # Mended, it has nothing to mend; what was stays to be read.
    with shop.scope():
        save_script(
            script_id=script.pk, name="Title", description="", source="result = 1", revision=1, actor=None, now=LATER
        )  # fmt: skip
    assert "failed run" not in client.get(bob.url("content/scripts/")).content.decode()
    page = client.get(bob.url(f"content/scripts/{script.pk}/failures/")).content.decode()
    assert "changed since" in page
    assert '<span class="count">' not in page


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("updates = 1 / 0", "Line 1: float division by zero: 1 / 0"),
        ('updates = {"contact.email": "none"}', None),
        ('fail("a\\x00b")', "Line 1: fail: ab"),
        ("def f(n):\n  for i in range(1000000000): pass\nf(1)", "The script takes too long."),
    ],
)
def test_a_form_whose_script_breaks_tells_why_and_keeps_its_answers(
    acme: Tenant, source: str, message: str | None
) -> None:
    booth = Booth(acme)
    with booth.scope():
        script = script_of(acme, source)
    sent = send(booth, booth.form(actions={"script": script.pk}), first_name="Ada")
    assert sent.status == "processed"
    run_scripts(booth)
    with booth.scope():
        [failure] = ScriptFailure.objects.all()
    assert (failure.origin, failure.cause) == ("form", "Sign-up")
    assert failure.message == message or (message is None and "email" in failure.message.lower())


def test_a_run_that_goes_well_is_no_failure_and_neither_is_one_of_a_script_that_is_gone(shop: Shop) -> None:
    with shop.scope():
        good, gone = script_of(shop.tenant, "result = 1"), script_of(shop.tenant, BROKEN, name="Gone")
        Script.objects.filter(pk=gone.pk).update(deleted_at=NOW)
    ada = shop.contact("Ada")
    for script in (good, gone):
        break_for(shop, script, ada.pk)
    with shop.scope():
        assert not ScriptFailure.objects.exists()


def test_only_the_newest_are_kept_and_none_for_longer_than_a_month(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, bob: Person
) -> None:
    monkeypatch.setattr(script_runs, "MOST", 3)
    with shop.scope():
        script, other = script_of(shop.tenant, BROKEN), script_of(shop.tenant, BROKEN, name="Other")
    ada = shop.contact("Ada")
    break_for(shop, other, ada.pk)
    for day in (0, 1, 2, 2, 2):
        break_for(shop, script, ada.pk, now=LATER + dt.timedelta(days=day))
    with shop.scope():
        kept = ScriptFailure.objects.filter(script=script).order_by("pk")
        assert [one.at for one in kept] == [LATER + dt.timedelta(days=2)] * 3
    break_for(shop, script, ada.pk, now=LATER + dt.timedelta(days=33))
    with shop.scope():
        assert kept.all().count() == 1
        # Another script's are its own; what is too old is not shown, also before it is deleted.
        assert ScriptFailure.objects.filter(script=other).count() == 1
        assert ScriptFailure.objects.count() == 2


def test_who_may_not_see_the_contact_reads_neither_name_nor_message_and_strangers_nothing(
    shop: Shop, bob: Person, rory: Person, charlie: Person
) -> None:
    with shop.scope():
        script = script_of(shop.tenant, BROKEN)
    break_for(shop, script, shop.contact("Ada").pk)
    url = bob.url(f"content/scripts/{script.pk}/failures/")
    with tenant_scope(bob.tenant.pk):
        RoleDataRight.objects.filter(role=bob.member.role, object="contact").update(read="own")
    page = bob.client().get(url).content.decode()
    assert "A contact that you may not see" in page
    assert "Ada" not in page
    assert rory.client().get(rory.url(f"content/scripts/{script.pk}/failures/")).status_code == 404
    assert charlie.client().get(charlie.url(f"content/scripts/{script.pk}/failures/")).status_code == 404


def test_the_pages_cost_the_same_for_one_failure_as_for_many(shop: Shop, bob: Person) -> None:
    with shop.scope():
        scripts = [script_of(shop.tenant, BROKEN, name=f"Script {number}") for number in range(3)]
    client, counts = bob.client(), []
    client.get(bob.url("content/scripts/"))
    for many in (1, 4):
        for script in scripts[:many]:
            for number in range(many):
                with shop.scope():
                    ScriptFailure.objects.create(
                        script=script, version=1, contact=shop.contact(f"Ada{many}{number}{script.pk}"), at=NOW,
                        origin="form", message="x",
                    )  # fmt: skip
        for path in ("content/scripts/", f"content/scripts/{scripts[0].pk}/failures/"):
            with CaptureQueriesContext(connection) as caught:
                assert client.get(bob.url(path)).status_code == 200
            counts.append(len(caught))
    assert counts[:2] == counts[2:]
