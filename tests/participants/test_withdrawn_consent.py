"""A tenant that asks for no consent still hears a no."""

from __future__ import annotations

import pytest

from delivery.models import Message
from flows.document import MessageSettings, StepNode
from tests.participants.conftest import World, send


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_the_switch_stops_asking_for_a_yes_and_never_overlooks_a_no(world: World, channel: str) -> None:
    world.tenant.consent_required = False
    world.tenant.save()
    people = [
        world.contact("Never", consent=None, mobile="+4712345671"),
        world.contact("Yes", consent=True, mobile="+4712345672"),
        world.contact("No", consent=False, mobile="+4712345673"),
    ]
    text = StepNode(kind="send_sms", title="Send", settings={"text": "Hi", "if_cannot": "exit"})
    flow = world.flow(send(world.email()) if channel == "email" else text)
    world.suggest(flow, *people)
    world.advance(flow)
    went = list(Message.objects.order_by("id").values_list("contact_id", flat=True))
    assert went == [people[0].pk, people[1].pk]
    one = world.one(flow, people[2])
    assert (one.drop_reason, (one.drop_values or {})["consent"]) == ("no_consent", "withdrawn")


def test_a_flow_that_overrides_lifts_it(world: World) -> None:
    world.tenant.consent_required = False
    world.tenant.save()
    overrides = MessageSettings(subscription_type=world.news.pk, override_consent=True)
    flow = world.flow(send(world.email()), settings={"messages": overrides})
    world.suggest(flow, world.contact("No", consent=False))
    world.advance(flow)
    assert world.messages() == [("no@post.test", "queued")]
