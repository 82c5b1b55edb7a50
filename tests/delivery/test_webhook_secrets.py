"""Secrets of webhooks: sent, never shown, never another tenant's."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, Tenant
from core.tenancy import tenant_scope
from crm.models import Usage
from delivery.models import OutgoingWebhook, WebhookSecret
from delivery.operations.webhook_secrets import SecretRefused, keep_secret
from delivery.operations.webhooks import send_webhooks
from tests.delivery.conftest import NOW, House
from tests.delivery.webhook_house import queue
from tests.fixtures.people import Person
from tests.fixtures.receiver import Receiver


def test_secrets_and_the_signing_key_are_shown_on_no_page_after_they_were_made(
    house: House, alice: Person
) -> None:
    client_, url = alice.client(), alice.url("settings/connectors/webhooks/")
    assert client_.post(url, {"name": "crm", "value": "tell-nobody"}).status_code == 302
    page = client_.get(url).content.decode()
    assert ("$crm" in page, "tell-nobody" in page) == (True, False)
    made = client_.post(f"{url}signing-key/")
    key = made.content.decode().split("<code>whsec_")[1].split("<")[0]
    assert "no-store" in made["Cache-Control"]
    assert key not in client_.get(url).content.decode()
    with house.scope():
        assert not AuditEntry.objects.filter(payload__icontains=key).exists()


def test_a_secret_that_a_step_names_is_not_deleted(house: House, alice: Person) -> None:
    with house.scope():
        secret = keep_secret(name="crm", value="x", actor=alice.user, now=NOW)
        Usage.objects.create(
            used_kind="webhook_secret",
            used_id=secret.pk,
            user_kind="flow",
            user_id=1,
            user_name="Welcome",
            url="/x",
        )
    url = alice.url(f"settings/connectors/webhooks/{secret.pk}/delete/")
    answer = alice.client().post(url)
    assert (answer.status_code, "Welcome" in answer.content.decode()) == (409, True)
    with house.scope():
        Usage.objects.all().delete()
    assert alice.client().post(url).status_code == 302
    with house.scope():
        assert not WebhookSecret.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"), [("", "x"), ("a b", "x"), ("a", ""), ("a", "x\r\nY: 1"), ("a", "ü"), ("a", " x")]
)
def test_a_secret_that_could_not_be_sent_is_refused(
    house: House, alice: Person, name: str, value: str
) -> None:
    with house.scope(), pytest.raises(SecretRefused):
        keep_secret(name=name, value=value, actor=alice.user, now=NOW)


def test_a_webhook_of_one_tenant_is_nobody_elses(house: House, receiver: Receiver, globex: Tenant) -> None:
    queue(house, house.contact(), url=receiver.url())
    assert send_webhooks(tenant_id=globex.pk, now=NOW).tried == 0
    with tenant_scope(globex.pk):
        assert not OutgoingWebhook.objects.exists()
