"""A flow goes out as a file and comes into another tenant, in a real browser: keyboard, phone width, axe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from flows.exchange.export import as_bytes, flow_file
from flows.models import Flow
from tests.fixtures.people import Person
from tests.flows.drawing import sign_in
from tests.flows.test_exchange import rich
from tests.support.axe import accessibility_faults

__all__ = ["rich"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_file_of_another_tenant_becomes_a_draft(
    rich: Flow, alice: Person, charlie: Person, page: Page, live_server: Any, tmp_path: Path
) -> None:
    with tenant_scope(alice.tenant.pk):
        (tmp_path / "rich.json").write_bytes(as_bytes(flow_file(rich, member=alice.member)))
    (tmp_path / "bad.json").write_text('{"format": "millrace-flow", "version": 1, "name": ""}')
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, charlie, live_server)
    page.goto(live_server.url + charlie.url("flows/new/"))
    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("Flow file").set_input_files(tmp_path / "bad.json")
    page.get_by_role("button", name="Look at the file").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    assert accessibility_faults(page) == []
    page.get_by_label("Flow file").set_input_files(tmp_path / "rich.json")
    page.get_by_role("button", name="Look at the file").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Import Rich <b>flow</b>")
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("User Alice Wong").select_option(label="Charlie Brandt")
    page.get_by_role("button", name="Import flow").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Rich <b>flow</b>")
    expect(page.locator("body")).to_contain_text("is here as a draft")
