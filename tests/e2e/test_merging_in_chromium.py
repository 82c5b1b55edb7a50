"""Merging two contacts in a real browser: accessible, fitting, by keyboard, asked before anything happens."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from crm.models import Contact
from crm.operations.consent import record_consent
from tests.crm.conftest import NOW, make_company, make_contact
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults

SignIn = Callable[[Person], None]


@pytest.fixture
def pair(alice: Person) -> tuple[int, int]:
    """Two contacts that are one; ids."""
    with tenant_scope(alice.tenant.pk):
        mill = make_company("The Mill and Sons Trading Company of the North AS")
        one = make_contact(
            first_name="Anna", last_name="Berg", name_norm="anna berg", email="anna@post.test", company=mill,
            job_title="Buyer",
        )  # fmt: skip
        other = make_contact(
            first_name="Anna", last_name="Bergh", email="anna.with.a.very.long.address@home-of-long-names.test",
            mobile="+4791918273", job_title="مديرة المشتريات",
        )  # fmt: skip
        record_consent(contact_id=one.pk, given=True, at=NOW)
        record_consent(contact_id=other.pk, given=False, at=NOW)
        return one.pk, other.pk


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["laptop", "phone"])
def test_the_pages_are_accessible_and_fit(
    page: Page,
    live_server: Any,
    alice: Person,
    pair: tuple[int, int],
    sign_in: SignIn,
    theme: Callable[[str], None],
    name: str,
    size: tuple[int, int],
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    sign_in(alice)
    theme(name)
    one, other = pair
    for path in (f"contacts/{one}/", f"contacts/{one}/merge/?q=", f"contacts/{one}/merge/{other}/"):
        page.goto(live_server.url + alice.url(path))
        assert accessibility_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        if folder := os.environ.get("SCREENSHOTS"):
            said = re.sub(r"\W+", "-", re.sub(r"\d+", "n", path))
            page.screenshot(path=f"{folder}/merge-{said}{size[0]}-{name}.png", full_page=True)


def test_two_ticks_a_choice_and_a_yes(
    page: Page, live_server: Any, alice: Person, pair: tuple[int, int], sign_in: SignIn
) -> None:
    sign_in(alice)
    one, other = pair
    page.goto(live_server.url + alice.url("contacts/"))
    for name in ("Anna Berg", "Anna Bergh"):
        page.get_by_label(f"Choose {name}", exact=True).check()
    page.get_by_role("button", name="Merge two").click()
    expect(page.get_by_role("heading", name="Merge two contacts")).to_be_visible()
    expect(
        page.get_by_text("Consent for E-marketing: the newest record counts, which says withdrawn.")
    ).to_be_visible()
    page.get_by_role("radio", name=re.compile("Job title: مديرة المشتريات")).check()
    page.get_by_role("button", name="Merge contacts").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This cannot be undone.")
    dialog.get_by_role("button", name="Merge contacts").click()
    expect(page.get_by_text("The two contacts are one now.")).to_be_visible()
    with tenant_scope(alice.tenant.pk):
        kept = Contact.objects.get(pk=one)
        assert (kept.job_title, kept.mobile, kept.email) == (
            "مديرة المشتريات",
            "+4791918273",
            "anna@post.test",
        )
        assert Contact.objects.get(pk=other).deleted_at is not None
