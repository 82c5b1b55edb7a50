"""The home page shows each person what concerns them."""

from __future__ import annotations

from typing import Any

from tests.fixtures.people import Person


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
