"""A message as it was sent lists the files that went with it, for whoever may see its contact, whatever came later."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.delivery.conftest import House
from tests.delivery.test_attachments import PDF, attach, keep
from tests.fixtures.people import Person
from tests.support.smtp import Mailbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(alice: Person) -> House:
    return House(alice.tenant)


def test_what_was_sent_keeps_its_files(
    house: House, alice: Person, rory: Person, charlie: Person, mailbox: Mailbox
) -> None:
    first = keep(house, "Prisliste 🚀.pdf", PDF + b"first")
    attach(house, first, keep(house, "vilkår.txt", b"Alt.", (first,)))
    ada = house.contact("Ada")
    (message_id,) = house.queue(ada)
    assert house.send().handed == 1
    attach(house, keep(house, "later.pdf", PDF + b"later"))

    path = f"content/messages/{ada.pk}/{message_id}/"
    page = alice.client().get(alice.url(path)).content.decode()
    assert re.findall(r"<bdi>([^<]+)</bdi></a> <span class=\"muted\">1 KB", page) == [
        "Prisliste 🚀.pdf",
        "vilkår.txt",
    ]
    assert "later.pdf" not in page
    got: Any = alice.client().get(alice.url(f"{path}files/2/"))
    assert b"".join(got.streaming_content) == b"Alt."
    assert got["Content-Disposition"] == "attachment; filename*=utf-8''vilk%C3%A5r.txt"
    for number in (0, 3):
        assert alice.client().get(alice.url(f"{path}files/{number}/")).status_code == 404
    assert charlie.client().get(alice.url(f"{path}files/1/")).status_code == 404
    assert charlie.client().get(charlie.url(f"{path}files/1/")).status_code == 404
    # It goes with the contact: whoever may see her, and nobody else.
    sees = rory.client().get(rory.url(f"contacts/{ada.pk}/")).status_code
    assert rory.client().get(rory.url(f"{path}files/1/")).status_code == sees
