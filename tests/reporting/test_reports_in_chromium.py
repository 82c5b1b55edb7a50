"""The Reports tab in a real browser: what is counted later arrives, a period shows at once, axe finds nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from participants.models import HeldOut, Participant
from tests.fixtures.people import Person
from tests.flows.drawing import look, sign_in
from tests.participants.pages import add_people, make_stage
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_reports_are_read_by_period_and_lead_to_the_people(
    page: Page, live_server: Any, bob: Person, theme: str
) -> None:
    stage = make_stage(bob)
    add_people(stage)
    with stage.scope() as world:
        first = Participant.objects.order_by("enrolled_at")[0].enrolled_at
        for name in ("Olga", "Pål"):
            HeldOut.objects.create(flow_id=stage.flow.pk, contact_id=world.contact(name).pk, held_at=first)
    sign_in(page, bob, live_server)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.url}])
    page.goto(live_server.url + stage.url("reports/"))
    expect(page.locator("#messages tbody tr")).to_have_count(1)
    expect(page.locator("#outcomes")).to_contain_text("Nobody finished with success in this period.")
    expect(page.locator("#outcomes")).to_contain_text("Control group")
    page.get_by_text("As a table").click()
    assert accessibility_faults(page) == []
    page.get_by_label("Period", exact=True).select_option("all")
    expect(page).to_have_url(re.compile("period=all"))
    page.get_by_role("link", name="Enrolled 4").click()
    expect(page.locator("tbody tr")).to_have_count(4)
    page.set_viewport_size({"width": 390, "height": 844})
    page.go_back()
    look(page, "reports")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#outcomes").get_by_role("link", name="2").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert accessibility_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    look(page, "held-out")
