"""Bad input at the doors: each gets its clear answer, and the tables show that nothing was changed or queued.

The whole list, with the tests that stand beside their rooms, is docs/bad-input.md.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from accounts.models import Tenant
from content.models import Email
from core.tenancy import tenant_scope
from crm.operations.imports import receive_upload, sample_rows
from flows.models import Flow
from tests.fixtures.people import LAST_MONDAY, Person
from tests.flows.conftest import MJML, World
from tests.flows.conftest import flow as flow
from tests.flows.conftest import world as world
from tests.support.database_facts import fingerprint

MIB = 1 << 20


@pytest.fixture
def email(acme: Tenant, world: World) -> Email:
    """An email that can be sent."""
    with tenant_scope(acme.pk):
        return Email.objects.get(pk=world.welcome.pk)


def answers(person: Person, path: str, data: dict[str, Any]) -> tuple[int, str]:
    """Post and return status and page, once the tables are proved to be as they were."""
    before = fingerprint(person.tenant.pk)
    answer = person.client().post(person.url(path), data)
    assert fingerprint(person.tenant.pk) == before
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("subject", "Hi {{ contact.frist_name }}", "There is no merge tag “contact.frist_name”"),
        ("mjml", "<mjml><mj-body>", "is opened here but never closed"),
        ("mjml", MJML.replace("Hello", "<a href='javascript:alert(1)'>x</a>"), "cannot begin with “javascript:”"),
        ("mjml", MJML.replace("Hello", "<a href='&#106;avascript:alert(1)'>x</a>"), "cannot begin with “javascript:”"),
        ("mjml", MJML.replace("Hello", "<a href='data:text/html,x'>x</a>"), "cannot begin with “data:”"),
    ],
)  # fmt: skip
def test_an_email_with_a_fault_is_not_saved(
    wendy: Person, email: Email, part: str, change: str, message: str
) -> None:
    posted = {"name": "Welcome", "subject": "Hi", "preheader": "", "mjml": MJML, "text": "", "revision": 1}
    status, page = answers(wendy, f"content/{email.pk}/", {**posted, part: change})
    assert (status, message in page) == (422, True)


@pytest.mark.parametrize(
    "addresses",
    ["a@post.test\r\nBcc: everyone@post.test", "a@post.test%0d%0aBcc:x@post.test", "<a@post.test>"],
)
def test_a_test_send_takes_no_headers_for_addresses(wendy: Person, email: Email, addresses: str) -> None:
    status, page = answers(wendy, f"content/{email.pk}/test/", {"addresses": addresses})
    assert (status, "is not an email address" in page) == (422, True)


@pytest.mark.parametrize("field", ["starts_at", "enrolment_ends_at"])
def test_a_flow_does_not_start_on_a_day_that_does_not_exist(bob: Person, flow: Flow, field: str) -> None:
    posted = {"part": "settings", "timezone": "Europe/Oslo", "control_share": "0", "base_version": "0"}
    status, page = answers(bob, f"flows/{flow.pk}/edit/apply/", {**posted, field: "2027-02-29T10:00"})
    assert (status, "Enter a valid date/time" in page) == (422, True)


def test_a_search_for_a_day_that_does_not_exist_is_told_and_finds_nobody(bob: Person) -> None:
    line = "f.g0.l0.field=contact.date_of_birth&f.g0.l0.operator=on&f.g0.l0.v0=2027-02-29"
    page = bob.client().get(bob.url(f"contacts/?{line}"))
    assert page.status_code == 200
    assert "is not a date" in page.content.decode()


@pytest.mark.parametrize("door", ["save/", "start/", "undo/", "apply/", "op/"])
def test_the_second_of_two_people_who_change_a_flow_is_told(
    alice: Person, bob: Person, flow: Flow, door: str
) -> None:
    step = {"op": "insert", "kind": "split", "index": "0"}
    alice.client().post(alice.url(f"flows/{flow.pk}/edit/op/"), {**step, "base_version": "0"})
    posted = {
        **step,
        "part": "settings",
        "timezone": "Europe/Oslo",
        "control_share": "0",
        "base_version": "0",
    }
    status, page = answers(bob, f"flows/{flow.pk}/edit/{door}", posted)
    assert (status, "Alice Wong" in page) == (409, True)


def test_what_is_no_table_is_not_taken_in(alice: Person) -> None:
    file = SimpleUploadedFile("contacts.csv", b"%PDF-1.7\n\x00\x01", content_type="text/csv")
    status, page = answers(alice, "imports/", {"file": file})
    assert (status, "This is a PDF, not a CSV file" in page) == (422, True)


def endless(begin: bytes, more: bytes, taken: list[int]) -> Iterator[bytes]:
    """Yield a gigabyte, noting what was asked for."""
    yield begin
    while sum(taken) < 1 << 30:
        taken.append(len(more))
        yield more


@pytest.mark.parametrize("row", [b"a@post.test,b\n", b"x"], ids=["rows", "one line without an end"])
def test_a_gigabyte_is_let_go_at_the_limit_in_flat_memory(
    acme_scope: Tenant, alice: Person, settings: Settings, row: bytes
) -> None:
    settings.IMPORT_MAX_BYTES = 16 * MIB
    taken: list[int] = []
    chunk = row * (MIB // len(row))
    tracemalloc.start()
    with pytest.raises(ValueError, match="larger than 16 MB"):
        receive_upload(
            chunks=endless(b"Email,Name\n", chunk, taken), file_name="big.csv", user_id=alice.user.pk, now=LAST_MONDAY
        )  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(taken) <= settings.IMPORT_MAX_BYTES + MIB
    assert peak < 8 * MIB
    assert not [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_large_file_below_the_limit_streams_in_flat_memory(
    acme_scope: Tenant, alice: Person, settings: Settings
) -> None:
    block = b"a@post.test,Ada\n" * 65_536
    tracemalloc.start()
    made = receive_upload(
        chunks=(b"Email,Name\n" if first else block for first in [True, *[False] * 12]),
        file_name="large.csv", user_id=alice.user.pk, now=LAST_MONDAY,
    )  # fmt: skip
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.size == 12 * MIB + len(b"Email,Name\n")
    assert peak < 8 * MIB
    assert len(sample_rows(made)) == 10


def test_one_line_without_an_end_below_the_limit_is_no_table(acme_scope: Tenant, alice: Person) -> None:
    with pytest.raises(ValueError, match="longer than a million characters"):
        receive_upload(
            chunks=(b"x" * MIB for _ in range(3)),
            file_name="line.csv",
            user_id=alice.user.pk,
            now=LAST_MONDAY,
        )
