"""The home page shows each person what concerns them."""

from __future__ import annotations

import uuid
from typing import Any

from core.tenancy import tenant_scope
from flows.models import Flow
from flows.operations.create import create_flow
from participants.models import HeldStep
from tests.fixtures.people import LAST_MONDAY, Person


def home(person: Person) -> str:
    """Return the person's home page."""
    answer = person.client().get(person.url())
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_an_administrator_of_a_new_tenant_is_led_to_the_first_flow(alice: Person) -> None:
    page = home(alice)
    assert "Your first flow" in page
    assert "0 of 5 done" in page
    assert "Invite your colleagues" in page


def test_a_done_step_counts(alice: Person, bob: Person) -> None:
    assert "1 of 5 done" in home(alice)


def test_a_writer_is_led_to_emails_only(wendy: Person) -> None:
    page = home(wendy)
    assert "Write the first email" in page
    assert "Draw a flow" not in page
    assert "Invite your colleagues" not in page


def test_a_rep_sees_the_own_contacts_and_nothing_of_flows(rory: Person) -> None:
    page = home(rory)
    assert "My contacts in flows" in page
    assert "Your first flow" not in page
    assert "/flows/" not in page.replace("/contacts/in-flows/", "")


def test_the_rail_shows_only_what_one_may_see(alice: Person, rory: Person) -> None:
    assert "/t/acme/settings/" in home(alice)
    assert "/t/acme/settings/" not in home(rory)


def test_the_home_page_takes_a_fixed_number_of_queries(
    alice: Person, django_assert_max_num_queries: Any
) -> None:
    client = alice.client()
    client.get(alice.url())
    with django_assert_max_num_queries(25):
        client.get(alice.url())


def test_what_runs_what_is_paused_and_what_is_held_is_named(alice: Person, rory: Person) -> None:
    with tenant_scope(alice.tenant.pk):
        names = {"Autumn welcome": "running", "Win back": "paused", "Broken one": "running"}
        flows = {name: create_flow(name=name, owner=alice.user, now=LAST_MONDAY) for name in names}
        for name, status in names.items():
            started = {"revision": 1, "started_at": LAST_MONDAY, "status": status}
            Flow.objects.filter(pk=flows[name].pk).update(**started)
        HeldStep.objects.create(
            flow_id=flows["Broken one"].pk,
            step_id=uuid.uuid4(),
            cause="The mail server cannot be reached.",
            since=LAST_MONDAY,
            retry_at=LAST_MONDAY,
        )
    page = home(alice)
    assert "Your first flow" not in page
    assert page.index("Needs attention") < page.index("Running now") < page.index("Autumn welcome")
    assert "Broken one is held" in page
    assert "The mail server cannot be reached." in page
    assert "Win back is paused" in page
    assert "Autumn welcome" not in home(rory)
