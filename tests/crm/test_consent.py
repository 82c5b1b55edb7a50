"""Consent and subscriptions: the newest record counts, everything is logged, twice is once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from accounts.models import Tenant
from crm.models import Consent, ConsentChange, Event, ListItem, SubscriptionOptOut, SubscriptionType
from crm.operations.consent import opt_in, opt_out, record_consent
from tests.crm.conftest import NOW, make_contact


def test_the_newest_record_wins_whatever_the_order_of_writing(acme_scope: Tenant) -> None:
    contact = make_contact(last_name="Ek")
    record_consent(contact_id=contact.pk, given=False, at=NOW, source="phone")
    record_consent(contact_id=contact.pk, given=True, at=NOW - dt.timedelta(days=1), source="form")
    kept = Consent.objects.get(contact=contact)
    assert (kept.given, kept.source) == (False, "phone")
    assert ConsentChange.objects.count() == 2
    assert list(Event.objects.values_list("kind", flat=True)) == ["consent.withdrawn"]


def test_opting_out_twice_is_once_and_can_be_taken_back(acme_scope: Tenant) -> None:
    contact, news = make_contact(last_name="Ek"), SubscriptionType.objects.get(name="Newsletter")
    common: dict[str, Any] = {"contact_id": contact.pk, "type_id": news.pk, "at": NOW}
    assert [opt_out(**common), opt_out(**common), opt_in(**common), opt_in(**common)] == [
        True,
        False,
        True,
        False,
    ]
    assert not SubscriptionOptOut.objects.exists()
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == ["unsubscribed", "subscribed"]


def test_a_new_tenant_has_its_lists(acme_scope: Tenant) -> None:
    names = ListItem.objects.filter(list="category").values_list("name", flat=True)
    assert list(names) == ["Prospect", "Lead", "Customer", "Former customer", "Partner", "Supplier"]
