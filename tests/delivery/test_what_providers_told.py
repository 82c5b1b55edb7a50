"""What the page of emails says of the provider's side: when it told something last, whether SNS's topic may post."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from core import clock
from delivery.models import EmailConnector
from delivery.operations.email_connector import connect_provider, disconnect_provider
from tests.delivery.conftest import NOW, House
from tests.delivery.test_amazon_ses import _nothing_kept as _nothing_kept
from tests.delivery.test_amazon_ses import hard, post
from tests.delivery.test_provider_channel import GIVEN
from tests.delivery.test_provider_events import SIGNED, Wire
from tests.fixtures.people import Person
from tests.support import sns
from tests.support.email_providers import EmailProviders

pytestmark = pytest.mark.django_db(transaction=True)
WAITS, CONFIRMED, ENDED = "Subscription not confirmed yet", "Subscription confirmed", "Subscription ended"


@pytest.fixture
def ses(house: House, alice: Person, providers: EmailProviders) -> Wire:
    providers.pages["/"] = b"<ConfirmSubscriptionResponse/>"
    return Wire(house, alice, providers, "amazon_ses")


def at(minutes: float) -> str:
    return (clock.now() + dt.timedelta(minutes=minutes)).isoformat()


def begins(**other: str) -> dict[str, str]:
    return sns.message("You have chosen to subscribe", kind="SubscriptionConfirmation", **other)


def ends(**other: str) -> dict[str, str]:
    return sns.message("You have left", kind="UnsubscribeConfirmation", **other)


def shown(alice: Person) -> str:
    text = alice.client().get(alice.url("settings/connectors/email/")).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def said(alice: Person) -> str:
    """The one thing the page says of the topic."""
    [found] = [one for one in (WAITS, CONFIRMED, ENDED) if one in shown(alice)]
    return found


def row(house: House) -> EmailConnector:
    with house.scope():
        return EmailConnector.objects.get()


def test_the_page_says_that_the_topic_may_post_when_and_which(
    ses: Wire, house: House, alice: Person, providers: EmailProviders
) -> None:
    assert said(alice) == WAITS
    assert "Amazon SES has told nothing yet." in shown(alice)
    del providers.pages["/"]
    # Amazon cannot be asked: it is not confirmed, and SNS asks again.
    assert (post(ses, begins()), said(alice)) == (503, WAITS)
    providers.pages["/"] = b"<ConfirmSubscriptionResponse/>"
    before = clock.now()
    assert (post(ses, begins()), said(alice)) == (200, CONFIRMED)
    told = row(house)
    assert told.confirmed_topic == sns.TOPIC
    assert told.topic_confirmed_at is not None
    assert before <= told.topic_confirmed_at <= clock.now()
    assert sns.TOPIC in shown(alice)
    assert "Amazon SES told something last:" in shown(alice)


def test_a_forged_confirmation_and_another_topics_say_nothing(ses: Wire, house: House, alice: Person) -> None:
    other = begins(TopicArn=sns.TOPIC.replace("1234", "4321"))
    assert [post(ses, one) for one in (other, {**begins(), "Token": "u" * 64})] == [403, 403]
    told = row(house)
    assert (told.confirmed_topic, told.topic_confirmed_at, told.heard_at) == ("", None, None)
    assert said(alice) == WAITS


def test_a_topic_that_posts_was_confirmed_by_whomever(ses: Wire, house: House, alice: Person) -> None:
    """By hand at Amazon, or before this was kept."""
    assert post(ses, hard(ses)) == 200
    first = row(house)
    assert (said(alice), first.confirmed_topic) == (CONFIRMED, sns.TOPIC)
    assert post(ses, hard(ses)) == 200
    assert row(house).topic_confirmed_at == first.topic_confirmed_at


def test_a_subscription_that_was_removed_is_said_and_one_made_again_too(ses: Wire, alice: Person) -> None:
    assert post(ses, begins(Timestamp=at(-30))) == 200
    # Written before it began: late or replayed.
    assert (post(ses, ends(Timestamp=at(-20))), said(alice)) == (200, CONFIRMED)
    assert (post(ses, ends(Timestamp=at(2))), said(alice)) == (200, ENDED)
    # A mail's fate that was on its way when it ended.
    late = sns.message(hard(ses)["Message"], Timestamp=at(1))
    assert (post(ses, late), ses.state, said(alice)) == (200, "bounced", ENDED)
    assert (post(ses, sns.message(hard(ses)["Message"], Timestamp=at(3))), said(alice)) == (200, CONFIRMED)
    assert (post(ses, ends(Timestamp=at(5))), said(alice)) == (200, ENDED)
    assert (post(ses, begins()), said(alice)) == (200, CONFIRMED)


def test_another_topic_or_provider_begins_anew(
    ses: Wire, house: House, alice: Person, providers: EmailProviders
) -> None:
    assert post(ses, begins()) == 200
    given = {**GIVEN["amazon_ses"], **SIGNED["amazon_ses"]}

    def connect(provider: str, **given: str) -> None:
        with house.scope():
            connect_provider(provider=provider, given=given, actor=alice.user, now=NOW)

    connect("amazon_ses", **given, configuration_set="mill")
    assert said(alice) == CONFIRMED
    connect("amazon_ses", **given | {"topic_arn": sns.TOPIC + "2"})
    assert (said(alice), row(house).confirmed_topic) == (WAITS, "")
    assert row(house).heard_at is not None
    connect("amazon_ses", **given)
    assert said(alice) == WAITS
    assert post(ses, begins()) == 200
    connect("mailgun", **GIVEN["mailgun"], **SIGNED["mailgun"])
    text = shown(alice)
    assert "Mailgun has told nothing yet." in text
    assert not any(one in text for one in (WAITS, CONFIRMED, ENDED))
    with house.scope():
        disconnect_provider(actor=alice.user, now=NOW)
    assert "told" not in shown(alice)


def test_when_something_was_told_last_is_kept_to_the_minute(
    house: House, alice: Person, providers: EmailProviders
) -> None:
    wire = Wire(house, alice, providers, "brevo")
    assert "Brevo has told nothing yet." in shown(alice)
    assert wire.tell("delivered") == 200
    first = row(house).heard_at
    assert wire.tell("opened") == 200
    assert row(house).heard_at == first
    with house.scope():
        EmailConnector.objects.update(heard_at=clock.now() - dt.timedelta(hours=3))
    assert wire.tell("clicked") == 200
    kept = row(house).heard_at
    assert first is not None
    assert kept is not None
    assert kept > first
