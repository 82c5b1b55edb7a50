"""Amazon SES by boto3's own client against a server that answers as it does; and what SNS posts, real and forged."""

from __future__ import annotations

import datetime as dt
import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_django import Settings

from delivery import sns as checking
from delivery.channels import provider as channel_module
from delivery.channels.base import Outcome
from delivery.models import BlockedAddress, ChannelHold, EmailConnector, Message
from delivery.operations.email_connector import connect_provider
from delivery.waiting import waiting_messages
from tests.delivery.conftest import NOW, House
from tests.delivery.test_provider_channel import GIVEN, hand, mail
from tests.delivery.test_provider_events import Wire
from tests.fixtures.people import Person
from tests.support import sns
from tests.support.email_providers import KEY, EmailProviders
from tests.support.provider_events import event_body, sent_by

pytestmark = pytest.mark.django_db(transaction=True)
SES = "amazon_ses"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """Forget certificates between tests."""
    checking._kept.clear()
    yield
    checking._kept.clear()


@pytest.fixture
def wire(house: House, alice: Person, providers: EmailProviders) -> Wire:
    return Wire(house, alice, providers, SES)


def answers(
    providers: EmailProviders, status: int, kind: str, words: str = "said so", **headers: str
) -> None:
    """Let SES answer so."""
    told = {"x-amzn-ErrorType": kind, **headers}
    providers.answers["ada@post.test"] = (status, {"message": words}, told)


# --- handing over ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "words", "outcome", "cause"),
    [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Outcome.DOWN, "busy"),
        (400, "LimitExceededException", "Daily message quota exceeded.", Outcome.DOWN, "busy"),
        (400, "AccountSuspendedException", "Suspended.", Outcome.DOWN, "suspended"),
        (400, "SendingPausedException", "Sending is paused.", Outcome.DOWN, "suspended"),
        (404, "NotFoundException", "Configuration set <x> does not exist.", Outcome.DOWN, "sign_in"),
        (403, "AccessDeniedException", "is not authorized to perform ses:SendEmail", Outcome.DOWN, "sign_in"),
        (403, "UnrecognizedClientException", "The security token is invalid.", Outcome.DOWN, "sign_in"),
        (400, "MailFromDomainNotVerifiedException", "Not verified.", Outcome.SENDER, ""),
        (400, "MessageRejected", "Email address is not verified.", Outcome.SENDER, ""),
        (400, "MessageRejected", "Message contains a virus.", Outcome.FAILED, ""),
        (400, "BadRequestException", "Local address contains control or whitespace", Outcome.FAILED, ""),
        (500, "InternalFailure", "", Outcome.UNKNOWN, ""),
        (503, "ServiceUnavailable", "", Outcome.DOWN, "busy"),
    ],
)
def test_what_ses_says_is_told_by_whose_fault_it_is(
    providers: EmailProviders, status: int, kind: str, words: str, outcome: Outcome, cause: str
) -> None:
    answers(providers, status, kind, words)
    result = hand(SES, mail())
    assert (result.outcome, result.cause) == (outcome, cause)
    assert words in result.said
    # boto3 tries nothing again by itself.
    assert (providers.asked, providers.mails) == (1, [])


def test_nothing_of_the_machine_decides_where_it_goes_or_by_which_key(
    providers: EmailProviders, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://127.0.0.1:9\nregion = us-east-2\n")
    for name, value in {
        "AWS_PROFILE": "nobody", "AWS_ACCESS_KEY_ID": "AKIAOTHER", "AWS_SECRET_ACCESS_KEY": "other",
        "AWS_SESSION_TOKEN": "other", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "5",
        "AWS_ENDPOINT_URL_SESV2": "http://127.0.0.1:9", "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert hand(SES, mail()).outcome is Outcome.SENT
    answers(providers, 500, "InternalFailure")
    hand(SES, mail())
    assert providers.asked == 2


def test_the_configuration_set_goes_along_and_none_where_there_is_none(providers: EmailProviders) -> None:
    hand(SES, mail(), configuration_set="mill")
    hand(SES, mail())
    assert [taken.raw.get("ConfigurationSetName") for taken in providers.mails] == ["mill", None]


def test_too_fast_holds_the_channel_and_nobody_loses_a_try(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    with house.scope():
        connect_provider(provider=SES, given=GIVEN[SES], connections=1, actor=alice.user, now=NOW)
    ids = house.queue(*(house.contact(name) for name in ("Ada", "Bea", "Cid")))
    answers(providers, 429, "TooManyRequestsException", "Maximum sending rate exceeded.")
    house.send()
    assert providers.asked == 1
    with house.scope():
        assert ChannelHold.objects.get().cause == "busy"
        assert waiting_messages(now=NOW)[0].words == "Amazon SES takes nothing at the moment"
    providers.answers.clear()
    for minute in range(1, 9):
        house.send(now=NOW + minute * dt.timedelta(minutes=1))
    rows = [house.message(one) for one in ids]
    assert [(row.status, row.attempts) for row in rows] == [("sent", 1)] * 3
    assert sorted(taken.to for taken in providers.mails) == [f"{n}@post.test" for n in ("ada", "bea", "cid")]


def test_silence_after_the_hand_over_is_unknown_until_ses_tells(
    house: House,
    alice: Person,
    providers: EmailProviders,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = Wire(house, alice, providers, SES)
    providers.hang.add("bea@post.test")
    [hung] = house.queue(house.contact("Bea"))
    house.send()
    token = providers.mails[-1].metadata["millrace"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_API_URL = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(channel_module, "TIMEOUT", 0.2)
        [late] = house.queue(house.contact("Cid"))
        house.send()
    settings.EMAIL_API_URL = providers.address
    assert [house.message(one).status for one in (hung, late)] == ["unknown", "unknown"]
    for hour in (1, 24, 48):
        house.send(now=NOW + hour * dt.timedelta(hours=1))
    assert [taken.to for taken in providers.mails] == ["ada@post.test", "bea@post.test"]
    assert wire.tell("delivered", token=token) == 200
    assert house.message(hung).status == "delivered"


# --- what SNS posts ----------------------------------------------------------------------------------------------


def post(wire: Wire, told: dict[str, str]) -> int:
    body = json.dumps(told).encode()
    return wire.post(body, sns.headers(body))


def hard(wire: Wire) -> dict[str, str]:
    told: dict[str, str] = json.loads(event_body(SES, "hard", wire.token))
    return told


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_kinds_of_signature_are_checked(wire: Wire, version: str) -> None:
    assert post(wire, sns.message(hard(wire)["Message"], version=version)) == 200
    assert wire.state == "bounced"


FORGED: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "another key": lambda told: sns.signed(told, key=rsa.generate_private_key(public_exponent=65537, key_size=2048)),
    "changed after signing": lambda told: {**told, "Message": told["Message"].replace("Permanent", "Permanent ")},
    "no signature": lambda told: {**told, "Signature": ""},
    "not a signature": lambda told: {**told, "Signature": "ä$"},
    "an unknown version": lambda told: {**told, "SignatureVersion": "3"},
    "the signature of version 1 told as 2": lambda told: {**told, "SignatureVersion": "1"},
    "of another account's topic": lambda told: sns.message(told["Message"], TopicArn=sns.TOPIC[:-1] + "x"),
    "a certificate of somebody's": lambda told: sns.message(told["Message"], SigningCertURL=f"https://evil.test{sns.PATH}"),
    "a bucket that is named sns": lambda told: sns.message(
        told["Message"], SigningCertURL=f"https://sns.s3-eu-west-1.amazonaws.com{sns.PATH}"
    ),
    "a host before the host": lambda told: sns.message(
        told["Message"], SigningCertURL=f"https://sns.eu-west-1.amazonaws.com@evil.test{sns.PATH}"
    ),
    "a host after the host": lambda told: sns.message(
        told["Message"], SigningCertURL=f"https://sns.eu-west-1.amazonaws.com.evil.test{sns.PATH}"
    ),
    "another port": lambda told: sns.message(told["Message"], SigningCertURL=f"{sns.HOST}:8443{sns.PATH}"),
    "another region": lambda told: sns.message(
        told["Message"], SigningCertURL=f"https://sns.us-east-1.amazonaws.com{sns.PATH}"
    ),
    "without encryption": lambda told: sns.message(
        told["Message"], SigningCertURL=f"http://sns.eu-west-1.amazonaws.com{sns.PATH}"
    ),
    "another page of SNS": lambda told: sns.message(told["Message"], SigningCertURL=f"{sns.HOST}/other.pem"),
    "an answer of SNS": lambda told: sns.message(told["Message"], SigningCertURL=f"{sns.HOST}/?Action=X&y={sns.PATH}"),
    "no address": lambda told: sns.message(told["Message"], SigningCertURL="https://[sns"),
    "another type": lambda told: sns.message(told["Message"], Type="Other"),
    "three hours ago": lambda told: sns.message(told["Message"], Timestamp=moment(-3)),
    "an hour ahead": lambda told: sns.message(told["Message"], Timestamp=moment(1)),
    "without a time": lambda told: sns.message(told["Message"], Timestamp="yesterday"),
    "a time without zone": lambda told: sns.message(told["Message"], Timestamp=moment(0)[:19]),
}  # fmt: skip


def moment(hours: float) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize("how", FORGED)
def test_what_is_forged_or_too_old_is_refused(wire: Wire, providers: EmailProviders, how: str) -> None:
    providers.pages["/other.pem"] = sns.CERTIFICATE
    assert post(wire, FORGED[how](hard(wire))) == 403
    assert (wire.state, wire.events) == ("sent", [])
    assert set(providers.got) <= {sns.PATH}
    # The same, as it should be, counts.
    assert post(wire, hard(wire)) == 200
    assert wire.state == "bounced"


def test_a_replayed_message_changes_nothing(wire: Wire) -> None:
    told, complaint = hard(wire), json.loads(event_body(SES, "complained", wire.token))
    assert [post(wire, told), post(wire, told), post(wire, complaint), post(wire, told)] == [200] * 4
    assert wire.events.count("message.bounced") == 1
    with wire.house.scope():
        BlockedAddress.objects.all().delete()
    # Unblocked since: the old bounce does not block it again.
    post(wire, told)
    with wire.house.scope():
        assert not BlockedAddress.objects.exists()


def test_a_certificate_is_got_once_and_one_that_ended_is_none(wire: Wire, providers: EmailProviders) -> None:
    for kind in ("delivered", "opened", "hard"):
        assert wire.tell(kind) == 200
    assert providers.got == [sns.PATH]
    checking._kept.clear()
    providers.pages[sns.PATH] = sns.certificate(days=-1)
    assert wire.tell("complained") == 403
    providers.pages[sns.PATH] = b"no certificate"
    checking._kept.clear()
    assert wire.tell("complained") == 403
    providers.pages[sns.PATH] = sns.CERTIFICATE + b" " * 30_000
    assert wire.tell("complained") == 503
    assert wire.state == "bounced"


def test_while_amazon_cannot_be_asked_the_message_comes_again(wire: Wire, providers: EmailProviders) -> None:
    del providers.pages[sns.PATH]
    assert wire.tell("hard") == 503
    assert wire.state == "sent"
    providers.pages[sns.PATH] = sns.CERTIFICATE
    assert wire.tell("hard") == 200
    assert wire.state == "bounced"


def test_only_the_accounts_own_topic_is_told_to_begin(wire: Wire, providers: EmailProviders) -> None:
    providers.pages["/"] = b"<ConfirmSubscriptionResponse/>"
    confirm = sns.message("You have chosen to subscribe", kind="SubscriptionConfirmation",
                          SubscribeURL="http://169.254.169.254/latest/meta-data")  # fmt: skip
    other = sns.message(
        "You have chosen", kind="SubscriptionConfirmation", TopicArn=sns.TOPIC.replace("1234", "4321")
    )
    forged = {**confirm, "Token": "u" * 64}
    assert [post(wire, told) for told in (other, forged)] == [403, 403]
    assert providers.got in ([], [sns.PATH])
    assert post(wire, confirm) == 200
    # Not where the message says, but where SNS is.
    assert providers.got[-1].startswith(
        "/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A"
    )
    assert providers.got[-1].endswith("&Token=" + "t" * 64)
    del providers.pages["/"]
    assert post(wire, confirm) == 503
    note = sns.message("Successfully validated SNS topic for Amazon SES event publishing.")
    gone = sns.message("You have left", kind="UnsubscribeConfirmation")
    assert [post(wire, told) for told in (note, gone)] == [200, 200]
    assert (wire.state, wire.events) == ("sent", [])


def test_the_certificate_is_not_got_from_within_our_own_network(
    wire: Wire, providers: EmailProviders, settings: Settings
) -> None:
    """Whatever its name leads to."""
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    assert wire.tell("hard") == 503
    assert providers.got == []


def test_without_a_topic_nothing_is_believed(house: House, alice: Person, providers: EmailProviders) -> None:
    wire = Wire(house, alice, providers, SES)
    with house.scope():
        connect_provider(provider=SES, given=GIVEN[SES], actor=alice.user, now=NOW)
    assert wire.tell("hard") == 403
    shown = alice.client().get(alice.url("settings/connectors/email/")).content.decode()
    assert "as long as “ARN of the SNS topic” is missing" in shown


@pytest.mark.parametrize("kind", ["UnsubscribedRecipient", "General"])
def test_who_unsubscribed_at_the_provider_is_no_bad_address(wire: Wire, kind: str) -> None:
    told = json.loads(hard(wire)["Message"])
    told["bounce"]["bounceSubType"] = kind
    assert post(wire, sns.message(json.dumps(told))) == 200
    assert wire.state == ("bounced" if kind == "General" else "soft_bounced")


def test_a_report_that_a_mail_is_no_spam_is_no_complaint(wire: Wire) -> None:
    told = json.loads(json.loads(event_body(SES, "complained", wire.token))["Message"])
    told["complaint"]["complaintFeedbackType"] = "not-spam"
    assert post(wire, sns.message(json.dumps(told))) == 200
    assert wire.state == "sent"


# --- the account --------------------------------------------------------------------------------------------------


def test_the_account_is_asked_for_what_ses_needs_and_odd_things_are_refused_at_their_place(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    client, url = alice.client(), alice.url("settings/connectors/email/amazon_ses/")
    given = {**GIVEN[SES], "topic_arn": sns.TOPIC, "configuration_set": "mill", "connections": "4"}
    for name, odd in {
        "topic_arn": "https://sns.eu-west-1.amazonaws.com", "access_key_id": "my key", "configuration_set": "a b",
        "region": "mars-1",
    }.items():  # fmt: skip
        page = client.post(url, {**given, name: odd})
        assert page.status_code == 422
        assert page.context["form"].errors.keys() == {name}
    assert client.post(url, given).status_code == 302
    with house.scope():
        row = EmailConnector.objects.get()
    assert KEY not in row.secrets + json.dumps(row.options)
    [message_id] = house.queue(house.contact("Ada"))
    house.send()
    assert house.message(message_id).status == Message.Status.SENT
    assert providers.mails[0].raw["ConfigurationSetName"] == "mill"
    body = event_body(SES, "delivered", providers.mails[0].metadata["millrace"])
    assert sent_by(SES, "", body)["X-Amz-Sns-Message-Type"] == "Notification"
