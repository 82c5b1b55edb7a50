"""A real worker's tick finds what waits: an SMS and a webhook that nobody woke."""

from __future__ import annotations

import subprocess

import pytest

from config.embedded.process import wait_until
from delivery.operations.connectors import connect_sms
from tests.delivery.conftest import House
from tests.delivery.sms_house import queue as queue_sms
from tests.delivery.sms_house import someone
from tests.delivery.webhook_house import queue as queue_webhook
from tests.fixtures.people import Person
from tests.fixtures.receiver import Receiver
from tests.fixtures.twilio import SID, TOKEN, Twilio

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_worker_sends_sms_and_webhooks_that_nobody_woke_it_for(
    house: House, alice: Person, twilio: Twilio, receiver: Receiver, worker: subprocess.Popen[bytes]
) -> None:
    with house.scope():
        connect_sms(account_sid=SID, auth_token=TOKEN, senders=["Acme"], actor=alice.user, now=house.now)
    ada = someone(house)
    queue_sms(house, ada)
    [hook] = queue_webhook(house, ada, url=receiver.url())
    assert wait_until(lambda: bool(twilio.sent and receiver.got), seconds=60)
    assert [sms.text for sms in twilio.sent] == ["Hello Ada"]
    assert receiver.got[0].headers["webhook-id"] == f"msg_{hook.uuid.hex}"
