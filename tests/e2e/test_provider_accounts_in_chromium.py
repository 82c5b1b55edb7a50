"""Every provider's account form in a real browser, empty, refused and taken; and what SES's page says of its topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.tenancy import tenant_scope
from delivery.channels.providers import PROVIDERS
from delivery.operations.email_connector import connect_provider
from delivery.operations.provider_events import note_heard
from delivery.provider_events import Topic, TopicTold
from tests.delivery.conftest import NOW, House
from tests.delivery.conftest import house as house
from tests.delivery.test_provider_channel import GIVEN
from tests.e2e.test_delivery_pages_in_chromium import look
from tests.fixtures.people import Person
from tests.support.email_providers import EmailProviders
from tests.support.sns import TOPIC

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_every_provider_says_at_its_field_what_it_needs(
    page: Page, live_server: Any, alice: Person, house: House, sign_in: Callable[[Person], None],
    theme: Callable[[str], None], chosen: str,
) -> None:  # fmt: skip
    sign_in(alice)
    theme(chosen)
    for key, provider in PROVIDERS.items():
        page.goto(live_server.url + alice.url(f"settings/connectors/email/{key}/"))
        expect(page.get_by_role("heading", name=provider.name, level=1)).to_be_visible()
        needed = [field for field in provider.fields if field.required and not field.choices]
        # Blanks pass the browser's own check, and are nothing to the server.
        for field in needed:
            page.get_by_label(field.label, exact=True).fill(" ")
        page.get_by_role("button", name="Connect").click()
        for field in needed:
            box = page.get_by_label(field.label, exact=True)
            expect(box).to_have_attribute("aria-invalid", "true")
            kept = "Kept encrypted and never shown again." if field.secret else ""
            told = " ".join(part for part in (field.help, kept, "This field is required.") if part)
            expect(box).to_have_accessible_description(told)
        look(page, f"provider-{key}-{chosen}")


@pytest.mark.parametrize("chosen", ["light", "dark"])
def test_the_page_of_ses_follows_its_topic(
    page: Page, live_server: Any, alice: Person, house: House, providers: EmailProviders,
    sign_in: Callable[[Person], None], theme: Callable[[str], None], chosen: str,
) -> None:  # fmt: skip
    sign_in(alice)
    theme(chosen)
    page.goto(live_server.url + alice.url("settings/connectors/email/"))
    page.get_by_role("link", name="Connect Amazon SES").click()
    page.get_by_label("Region").select_option("Europe (Frankfurt)")
    page.get_by_label("Access key ID").fill("my key")
    page.get_by_label("Secret access key").fill("x" * 40)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_label("Access key ID")).to_have_accessible_description(
        "Of an IAM user that may do ses:SendEmail and ses:SendRawEmail, and nothing else. "
        "Access key ID: this does not look like one. Copy it as it stands at the provider."
    )
    look(page, f"ses-refused-{chosen}")
    page.get_by_label("Access key ID").fill(GIVEN["amazon_ses"]["access_key_id"])
    page.get_by_label("Secret access key").fill("x" * 40)
    page.get_by_label("ARN of the SNS topic").fill(TOPIC)
    page.get_by_role("button", name="Connect").click()
    expect(page.get_by_text("Subscription not confirmed yet")).to_be_visible()
    expect(page.get_by_text("Amazon SES has told nothing yet.")).to_be_visible()
    look(page, f"ses-waits-{chosen}")
    for told, words in (
        (Topic.CONFIRMED, "Subscription confirmed"),
        (Topic.ENDED, "Subscription ended"),
    ):
        with tenant_scope(alice.tenant.pk):
            note_heard(topic=TopicTold(TOPIC, told, NOW.replace(year=NOW.year + 1)), now=NOW)
        page.reload()
        expect(page.get_by_text(words)).to_be_visible()
        look(page, f"ses-{told}-{chosen}")
    with tenant_scope(alice.tenant.pk):
        connect_provider(provider="brevo", given=GIVEN["brevo"], actor=alice.user, now=NOW)
    page.reload()
    expect(page.get_by_text("Brevo has told nothing yet.")).to_be_visible()
    expect(page.get_by_text("Subscription ended")).to_have_count(0)
    look(page, f"brevo-connected-{chosen}")
