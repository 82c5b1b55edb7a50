"""The Summary says whether a flow is healthy: what is held, late, not sent, and who comes in."""

from __future__ import annotations

import datetime as dt
import re
import uuid

import pytest
from django.core.cache import cache

from content.models import Form, FormSubmission
from crm.models import Usage
from delivery.models import Message, Stream
from flows.models import Flow, FlowOpened
from participants.figures import flow_figures
from participants.models import HeldStep, Participant
from participants.operations import members
from reporting.health import health_of
from tests.fixtures.people import Person
from tests.participants.pages import Stage, add_people, crowd, make_stage
from tests.support.statements import statements

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(bob: Person) -> Stage:
    made = make_stage(bob)
    add_people(made)
    cache.clear()
    with made.scope():
        Message.objects.update(status="sent")
    return made


def signs(stage: Stage, *, hours: float = 0) -> list[tuple[str, str]]:
    with stage.scope() as world:
        flow = Flow.objects.get(pk=stage.flow.pk)
        found = health_of(flow, flow_figures([flow.pk])[flow.pk], now=world.now + dt.timedelta(hours=hours))
    return [(sign.tone, sign.text) for sign in found]


def test_a_flow_without_trouble_is_well(stage: Stage) -> None:
    assert signs(stage) == [
        ("good", "All is well: nobody is held or late, and no message was given up."),
        ("info", "Last entered"),
    ]
    html = stage.person.client().get(stage.url()).content.decode()
    assert "How it is doing" in html
    week = re.search(r'class="health-week.*?</p>', html, re.DOTALL)
    assert week is not None
    assert re.findall(r">(\d+)</a>", week.group()) == ["4", "1", "2"]


def test_held_late_waiting_and_given_up_are_told_the_worst_first(stage: Stage) -> None:
    with stage.scope() as world:
        HeldStep.objects.create(
            flow_id=stage.flow.pk, step_id=stage.wait.id, cause="x", since=world.now, retry_at=world.now
        )
        ids = list(Message.objects.order_by("id").values_list("pk", flat=True))
        Message.objects.filter(pk=ids[0]).update(status="failed")
        Message.objects.filter(pk=ids[1]).update(status="queued", send_at=world.now)
        Message.objects.filter(pk=ids[2]).update(status="soft_bounced")
        Participant.objects.filter(status="active").update(due_at=world.now)
    assert signs(stage, hours=1) == [
        ("bad", "1 participant is held at Wait 2 days"),
        ("warn", "1 participant is late: they were due and have not moved"),
        ("warn", "1 message waits to be sent, some since longer than they should"),
        ("warn", "2 messages could not be delivered"),
        ("info", "Last entered"),
    ]


def test_a_paused_flow_says_what_waits_and_is_not_late(stage: Stage) -> None:
    with stage.scope() as world:
        Message.objects.order_by("id").update(status="queued", send_at=world.now)
    stage.person.client().post(stage.url("pause/"))
    assert signs(stage, hours=48) == [("info", "3 messages wait to be sent: the flow is paused")]


def test_very_many_messages_are_not_counted_to_the_last(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporting.health.MOST_COUNTED", 2)
    with stage.scope() as world:
        Message.objects.order_by("id").update(status="queued", send_at=world.now)
    stage.person.client().post(stage.url("pause/"))
    assert signs(stage, hours=48) == [("info", "More than 2 messages wait to be sent: the flow is paused")]


def test_many_drop_outs_and_silence_are_told(stage: Stage) -> None:
    crowd(stage, 30)
    with stage.scope() as world:
        ids = list(Participant.objects.filter(status="active").values_list("pk", flat=True))
        members.take_out(flow_id=stage.flow.pk, participant_ids=ids, actor=world.user, now=world.now)
    assert signs(stage, hours=24 * 15) == [
        ("warn", "97 % dropped out, most of them: removed by a user"),
        ("info", "Nobody has entered for a while; the last one came"),
    ]


def test_a_draft_has_no_health(bob: Person) -> None:
    made = make_stage(bob, status="not_running")
    with made.scope():
        Flow.objects.filter(pk=made.flow.pk).update(revision=0)
    assert signs(made) == []
    assert "How it is doing" not in bob.client().get(made.url()).content.decode()


def test_the_questions_are_as_many_for_four_as_for_forty(stage: Stage) -> None:
    def asked() -> int:
        client = stage.person.client()
        client.get(stage.url())
        with statements() as seen:
            client.get(stage.url())
        return len(seen)

    crowd(stage, 4)
    few = asked()
    crowd(stage, 40)
    assert asked() == few


def test_any_look_at_a_flow_makes_it_recent_and_what_a_page_asks_by_itself_does_not(
    stage: Stage, bob: Person
) -> None:
    client = bob.client()
    for path in ("canvas/", "reports/", "participants/", "content/"):
        with stage.scope():
            FlowOpened.objects.all().delete()
        assert client.get(stage.url(path)).status_code == 200
        with stage.scope():
            assert FlowOpened.objects.filter(user=bob.user).count() == 1, path
            FlowOpened.objects.all().delete()
    client.get(stage.url("canvas/counts/"), headers={"accept": "application/json"})
    client.get(stage.url("reports/messages/"), headers={"hx-request": "true"})
    with stage.scope():
        assert not FlowOpened.objects.exists()


def test_the_content_has_forms_and_the_way_to_a_new_email(stage: Stage, bob: Person) -> None:
    with stage.scope() as world:
        form = Form.objects.create(
            name="Sign-up <b>",
            stream=Stream.objects.create(name="f"),
            created_at=world.now,
            updated_at=world.now,
        )
        Usage.objects.create(
            used_kind="form", used_id=form.pk, user_kind="flow", user_id=stage.flow.pk, user_name="x",
            place="Trigger", url="/",
        )  # fmt: skip
        for number, status in enumerate(("submitted", "rejected")):
            FormSubmission.objects.create(
                form=form, key=uuid.UUID(int=number), status=status, submitted_at=world.now
            )
    html = bob.client().get(stage.url("content/")).content.decode()
    assert "Sign-up &lt;b&gt;" in html
    assert f'href="{bob.url(f"content/forms/{form.pk}/statistics/")}">2<' in html
    assert re.search(r'<td class="num">1</td>\s*</tr>', html)
    assert f"{bob.url('content/new/')}?flow={stage.flow.pk}" in html


def test_steps_are_found_on_the_read_only_canvas(stage: Stage, bob: Person, rory: Person) -> None:
    def found(words: str) -> list[str]:
        html = bob.client().get(stage.url("canvas/find/"), {"q": words}).content.decode()
        return re.findall(r'data-goto="[^"]+">.*?<b>([^<]+)</b>', html, re.DOTALL)

    assert found("chef") == ["Chef?", "Chefs"]
    assert found("welcome 👋") == ["Welcome"]
    assert len(found("")) == 5
    assert found("<script>") == []
    assert rory.client().get(stage.url("canvas/find/")).status_code == 404


def test_who_is_held_by_the_cap_is_told_and_opened_and_nobody_is_said_to_be_held_by_none(
    stage: Stage, bob: Person
) -> None:
    with stage.scope() as world:
        late = world.one(stage.flow, stage.contacts["Late"])
        Participant.objects.filter(pk=late.pk).update(
            held_reason="frequency cap: had 1 message in 24 hours, at most 1 is allowed",
            due_at=world.now + dt.timedelta(hours=5),
        )
    assert signs(stage) == [
        ("good", "All is well: nobody is late, and no message was given up."),
        ("info", "1 participant is held at Wait 2 days by the frequency cap; it is tried again"),
        ("info", "Last entered"),
    ]
    html = bob.client().get(stage.url()).content.decode()
    assert "nobody is held" not in html
    query = f"status=active&held=cap&step={stage.wait.id}"
    assert f'?{query}"'.replace("&", "&amp;") in html or f'?{query}"' in html
    listed = bob.client().get(stage.url(f"participants/?{query}")).content.decode()
    assert re.findall(r"(\w+)@post\.test</a>", listed) == ["late"]
    assert "Held by the frequency cap" in listed
    for other in ("timeframe", "address", "other"):
        assert "<tr data-row" not in bob.client().get(stage.url(f"participants/?held={other}")).text
    assert bob.client().get(stage.url("participants/?held=any")).text.count("<tr data-row") == 1
    assert bob.client().get(stage.url("participants/?held=nonsense")).text.count("<tr data-row") == 4


def test_each_hold_is_told_by_itself_and_a_stuck_step_only_once(stage: Stage) -> None:
    crowd(stage, 4)
    with stage.scope() as world:
        ids = list(Participant.objects.filter(status="active").order_by("pk").values_list("pk", flat=True))
        at = {"step_id": stage.wait.id, "due_at": world.now}
        outside = "outside the timeframe (Mon–Fri, 08:00–17:00; Europe/Oslo)"
        for pk, why in zip(ids, (outside, outside, "no such host", "frequency cap: x", "boom"), strict=True):
            Participant.objects.filter(pk=pk).update(held_reason=why, **at)
        Participant.objects.filter(pk=ids[4]).update(step_id=stage.welcome.id)
        HeldStep.objects.create(
            flow_id=stage.flow.pk, step_id=stage.welcome.id, cause="boom", since=world.now, retry_at=world.now
        )
    told = [text for _, text in signs(stage) if "held" in text]
    assert [text for text in told if "Welcome" in text] == [
        text for text in told if text.endswith("held at Welcome")
    ]
    assert told[1:] == [
        "1 participant is held at Wait 2 days by an error; it is tried again",
        "2 participants are held at Wait 2 days until the timeframe opens; the first is tried again",
        "1 participant is held at Wait 2 days by the frequency cap; it is tried again",
    ]


def test_very_many_held_are_not_counted_to_the_last(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(stage, 4)
    monkeypatch.setattr("participants.held_people.MOST", 2)
    monkeypatch.setattr("reporting.health.MOST", 2)
    with stage.scope() as world:
        Participant.objects.filter(status="active").update(
            held_reason="outside the timeframe (x)", step_id=stage.wait.id, due_at=world.now
        )
    assert (
        "info",
        "More than 2 participants are held at Wait 2 days until the timeframe opens; the first is tried again",
    ) in signs(stage)


def test_messages_say_what_they_wait_for_and_open_their_people(stage: Stage, bob: Person) -> None:
    with stage.scope() as world:
        ids = list(Message.objects.order_by("id").values_list("pk", flat=True))
        later = world.now + dt.timedelta(hours=2)
        for pk, reason in zip(ids, ("paced", "channel_down", "outside_timeframe"), strict=True):
            Message.objects.filter(pk=pk).update(status="queued", send_at=later, reason=reason)
    assert signs(stage) == [
        ("warn", "1 message waits for a channel that does not work; next try"),
        ("info", "1 message waits for the pace; the next goes"),
        ("info", "1 message waits for the timeframe; the next goes"),
        ("info", "Last entered"),
    ]
    for state, name in (("waits_turn", "Anna"), ("waits_channel", "Zoe"), ("waits_timeframe", "Late")):
        html = bob.client().get(stage.url(f"participants/?got={state}")).text
        assert re.findall(r"(\w+)@post\.test</a>", html) == [name.lower()]
