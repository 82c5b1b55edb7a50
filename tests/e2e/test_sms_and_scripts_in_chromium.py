"""The pages of SMS, webhooks and scripts in a real browser: both themes, a phone's width, keyboard and counter."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from content.operations.scripts import save_script
from core.tenancy import tenant_scope
from delivery.models import OutgoingWebhook, SmsConnector, SmsOptOut
from delivery.operations.connectors import connect_sms
from delivery.operations.webhook_secrets import keep_secret
from flows.document import FlowDocument
from flows.models import Flow
from flows.operations import drafts
from flows.operations.save import save_draft
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID
from tests.flows.conftest import NOW, World
from tests.flows.conftest import flow as flow
from tests.flows.conftest import world as world
from tests.flows.documents import step
from tests.support.axe import accessibility_faults

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 390, "height": 844}


def look(page: Page, name: str) -> None:
    """Judge the page at both widths; keep pictures where PICTURES names a folder."""
    for size in ({"width": 1280, "height": 800}, PHONE):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (
            f"{name} is too wide"
        )
        if folder := os.environ.get("PICTURES"):
            page.screenshot(path=Path(folder) / f"{name}-{size['width']}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert accessibility_faults(page) == []


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_the_settings_of_sms_and_webhooks_and_the_script_editor(
    page: Page, live_server: Any, alice: Person, sign_in: Callable[[Person], None], theme: Callable[[str], None],
    chosen: str,
) -> None:  # fmt: skip
    sign_in(alice)
    theme(chosen)
    with tenant_scope(alice.tenant.pk):
        connect_sms(
            account_sid=SID, auth_token="x", senders=["+4759440000", "Acme"], actor=alice.user, now=NOW
        )
        SmsOptOut.objects.create(number="+4791234567", source="reply", word="STOP", at=NOW)
        keep_secret(name="crm", value="x", actor=alice.user, now=NOW)
        script = save_script(
            script_id=None, name="Score", description="Counts", source="result = 1\n", revision=0, actor=alice.user,
            now=NOW,
        )  # fmt: skip
    pages = {
        "sms": "settings/connectors/sms/", "opt-outs": "settings/connectors/sms/opt-outs/",
        "webhooks": "settings/connectors/webhooks/", "scripts": "content/scripts/",
        "script": f"content/scripts/{script.pk}/", "mobile": "me/mobile/",
        "user": f"settings/users/{alice.member.pk}/",
    }  # fmt: skip
    for name, path in pages.items():
        page.goto(live_server.url + alice.url(path))
        look(page, f"{name}-{chosen}")
    page.goto(live_server.url + alice.url(pages["sms"]))
    page.get_by_label("Millrace, with the texts below").check()
    page.get_by_label("Answer to HELP").fill("")
    page.get_by_role("button", name="Save answers").click()
    expect(page.get_by_text("Millrace needs a text to answer with.")).to_be_visible()
    look(page, f"sms-answers-{chosen}")
    page.get_by_label("Answer to HELP").fill("Acme: call +47 22 33 44 55")
    page.get_by_role("button", name="Save answers").click()
    expect(page.get_by_text("Answers saved.")).to_be_visible()
    expect(page.get_by_label("Answer to HELP")).to_have_value("Acme: call +47 22 33 44 55")
    with tenant_scope(alice.tenant.pk):
        assert SmsConnector.objects.get().answers["help"] == "Acme: call +47 22 33 44 55"


def test_an_sms_is_written_with_a_counter_and_merge_tags(
    page: Page, live_server: Any, alice: Person, sign_in: Callable[[Person], None], flow: Flow, world: World
) -> None:
    sign_in(alice)
    nodes = [step("send_sms"), step("notify_by_sms", to="numbers"), step("webhook"), step("run_script")]
    with tenant_scope(alice.tenant.pk):
        connect_sms(
            account_sid=SID, auth_token="x", senders=["+4759440000", "Acme"], actor=alice.user, now=NOW
        )
        flow.refresh_from_db()
        drafts.apply(
            flow_id=flow.pk, base_version=flow.draft_version, label="given", actor=alice.user, now=NOW,
            change=lambda _: FlowDocument(settings=world.settings(), steps=tuple(nodes)),
        )  # fmt: skip
    base = live_server.url + alice.url(f"flows/{flow.pk}/edit/?part=step:")
    page.goto(f"{base}{nodes[0].id}")
    text = page.get_by_label("Text", exact=True)
    text.fill("Hei ")
    expect(page.locator("#sms-length")).to_have_text("3 characters, 1 segment (GSM-7)")
    page.get_by_text("Merge tags", exact=True).click()
    page.get_by_role("button", name="First name").first.click()
    expect(text).to_have_value("Hei {{ contact.first_name }}")
    expect(page.locator("#sms-length")).to_have_text("14 characters, 1 segment (GSM-7)")
    text.press_sequentially(" 🎉")
    expect(page.locator("#sms-length")).to_have_text("16 characters, 1 segment (UCS-2)")
    expect(page.get_by_label("Then suggest for flow")).to_be_hidden()
    page.get_by_text("Exit flow", exact=True).first.click()
    expect(page.get_by_label("Then suggest for flow")).to_be_visible()
    page.get_by_role("button", name="Add a language").click()
    page.get_by_label("Language", exact=True).select_option("German")
    page.get_by_label("Text in this language").fill("Hallo")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(f'[data-part="step:{nodes[0].id}"]').first).to_contain_text(
        "Hei {{ contact.first_name }}"
    )
    page.goto(f"{base}{nodes[0].id}")
    expect(page.get_by_label("Text in this language")).to_have_value("Hallo")
    expect(page.get_by_text("In German", exact=True)).to_be_visible()
    for node in nodes:
        page.goto(f"{base}{node.id}")
        look(page, node.kind)


def test_calls_of_a_webhook_are_seen_from_the_canvas(
    page: Page, live_server: Any, alice: Person, sign_in: Callable[[Person], None], flow: Flow, world: World
) -> None:
    sign_in(alice)
    node = step("webhook", title="To the CRM", url="https://crm.example.com/")
    with tenant_scope(alice.tenant.pk):
        flow.refresh_from_db()
        drafts.apply(
            flow_id=flow.pk, base_version=flow.draft_version, label="given", actor=alice.user, now=NOW,
            change=lambda _: FlowDocument(settings=world.settings(), steps=(node,)),
        )  # fmt: skip
        flow.refresh_from_db()
        save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=alice.user, now=NOW)
        for number, (status, code, error) in enumerate(
            [("delivered", 200, ""), ("failed", 410, "Answered 410."), ("queued", 500, "Answered 500.")]
        ):
            OutgoingWebhook.objects.create(
                flow_id=flow.pk, step_id=node.id, contact_id=1, participant_id=number + 1, visit_number=1,
                content_version_id=1, queued_at=NOW, due_at=NOW, tried_at=NOW, status=status, code=code, error=error,
            )  # fmt: skip
    page.goto(live_server.url + alice.url(f"flows/{flow.pk}/canvas/"))
    page.get_by_text("To the CRM").first.click()
    page.get_by_role("link", name="Calls and their answers").click()
    expect(page.get_by_role("heading", name="Calls of “To the CRM”")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(4)
    look(page, "calls")
