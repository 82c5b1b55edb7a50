"""Attaching files in a real browser: by picker and by dropping, refused at the field, taken out with a question."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from content.models import Email
from content.operations.emails import create_email
from content.queries_attachment import attached_to
from core.tenancy import tenant_scope
from tests.content.conftest import mail
from tests.content.test_in_chromium import enter
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
PDF = b"%PDF-1.7\n" + b"x" * 2_000
DROP = """(zone, [name, size]) => {
  const data = new DataTransfer();
  data.items.add(new File(["%PDF-" + "x".repeat(size)], name));
  for (const kind of ["dragover", "drop"])
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def file(name: str, data: bytes = PDF) -> Any:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


@pytest.fixture
def email(wendy: Person) -> Email:
    with tenant_scope(wendy.tenant.pk):
        return create_email(
            name="Offer", actor=wendy.user, now=LAST_MONDAY, subject="Offer", mjml=mail("Hello")
        )


def test_files_are_attached_refused_at_the_field_saved_and_taken_out(
    page: Page, live_server: Any, wendy: Person, email: Email
) -> None:
    enter(page, live_server, wendy)
    page.goto(live_server.url + wendy.url(f"content/{email.pk}/"))
    field, names = page.locator("#attachments"), page.locator(".attached-name bdi")
    expect(page.locator(".envelope")).to_contain_text("Offer")

    page.set_input_files(
        "#attachment-files",
        [file("Prisliste 🚀.pdf"), file("setup.exe", b"MZ\0"), file("قائمة.pdf", PDF + b"2")],
    )
    expect(names).to_have_text(["Prisliste 🚀.pdf", "قائمة.pdf"])
    expect(page.get_by_role("alert").filter(has_text="setup.exe")).to_have_text(
        "“setup.exe” is not attached. Mail providers refuse files of the kind “.exe”."
    )
    # Nothing is typed, but something is not saved; and the preview knows.
    expect(page.locator(".envelope")).to_contain_text("Prisliste 🚀.pdf")

    field.evaluate(DROP, ["dropped.pdf", 3_000])
    expect(names).to_have_text(["Prisliste 🚀.pdf", "قائمة.pdf", "dropped.pdf"])
    expect(page.locator("#attachments-problem")).to_have_text("")

    field.evaluate(DROP, ["huge.pdf", 26 * 1024 * 1024])
    expect(page.locator("#attachments-problem")).to_contain_text("attachments have at most 25 MB together")
    expect(names).to_have_count(3)
    assert accessibility_faults(page) == []

    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved as version 1")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="Prisliste 🚀.pdf").click()
    assert got.value.suggested_filename == "Prisliste 🚀.pdf"
    assert got.value.path().read_bytes() == PDF

    page.get_by_role("button", name="Take قائمة.pdf out").click()
    question = page.locator("#confirm")
    expect(question).to_contain_text("Take “قائمة.pdf” out of this email?")
    question.get_by_role("button", name="Take out").click()
    expect(names).to_have_text(["Prisliste 🚀.pdf", "dropped.pdf"])
    with page.expect_navigation():
        page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved as version 2")).to_be_visible()
    with tenant_scope(wendy.tenant.pk):
        email.refresh_from_db()
        assert [one.name for one in attached_to(email.current_id)] == ["Prisliste 🚀.pdf", "dropped.pdf"]
