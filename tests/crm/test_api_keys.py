"""The page of API keys: shown once, revoked, for administrators only."""

from __future__ import annotations

from django.test import Client

from accounts.models import ApiKey, AuditEntry
from core.tenancy import tenant_scope
from tests.crm.conftest import make_contact
from tests.crm.test_api import ORDER
from tests.fixtures.people import Person


def test_a_key_is_shown_once_and_works_until_it_is_revoked(alice: Person) -> None:
    client, url = alice.client(), alice.url("settings/api-keys/")
    page = client.post(url, {"name": "Shop", "scopes": ["events", "flows"]})
    assert page.status_code == 200
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert secret not in client.get(url).content.decode()
    with tenant_scope(alice.tenant.pk):
        key = ApiKey.objects.get()
        assert (key.scopes, key.prefix) == (["events", "flows"], secret[:8])
        make_contact(last_name="Ada", email="ada@post.test")
    headers = {"authorization": f"Bearer {secret}"}

    def post() -> int:
        sent = Client().post("/api/v1/events", ORDER, content_type="application/json", headers=headers)
        return int(sent.status_code)

    assert post() == 200
    assert client.post(f"{url}{key.pk}/revoke/").status_code == 302
    assert post() == 401
    assert "Revoked" in client.get(url).content.decode()
    with tenant_scope(alice.tenant.pk):
        actions = AuditEntry.objects.filter(object_kind="api_key").order_by("id")
        assert list(actions.values_list("action", flat=True)) == ["api_key.created", "api_key.revoked"]


def test_a_key_needs_a_name_of_its_own_and_something_to_do(alice: Person) -> None:
    client, url = alice.client(), alice.url("settings/api-keys/")
    assert client.post(url, {"name": "Shop"}).status_code == 422
    assert client.post(url, {"name": "Shop", "scopes": ["everything"]}).status_code == 422
    assert client.post(url, {"name": "Shop", "scopes": ["events"]}).status_code == 200
    answer = client.post(url, {"name": "Shop", "scopes": ["events"]})
    assert (answer.status_code, "There is a key" in answer.content.decode()) == (422, True)


def test_only_administrators_see_the_page(bob: Person, charlie: Person, alice: Person) -> None:
    for person in (bob, charlie):
        assert person.client().get(alice.url("settings/api-keys/")).status_code == 404
