"""Sales and requests in a real browser: accessible, fitting, in both themes and sizes; won and answered by clicks."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.queries import tenant_now
from core.tenancy import tenant_scope
from crm.bulk import NewRequest, NewSale
from crm.models import Request, RequestMessage, Sale, SaleType
from crm.operations.requests import add_message, register_request
from crm.operations.sales import create_sale, lose, stall
from flows.document import FlowDocument, StepNode
from flows.operations.create import create_flow
from tests.crm.conftest import make_company, make_contact
from tests.fixtures.people import Person
from tests.support.axe import accessibility_faults

SignIn = Callable[[Person], None]


@pytest.fixture
def ids(alice: Person, bob: Person) -> dict[str, Any]:
    """A desk with a bit of everything; ids by name."""
    with tenant_scope(alice.tenant.pk):
        now = tenant_now(alice.tenant.pk)
        ann = make_contact(first_name="Ann", last_name="Berg", company=make_company("Ek AS"))
        kind = SaleType.objects.get(name="New business")
        told: dict[str, Any] = {"now": now, "actor_id": bob.user.pk}
        made = []
        for number, title in enumerate(("12 touring kayaks for the spring season", "Tents", "Snowshoes 🏔")):
            row = NewSale(
                ann.pk, title, kind.pk, (alice, bob)[number % 2].user.pk, "NOK", amount=Decimal(94_800)
            )
            made.append(create_sale(sale=row, today=now.date(), **told).pk)
        lose(sale_id=made[1], reason="Price", **told)
        stall(sale_id=made[2], **told)
        asked = register_request(
            request=NewRequest(ann.pk, "Two paddles missing", "Only ten of twelve came.\n\nPlease help."),
            **told,
        )
        add_message(request_id=asked.pk, body="Ask the warehouse", is_note=True, now=now, author=bob.user)
        steps = (StepNode(kind="create_sale", title="Offer"), StepNode(kind="create_request", title="Call"))
        flow = create_flow(name="Desk", owner=alice.user, now=now, document=FlowDocument(steps=steps))
        return {
            "contact": ann.pk, "company": ann.company_id, "sale": made[0], "request": asked.pk, "type": kind.pk,
            "flow": flow.pk, "sale_step": steps[0].id, "request_step": steps[1].id,
        }  # fmt: skip


PAGES = (
    "sales/", "sales/{sale}/", "sales/new/", "sales/new/?contact={contact}", "requests/", "requests/{request}/",
    "requests/new/?contact={contact}", "contacts/{contact}/sales/", "contacts/{contact}/requests/",
    "contacts/{contact}/timeline/", "companies/{company}/", "settings/sales-and-requests/",
    "settings/sales-and-requests/request-categories/", "settings/sales-and-requests/sale-types/{type}/",
    "flows/{flow}/edit/?part=step:{sale_step}", "flows/{flow}/edit/?part=step:{request_step}",
)  # fmt: skip


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 860), (390, 844)], ids=["laptop", "phone"])
def test_the_pages_are_accessible_and_fit(
    page: Page,
    live_server: Any,
    alice: Person,
    ids: dict[str, Any],
    sign_in: SignIn,
    theme: Callable[[str], None],
    name: str,
    size: tuple[int, int],
) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    theme(name)
    sign_in(alice)
    shots = os.environ.get("MILLRACE_SCREENSHOTS")
    for number, path in enumerate(PAGES):
        page.goto(live_server.url + alice.url(path.format(**ids)))
        assert accessibility_faults(page) == [], path
        if not path.startswith("flows/"):
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        if shots:
            page.screenshot(path=f"{shots}/{number:02}-{name}-{size[0]}.png", full_page=True)


def test_a_sale_is_made_moved_and_won_and_a_request_answered(
    page: Page, live_server: Any, alice: Person, ids: dict[str, Any], sign_in: SignIn
) -> None:
    sign_in(alice)
    page.goto(live_server.url + alice.url(f"contacts/{ids['contact']}/sales/"))
    page.get_by_role("link", name="New sale").click()
    page.get_by_label("Title").fill("Six tents")
    page.get_by_label("Amount").fill("1250.50")
    page.get_by_role("button", name="Create sale").click()
    expect(page.get_by_role("heading", name="Six tents")).to_be_visible()
    page.get_by_role("button", name="Proposal").click()
    page.get_by_role("button", name="Lose", exact=True).click()
    page.locator("#lose-sale-reason").fill("Price")
    page.get_by_role("button", name="Mark as lost").click()
    page.get_by_role("button", name="Reopen").click()
    page.get_by_role("button", name="Mark as sold").click()
    expect(page.locator("header .badge, .page-head .badge").first).to_contain_text("Sold")
    page.goto(live_server.url + alice.url(f"requests/{ids['request']}/"))
    page.get_by_role("button", name="Take it").click()
    page.get_by_role("textbox", name="Message").fill("They are on their way")
    page.get_by_role("button", name="Add to the log").click()
    page.get_by_role("button", name="Close request").click()
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    with tenant_scope(alice.tenant.pk):
        sale = Sale.objects.get(title="Six tents")
        assert (sale.status, sale.probability, sale.stage and sale.stage.name) == ("sold", 100, "Proposal")
        request = Request.objects.get(pk=ids["request"])
        assert (request.status, request.owner) == ("closed", alice.user)
        assert RequestMessage.objects.latest("pk").body == "They are on their way"
