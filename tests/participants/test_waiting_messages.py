"""View flow says which messages wait for a channel that does not work: on the Summary and on the step."""

from __future__ import annotations

import pytest

from delivery.models import ChannelHold, Message
from tests.fixtures.people import Person
from tests.participants.conftest import NOW
from tests.participants.pages import add_people, make_stage


@pytest.mark.django_db
def test_the_summary_and_the_step_say_how_many_wait_why_and_what_to_do(alice: Person) -> None:
    stage = make_stage(alice)
    add_people(stage)
    with stage.scope():
        number = Message.objects.filter(step_id=stage.welcome.id).update(status="queued", reserved_by=None)
        assert number == 3
        ChannelHold.objects.create(
            channel="email", cause="sign_in", said="535 <b>no</b>", since=NOW, retry_at=NOW
        )
    client = alice.client()
    page = " ".join(client.get(stage.url()).content.decode().split())
    assert "3 messages wait:" in page
    assert "The mail server refuses our sign-in" in page
    assert "535 &lt;b&gt;no&lt;/b&gt;" in page
    panel = " ".join(
        client.get(stage.url("canvas/part/"), {"part": f"step:{stage.welcome.id}"}).content.decode().split()
    )
    assert "3 messages of this step wait:" in panel
    other = client.get(stage.url("canvas/part/"), {"part": f"step:{stage.wait.id}"}).content.decode()
    assert "of this step wait" not in other
