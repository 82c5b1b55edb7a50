"""The page of blocked addresses: found, turned over, handed out, unblocked with the right words, and whose it is."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from delivery.models import BlockedAddress
from tests.delivery.conftest import NOW, House
from tests.fixtures.people import Person

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "content/blocked-addresses/"
WORDS = {
    "hard_bounce": "If the address does not exist, the next one comes back and blocks it anew.",
    "repeated_bounces": "Messages may go there again.",
    "complaint": "e-marketing consent stays withdrawn.",
    "by_user": "Messages may go there again.",
}


def block(
    house: House, address: str, reason: str = "hard_bounce", detail: str = "", minutes: int = 0
) -> None:
    with house.scope():
        BlockedAddress.objects.create(
            address_norm=address, reason=reason, detail=detail, at=NOW + dt.timedelta(minutes=minutes)
        )


def test_every_address_is_on_one_page_newest_first(house: House, alice: Person) -> None:
    for number in range(120):
        block(house, f"a{number:03}@post.test", minutes=number)
    client, query, seen = alice.client(), "", []
    for _ in range(10):
        page = client.get(alice.url(PATH) + query).context["page"]
        seen += [row.address_norm for row in page.rows]
        query = page.next_query
        if not query:
            break
    assert seen == [f"a{number:03}@post.test" for number in reversed(range(120))]


def test_a_search_finds_the_beginning_and_keeps_what_is_odd_as_text(house: House, alice: Person) -> None:
    for address in ("ada@post.test", "adam@post.test", "bea@ada.test", "a%a@post.test", "ünal@post.test"):
        block(house, address)

    def found(search: str) -> set[str]:
        page = alice.client().get(alice.url(PATH), {"q": search}).context["page"]
        return {row.address_norm for row in page.rows}

    assert found("ADA") == {"ada@post.test", "adam@post.test"}
    assert found("a%") == {"a%a@post.test"}
    assert found("Ünal") == {"ünal@post.test"}
    assert found("nobody") == set()
    assert len(found("  ")) == 5


def test_the_export_is_the_whole_list_and_opens_as_text(house: House, alice: Person, wendy: Person) -> None:
    block(house, "=cmd@post.test", "by_user", '=HYPERLINK("x")')
    block(house, "ada@post.test", "complaint", "abuse", minutes=1)
    answer = alice.client().get(alice.url(f"{PATH}export/"))
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert rows[0] == ["Address", "Reason", "Detail", "Since"]
    assert rows[1] == [
        "ada@post.test",
        "Marked as spam",
        "abuse",
        (NOW + dt.timedelta(minutes=1)).isoformat(),
    ]
    # A spreadsheet must not take it for a formula.
    assert not any(cell.startswith("=") for cell in rows[2])
    assert wendy.client().get(wendy.url(f"{PATH}export/")).status_code == 404
    assert "export/" not in wendy.client().get(wendy.url(PATH)).content.decode()


@pytest.mark.parametrize("reason", WORDS)
def test_unblocking_asks_in_the_words_of_its_reason(house: House, alice: Person, reason: str) -> None:
    block(house, "ada@post.test", reason)
    client = alice.client()
    shown = client.get(alice.url(PATH))
    assert WORDS[reason] in shown.content.decode()
    assert ("comes back and blocks it anew" in shown.content.decode()) == (reason == "hard_bounce")
    [row] = shown.context["page"].rows
    assert client.post(alice.url(f"{PATH}{row.pk}/unblock/")).status_code == 302
    # A second press finds nothing.
    assert client.post(alice.url(f"{PATH}{row.pk}/unblock/")).status_code == 404
    with house.scope():
        assert not BlockedAddress.objects.exists()


def test_readers_see_and_strangers_do_not(
    house: House, alice: Person, wendy: Person, charlie: Person
) -> None:
    block(house, "ada@post.test")
    with house.scope():
        number = BlockedAddress.objects.get().pk
    shown = wendy.client().get(wendy.url(PATH)).content.decode()
    assert "ada@post.test" in shown
    assert "Unblock ada@post.test" not in shown
    assert "ada@post.test" not in charlie.client().get(charlie.url(PATH)).content.decode()
    for person in (wendy, charlie):
        for home in (alice, person):
            assert person.client().post(home.url(f"{PATH}{number}/unblock/")).status_code == 404
            person.client().post(home.url(f"{PATH}block/"), {"address": "eve@post.test"})
    with house.scope():
        assert [row.address_norm for row in BlockedAddress.objects.all()] == ["ada@post.test"]
