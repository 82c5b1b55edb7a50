"""STOP and START as people write them, and the account: its token goes in and never comes out."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry, Tenant
from core.secrets import SecretLost, unseal
from core.tenancy import tenant_scope
from crm.models import Event
from delivery.models import SmsConnector, SmsOptOut
from delivery.operations.connectors import BadSenders, TokenMissing, connect_sms
from delivery.sms import reply_address
from tests.delivery.conftest import NOW, House
from tests.delivery.sms_house import connected as connected
from tests.delivery.sms_house import events, queue, reply, someone
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID, TOKEN, Twilio, post_signed
from trial.sms_sink import sign

# --- replies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["STOP", " stop ", "Stop.", "Unsubscribe", "quit!", "END", "Opt out", "stopall"]
)
def test_stop_and_its_synonyms_opt_the_number_out_once(house: House, text: str) -> None:
    ada, twin = someone(house), someone(house, name="Twin")
    someone(house, "+4791234568", name="Other")
    assert [reply(house, ada.mobile, text) for _ in range(2)] == [200, 200]
    with house.scope():
        [row] = SmsOptOut.objects.all()
        told = Event.objects.filter(kind="sms.opted_out").values_list("contact_id", flat=True)
        assert sorted(told) == sorted([ada.pk, twin.pk])
    assert (row.number, row.source, row.at.date()) == (ada.mobile, "reply", row.at.date())


@pytest.mark.parametrize("text", ["", "HELP", "Please stop by tomorrow", "Don't stop", "🛑", "STOP " * 60])
def test_a_reply_that_only_holds_the_word_is_no_stop(house: House, text: str) -> None:
    reply(house, "+4791234567", text)
    with house.scope():
        assert not SmsOptOut.objects.exists()


def test_start_lets_sms_go_again(house: House, twilio: Twilio) -> None:
    ada = someone(house)
    reply(house, ada.mobile, "STOP")
    reply(house, ada.mobile, "start")
    queue(house, ada)
    house.send()
    assert len(twilio.sent) == 1
    assert events(house)[:2] == ["sms.opted_out", "sms.opted_in"]


def test_what_twilios_own_opt_out_management_understood_counts_in_every_language(house: House) -> None:
    reply(house, "+4791234567", "Stopp bitte", OptOutType="STOP")
    with house.scope():
        assert SmsOptOut.objects.get().number == "+4791234567"


def test_a_forged_reply_is_refused_and_nothing_happens(house: House, globex: Tenant) -> None:
    address = reply_address(house.tenant.pk)
    fields = {"AccountSid": SID, "From": "+4791234567", "Body": "STOP"}
    elsewhere = reply_address(globex.pk)
    assert post_signed(address, fields, sign("guess", address, fields)) == 403
    assert post_signed(elsewhere, fields, sign(TOKEN, elsewhere, fields)) == 403, "no account there"
    assert post_signed(f"{address}x", fields, sign(TOKEN, f"{address}x", fields)) == 403
    with house.scope():
        assert not SmsOptOut.objects.exists()


def test_stop_at_one_tenant_is_no_stop_at_another(house: House, globex: Tenant) -> None:
    reply(house, "+4791234567", "STOP")
    with tenant_scope(globex.pk):
        assert not SmsOptOut.objects.exists()


# --- the account --------------------------------------------------------------------------------------------------


def test_the_token_is_sealed_in_the_database_and_shown_on_no_page(house: House, alice: Person) -> None:
    with house.scope():
        [row] = SmsConnector.objects.values()
    assert TOKEN not in str(row)
    assert unseal(row["auth_token"], purpose="sms-connector") == TOKEN
    with pytest.raises(SecretLost):
        unseal(row["auth_token"], purpose="webhook")
    page = alice.client().get(alice.url("settings/connectors/sms/"))
    assert TOKEN not in page.content.decode()
    assert row["auth_token"] not in page.content.decode()
    with house.scope():
        assert not AuditEntry.objects.filter(payload__icontains=TOKEN).exists()


def test_an_empty_token_keeps_the_old_one_but_not_for_another_account(house: House, alice: Person) -> None:
    client, url = alice.client(), alice.url("settings/connectors/sms/")
    answer = client.post(url, {"account_sid": SID, "auth_token": "", "senders": "Acme\nAcme\n\n+4759440000"})
    assert answer.status_code == 302
    with house.scope():
        connector = SmsConnector.objects.get()
    assert (connector.senders, unseal(connector.auth_token, purpose="sms-connector")) == (
        ["Acme", "+4759440000"],
        TOKEN,
    )
    other = client.post(url, {"account_sid": "AC" + "1" * 32, "auth_token": "", "senders": "Acme"})
    assert (other.status_code, "Give the account" in other.content.decode()) == (422, True)


@pytest.mark.parametrize("senders", [[], [" "], ["Acme", "a name too long"], ["12"], ["+0123"], ["Evil\nX"]])
def test_a_sender_that_twilio_would_not_take_is_refused(
    house: House, alice: Person, senders: list[str]
) -> None:
    with house.scope(), pytest.raises(BadSenders):
        connect_sms(account_sid=SID, auth_token="", senders=senders, actor=alice.user, now=NOW)


def test_a_first_account_needs_its_token(house: House, alice: Person) -> None:
    with house.scope():
        SmsConnector.objects.all().delete()
        with pytest.raises(TokenMissing):
            connect_sms(account_sid=SID, auth_token="", senders=["Acme"], actor=alice.user, now=NOW)


def test_disconnecting_forgets_the_token(house: House, alice: Person) -> None:
    alice.client().post(alice.url("settings/connectors/sms/disconnect/"))
    with house.scope():
        assert not SmsConnector.objects.exists()


def test_numbers_that_replied_stop_are_listed_and_searched(house: House, alice: Person) -> None:
    for number in ("+4791234567", "+4477123456"):
        reply(house, number, "STOP")
    client, url = alice.client(), alice.url("settings/connectors/sms/opt-outs/")
    assert all(n in client.get(url).content.decode() for n in ("+4791234567", "+4477123456"))
    found = client.get(url, {"q": "47912"}).content.decode()
    assert ("+4791234567" in found, "+4477123456" in found) == (True, False)
