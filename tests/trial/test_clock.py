"""The trial's clock: ahead for its own tenant alone, never back, never for a tenant that is no trial."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError

from accounts.models import Tenant
from accounts.queries import tenant_now
from core import clock
from tests.fixtures.people import Person
from trial.operations import ClockRefused, advance_clock
from trial.templatetags.trial_clock import ahead

DAY = dt.timedelta(days=1)


@pytest.fixture
def trial(acme: Tenant) -> Tenant:
    """Acme as a trial."""
    Tenant.objects.filter(pk=acme.pk).update(is_trial=True)
    acme.refresh_from_db()
    return acme


@pytest.mark.django_db
def test_the_button_moves_the_tenants_clock_and_says_so(trial: Tenant, alice: Person, globex: Tenant) -> None:
    answer = alice.client().post(
        alice.url("trial/clock/advance"), {"by": "2-days", "next": alice.url()}, follow=True
    )
    assert "The clock is 2 days ahead now." in answer.content.decode()
    trial.refresh_from_db()
    assert trial.clock_offset == 2 * DAY
    assert abs(tenant_now(trial.pk) - clock.now() - 2 * DAY) < dt.timedelta(seconds=5)
    globex.refresh_from_db()
    assert globex.clock_offset == dt.timedelta()


@pytest.mark.django_db
def test_the_clock_adds_up(trial: Tenant) -> None:
    advance_clock(tenant_id=trial.pk, by=DAY)
    assert advance_clock(tenant_id=trial.pk, by=dt.timedelta(hours=1)) == DAY + dt.timedelta(hours=1)


@pytest.mark.django_db
def test_a_tenant_that_is_no_trial_has_no_such_clock(acme: Tenant, alice: Person) -> None:
    assert alice.client().post(alice.url("trial/clock/advance"), {"by": "day"}).status_code == 404
    with pytest.raises(ClockRefused, match="Only the clock of a trial"):
        advance_clock(tenant_id=acme.pk, by=DAY)
    with pytest.raises(IntegrityError):
        Tenant.objects.filter(pk=acme.pk).update(clock_offset=DAY)


@pytest.mark.django_db
@pytest.mark.parametrize("by", [dt.timedelta(), -DAY])
def test_the_clock_never_goes_back(trial: Tenant, by: dt.timedelta) -> None:
    with pytest.raises(ClockRefused, match="forward only"):
        advance_clock(tenant_id=trial.pk, by=by)
    trial.refresh_from_db()
    assert trial.clock_offset == dt.timedelta()


@pytest.mark.django_db
def test_a_stranger_cannot_move_it(trial: Tenant, charlie: Person) -> None:
    assert charlie.client().post(f"/t/{trial.slug}/trial/clock/advance", {"by": "day"}).status_code == 404
    trial.refresh_from_db()
    assert trial.clock_offset == dt.timedelta()


@pytest.mark.django_db
def test_an_unknown_step_or_a_foreign_return_address_is_refused(trial: Tenant, alice: Person) -> None:
    answer = alice.client().post(
        alice.url("trial/clock/advance"), {"by": "year", "next": "https://evil.example/"}
    )
    assert answer["Location"] == alice.url()
    trial.refresh_from_db()
    assert trial.clock_offset == dt.timedelta()


@pytest.mark.parametrize(
    ("offset", "words"),
    [(DAY, "1 day"), (2 * DAY + dt.timedelta(hours=3), "2 days 3 hours"), (dt.timedelta(hours=1), "1 hour")],
)
def test_how_far_is_said_in_words(offset: dt.timedelta, words: str) -> None:
    assert ahead(offset) == words
