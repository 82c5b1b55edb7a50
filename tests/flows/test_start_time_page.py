"""The page on which a waiting flow is given another start time."""

from __future__ import annotations

from django.utils import timezone

from core.tenancy import tenant_scope
from flows.models import Flow
from flows.queries import newest_document
from tests.fixtures.people import Person
from tests.flows.conftest import World
from tests.flows.test_start_time import DAY, facts, starting


def test_the_page_asks_changes_and_says_what_is_wrong(
    flow: Flow, alice: Person, charlie: Person, world: World
) -> None:
    later = timezone.now().replace(second=0, microsecond=0) + DAY
    with tenant_scope(alice.tenant.pk):
        starting(flow, alice, world, later, ends=timezone.now() + 9 * DAY)
        shown = later.astimezone(newest_document(flow.pk).settings.zone)
    url, browser = alice.url(f"flows/{flow.pk}/start-time/"), alice.client()
    assert url in browser.get(alice.url(f"flows/{flow.pk}/")).content.decode()
    assert f'value="{shown:%Y-%m-%dT%H:%M}"' in browser.get(url).content.decode()

    def seen() -> tuple[object, ...]:
        with tenant_scope(alice.tenant.pk):
            return facts(flow)[1:3]

    assert charlie.client().post(url, {"starts_at": ""}).status_code == 404
    assert browser.post(url, {"starts_at": "soon"}).status_code == 422
    assert browser.post(url, {"starts_at": "2090-01-01T09:00"}).status_code == 422
    assert seen() == (later, "held")
    assert browser.post(url, {"starts_at": ""}).status_code == 302
    assert seen() == (None, "open")
    # The button is gone with the wait; who was quicker is told.
    assert url not in browser.get(alice.url(f"flows/{flow.pk}/")).content.decode()
    again = browser.post(url, {"starts_at": ""}, follow=True).content.decode()
    assert "does not wait for its start time any more" in again
