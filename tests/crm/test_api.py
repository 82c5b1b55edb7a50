"""The API by HTTP: keys open one tenant and no more, events act once, and what is refused leaves nothing behind."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from accounts.models import ApiKey, ApiKeyLookup, AuditEntry, Tenant
from accounts.operations.api_keys import create_api_key, digest_of, revoke_api_key
from core.tenancy import tenant_scope
from crm.models import (
    Consent,
    Contact,
    ContactInterest,
    CustomField,
    Event,
    EventInbox,
    ListItem,
    OutsideKey,
    OutsideName,
)
from tests.crm.conftest import make_contact, make_item
from tests.fixtures.people import LAST_MONDAY, Person
from tests.support.database_facts import fingerprint

ALL = [str(scope) for scope in ApiKey.Scope]


class Caller:
    """A program with a key."""

    def __init__(self, person: Person, scopes: list[str]) -> None:
        self.tenant = person.tenant
        with tenant_scope(self.tenant.pk):
            self.key, self.secret = create_api_key(
                name=f"Shop {scopes}", scopes=scopes, actor=person.user, now=LAST_MONDAY
            )

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """Post JSON (or a body as it is)."""
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        sent = {"authorization": f"Bearer {self.secret}", **headers}
        return Client().post(f"/api/v1/{path}", data, content_type="application/json", headers=sent)


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Forget what earlier tests were counted for."""
    cache.clear()


@pytest.fixture
def shop(alice: Person) -> Caller:
    """Acme's shop, which may do everything."""
    return Caller(alice, ALL)


@pytest.fixture
def ada(shop: Caller) -> Contact:
    """A contact of Acme."""
    with tenant_scope(shop.tenant.pk):
        return make_contact(last_name="Lovelace", email="ada@post.test")


def events(tenant: Tenant) -> list[Event]:
    """Return the events from outside."""
    with tenant_scope(tenant.pk):
        return list(Event.objects.filter(kind="outside").order_by("id"))


ORDER = {"name": "order.placed", "contact": {"email": "ADA@post.test"}, "data": {"total": 120}}


# --- events -----------------------------------------------------------------------------------------------------------


def test_an_event_is_recorded_and_waits_in_the_inbox(shop: Caller, ada: Contact) -> None:
    answer = shop.post("events", {**ORDER, "at": "2026-11-20T08:00:00+01:00"})
    assert (answer.status_code, answer.json()) == (200, {"status": "recorded"})
    [event] = events(shop.tenant)
    assert (event.contact_id, event.object_key, event.origin) == (ada.pk, "order.placed", "api")
    assert event.data == {"name": "order.placed", "data": {"total": 120}}
    assert event.at == dt.datetime(2026, 11, 20, 7, 0, tzinfo=dt.UTC)
    with tenant_scope(shop.tenant.pk):
        assert EventInbox.objects.get(kind="outside").event_id == event.pk
        assert [name.name for name in OutsideName.objects.all()] == ["order.placed"]
        assert ApiKey.objects.get().last_used_at is not None


def test_the_same_key_never_acts_twice(shop: Caller, ada: Contact) -> None:
    first, again = (shop.post("events", {**ORDER, "key": "o-1"}).json() for _ in range(2))
    assert (first, again) == ({"status": "recorded"}, {"status": "repeated"})
    other = shop.post("events", {**ORDER, "key": "o-1", "data": {"total": 121}})
    assert (other.status_code, other.json()["detail"]) == (409, "The key was used for another event.")
    assert len(events(shop.tenant)) == 1


def test_a_contact_that_is_not_known_uses_up_no_key(shop: Caller) -> None:
    body = {**ORDER, "contact": {"email": "new@post.test"}, "key": "o-1"}
    assert shop.post("events", body).status_code == 404
    with tenant_scope(shop.tenant.pk):
        assert not OutsideKey.objects.exists()
        make_contact(last_name="New", email="new@post.test")
    assert shop.post("events", body).json() == {"status": "recorded"}


def test_a_batch_says_what_became_of_each(shop: Caller, ada: Contact) -> None:
    rows = [
        {**ORDER, "key": "a"},
        {**ORDER, "key": "a"},
        {**ORDER, "key": "a", "name": "other"},
        {**ORDER, "contact": {"id": 999_999_999}, "key": "b"},
        {**ORDER, "contact": {"id": ada.pk}},
        {**ORDER, "name": "visit"},
    ]
    answer = shop.post("events/batch", {"events": rows}).json()
    assert answer["results"] == [
        "recorded",
        "repeated",
        "key_reused",
        "unknown_contact",
        "recorded",
        "recorded",
    ]
    assert (answer["recorded"], answer["repeated"], answer["refused"]) == (3, 1, 2)
    assert [event.object_key for event in events(shop.tenant)] == ["order.placed", "order.placed", "visit"]
    assert shop.post("events/batch", {"events": rows[:1]}).json()["results"] == ["repeated"]


def test_a_thousand_events_are_a_handful_of_statements(
    shop: Caller, ada: Contact, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    rows = [{**ORDER, "contact": {"id": ada.pk}, "key": f"k{n}"} for n in range(1_000)]
    with django_assert_max_num_queries(25):
        assert shop.post("events/batch", {"events": rows}).json()["recorded"] == 1_000
    assert shop.post("events/batch", {"events": [*rows, rows[0]]}).status_code == 422


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["", "Bearer ", "Bearer mr_forged", "Basic YTpi", "Bearer " + "x" * 9000, "mr_x"]
)
def test_without_a_known_key_nothing_happens(shop: Caller, ada: Contact, header: str) -> None:
    before = fingerprint(shop.tenant.pk)
    answer = shop.post("events", ORDER, authorization=header)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer.json()["title"] == "Unauthorized"
    assert fingerprint(shop.tenant.pk) == before


def test_a_revoked_key_is_as_good_as_none(shop: Caller, ada: Contact, alice: Person) -> None:
    with tenant_scope(shop.tenant.pk):
        revoke_api_key(key_id=shop.key.pk, actor=alice.user, now=LAST_MONDAY)
    assert not ApiKeyLookup.objects.exists()
    assert shop.post("events", ORDER).status_code == 401
    assert events(shop.tenant) == []


def test_a_lookup_that_was_left_behind_does_not_revive_a_revoked_key(shop: Caller, ada: Contact) -> None:
    with tenant_scope(shop.tenant.pk):
        ApiKey.objects.update(revoked_at=LAST_MONDAY)
    assert shop.post("events", ORDER).status_code == 401


def test_the_secret_is_kept_nowhere(shop: Caller) -> None:
    with tenant_scope(shop.tenant.pk):
        kept = [*ApiKey.objects.values(), *ApiKeyLookup.objects.values(), *AuditEntry.objects.values()]
    assert shop.secret not in str(kept)
    assert ApiKeyLookup.objects.get().digest == digest_of(shop.secret)


def test_a_key_reaches_nothing_of_another_tenant(shop: Caller, ada: Contact, charlie: Person) -> None:
    stranger = Caller(charlie, ALL)
    before = fingerprint(shop.tenant.pk)
    for body in (ORDER, {**ORDER, "contact": {"id": ada.pk}}):
        assert stranger.post("events", body).status_code == 404
    made = stranger.post(
        "contacts", {"email": "ada@post.test", "fields": {"contact.job_title": "Spy"}}
    ).json()
    assert (made["created"], made["id"] != ada.pk) == (True, True)
    assert stranger.post("flows/1/contacts", {"contacts": [{"id": ada.pk}]}).status_code == 404
    assert fingerprint(shop.tenant.pk) == before


def test_the_same_idempotency_key_of_another_tenant_is_another_one(
    shop: Caller, ada: Contact, charlie: Person
) -> None:
    stranger = Caller(charlie, ALL)
    with tenant_scope(stranger.tenant.pk):
        make_contact(last_name="Ada", email="ada@post.test")
    for caller in (shop, stranger):
        assert caller.post("events", {**ORDER, "key": "o-1"}).json() == {"status": "recorded"}


@pytest.mark.parametrize(
    ("scope", "path", "body"),
    [
        ("contacts", "events", ORDER),
        ("contacts", "events/batch", {"events": [ORDER]}),
        ("events", "contacts", {"email": "ada@post.test"}),
        ("events", "flows/1/contacts", {"contacts": [{"id": 1}]}),
    ],
)
def test_a_key_does_only_what_it_may(alice: Person, scope: str, path: str, body: dict[str, Any]) -> None:
    caller = Caller(alice, [scope])
    answer = caller.post(path, body)
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["detail"].startswith("This key may not: ")


def test_more_than_a_minutes_share_is_told_to_wait(shop: Caller, ada: Contact, settings: Settings) -> None:
    settings.API_RATE = 2
    answers = [shop.post("events", ORDER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1]["Retry-After"] == "60"
    assert len(events(shop.tenant)) == 2


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 422),
        ("{", 400),
        ("[1]", 422),
        ("null", 422),
        ('{"name": "x", "contact": {"id": 1}, "data": {"n": NaN}}', 400),
        ('{"name": "x", "contact": {"id": 1}, "data": {"n": 1e999}}', 422),
        ('{"name": "x", "contact": {"id": 1}, "data": ' + '{"a":' * 5_000 + "1" + "}" * 5_001, 400),
        ('{"name": "x", "contact": {"id": 1}, "data": {"a": "\\ud800"}}', 422),
        ('{"name": "a\\u0000b", "contact": {"id": 1}}', 422),
        ('{"name": " a", "contact": {"id": 1}}', 422),
        ('{"name": "\\ud800", "contact": {"id": 1}}', 422),
        ({**ORDER, "name": "x" * 81}, 422),
        ({**ORDER, "name": ""}, 422),
        ({**ORDER, "key": "x" * 81}, 422),
        ({**ORDER, "data": {"a": "x" * 8_192}}, 422),
        ({**ORDER, "data": [1]}, 422),
        ({**ORDER, "at": "2026-11-20T08:00:00"}, 422),
        ({**ORDER, "at": "2999-01-01T00:00:00Z"}, 422),
        ({**ORDER, "at": "0001-01-01T00:00:00Z"}, 422),
        ({**ORDER, "contact": {}}, 422),
        ({**ORDER, "contact": {"id": 1, "email": "a@b.test"}}, 422),
        ({**ORDER, "contact": {"id": 2**63}}, 422),
        ({**ORDER, "contact": {"id": -1}}, 422),
        ({**ORDER, "contact": {"email": "a@b.test\nBcc: c@d.test"}}, 422),
        ({**ORDER, "tenant_id": 1}, 422),
        (b"\xff\xfe", 400),
    ],
)
def test_what_makes_no_sense_is_a_problem_and_leaves_nothing(
    shop: Caller, ada: Contact, body: Any, status: int
) -> None:
    answer = shop.post("events", body)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert events(shop.tenant) == []


def test_a_problem_points_at_what_is_wrong(shop: Caller) -> None:
    body = {"events": [ORDER, {**ORDER, "contact": {"email": "nobody"}}]}
    [error] = shop.post("events/batch", body).json()["errors"]
    assert error["pointer"] == "/events/1/contact/email"
    assert "no email address" in error["detail"]


def test_a_body_that_is_too_large_is_refused_unread(shop: Caller, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    answer = shop.post("events", {**ORDER, "data": {"a": "x" * 2_000}})
    assert (answer.status_code, answer["Content-Type"]) == (413, "application/problem+json")


@pytest.mark.parametrize(
    "evil", ["'; DROP TABLE crm_event; --", "<script>", "{{ 7 * 7 }}", "100%", "a\\", "🦊"]
)
def test_names_and_data_are_values_and_nothing_else(shop: Caller, ada: Contact, evil: str) -> None:
    body = {"name": evil, "contact": {"id": ada.pk}, "data": {evil: evil}, "key": evil}
    assert shop.post("events", body).json() == {"status": "recorded"}
    [event] = events(shop.tenant)
    assert (event.object_key, event.data) == (evil, {"name": evil, "data": {evil: evil}})


def test_the_description_is_served_and_there_is_no_page_with_foreign_scripts() -> None:
    described = Client().get("/api/v1/openapi.json").json()
    assert set(described["paths"]) == {
        "/api/v1/events",
        "/api/v1/events/batch",
        "/api/v1/contacts",
        "/api/v1/flows/{flow_id}/contacts",
    }
    assert Client().get("/api/v1/docs").status_code == 404


# --- contacts ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_created_and_then_updated_by_its_address(shop: Caller) -> None:
    with tenant_scope(shop.tenant.pk):
        CustomField.objects.create(on="contact", key="size", name="Size", type="number")
        golf = make_item("interest", "Golf")
        prospect = ListItem.objects.filter(list="category").earliest("pk")
    body = {
        "email": "Grace@post.test",
        "company": "Navy",
        "fields": {
            "contact.first_name": "Grace",
            "contact.custom.size": 42.5,
            "contact.interests": ["golf"],
            "contact.category": prospect.name.upper(),
            "contact.former_employee": False,
        },
        "consent": {"given": True, "source": "Shop"},
    }
    made = shop.post("contacts", body).json()
    again = shop.post("contacts", {"email": "GRACE@POST.TEST", "fields": {"contact.first_name": None}}).json()
    assert (made["created"], again) == (True, {"id": made["id"], "created": False})
    with tenant_scope(shop.tenant.pk):
        contact = Contact.objects.get(pk=made["id"])
        assert (contact.first_name, contact.email, contact.origin) == ("", "Grace@post.test", "api")
        assert contact.company is not None
        assert (contact.company.name, contact.company.category_id) == ("Navy", prospect.pk)
        assert ContactInterest.objects.get(contact=contact).item_id == golf.pk
        assert Consent.objects.get(contact=contact).given
        kinds = Event.objects.filter(contact_id=contact.pk).order_by("id").values_list("kind", "origin")
        assert list(kinds) == [
            ("contact.created", "api"),
            ("consent.given", "api"),
            ("contact.updated", "api"),
        ]


def test_the_oldest_of_several_contacts_is_updated(shop: Caller, ada: Contact) -> None:
    with tenant_scope(shop.tenant.pk):
        make_contact(last_name="Twin", email="ada@post.test")
    answer = shop.post("contacts", {"email": "ada@post.test", "fields": {"contact.job_title": "Countess"}})
    assert answer.json() == {"id": ada.pk, "created": False}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("contact.email", "other@post.test"),
        ("contact.nothing", 1),
        ("tenant_id", 1),
        ("contact.category", "No such category"),
        ("contact.category", 999_999),
        ("contact.interests", "Golf"),
        ("contact.former_employee", "yes"),
        ("contact.date_of_birth", "soon"),
        ("contact.country", "XX"),
        ("contact.job_title", {"a": 1}),
        ("contact.our_contact", "charlie@globex.test"),
    ],
)
def test_a_value_that_is_none_is_named_and_nothing_is_written(
    shop: Caller, charlie: Person, key: str, value: Any
) -> None:
    answer = shop.post(
        "contacts", {"email": "x@post.test", "fields": {key: value, "contact.first_name": "X"}}
    )
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/fields/{key}"]
    with tenant_scope(shop.tenant.pk):
        assert not Contact.objects.filter(email_norm="x@post.test").exists()
