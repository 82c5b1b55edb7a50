"""Send SMS on real cohorts: what it queues, when it waits, and what its panel says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import QueryDict

from accounts.models import Licence, Membership
from content.models import SmsVersion
from content.operations.links import LinkDraft, create_link
from core.tenancy import tenant_scope
from crm.models import Usage
from delivery.models import Message, SmsConnector, Stream
from delivery.operations.connectors import connect_sms
from flows.checking import check_context
from flows.document import FlowDocument, StepNode, Timeframe
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.save import save_draft
from flows.steps.base import GO_ON, Advance, Hold, Problem, StepBroken
from flows.steps.send_sms import SendSmsForm
from flows.steps.table import STEP_KINDS
from flows.validation import node_problems, problems
from tests.fixtures.people import Person
from tests.fixtures.twilio import SID
from tests.flows.conftest import NOW, World
from tests.flows.documents import step
from tests.flows.test_steps import cohort, contact, run


@pytest.fixture(autouse=True)
def scope(alice: Person) -> Iterator[None]:
    with tenant_scope(alice.tenant.pk):
        connect_sms(
            account_sid=SID, auth_token="x", senders=["+4759440000", "Acme"], actor=alice.user, now=NOW
        )
        yield


def said(node: StepNode) -> list[tuple[str, str]]:
    found: list[Problem] = node_problems(node, check_context(FlowDocument(steps=(node,))))
    return [(problem.place, problem.message) for problem in found]


def posted(**fields: str) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({"title": "Text", "if_cannot": "skip", **fields})
    return data


def test_send_sms_queues_the_text_once_for_each_and_tells_the_message(flow: Flow, world: World) -> None:
    node = step("send_sms", text="Hi {{ contact.first_name }}", sender="Acme")
    ann, ben = contact("Ann", mobile="+4791234567"), contact("Ben", mobile="+4791234568")
    found = run(flow, cohort(node, ann, ben, event_data={"outside": {"name": "x"}}))
    assert [found.of(number) for number in (1000, 1001)] == [GO_ON, GO_ON]
    rows = {m.participant_id: m for m in Message.objects.all()}
    assert found.messages == {1000: rows[1000].pk, 1001: rows[1001].pk}
    assert [(m.channel, m.to_address, m.status) for m in rows.values()] == [
        ("sms", "+4791234567", "queued"),
        ("sms", "+4791234568", "queued"),
    ]
    assert rows[1000].values == {"event": {"outside": {"name": "x"}}, "sender": "Acme"}
    version = SmsVersion.objects.get()
    assert {m.content_version_id for m in rows.values()} == {version.pk}
    assert (version.step_id, version.number, version.source) == (node.id, 1, "Hi {{ contact.first_name }}")


def test_send_sms_holds_everyone_until_the_timeframe_opens(flow: Flow, world: World) -> None:
    settings = world.settings()
    messages = settings.messages.model_copy(update={"timeframe": Timeframe(weekdays=(0,))})
    node = step("send_sms", text="Hi")
    document = FlowDocument(settings=settings.model_copy(update={"messages": messages}), steps=(node,))
    found = run(flow, cohort(node, contact("Ann", mobile="+4791234567")), document=document)
    assert isinstance(found.default, Hold)
    assert not Message.objects.exists()


def test_send_sms_without_a_text_is_a_cause_common_to_all(flow: Flow) -> None:
    with pytest.raises(StepBroken):
        run(flow, cohort(step("send_sms"), contact("Ann", mobile="+4791234567")))


def test_send_sms_says_what_is_missing_at_its_place(flow: Flow) -> None:
    assert said(step("send_sms")) == [("text", "Write a text.")]
    assert said(step("send_sms", text="Hi")) == []
    assert said(step("send_sms", text="Hi", sender="Gone")) == [
        ("sender", "Gone is no sender of the SMS account any more")
    ]
    assert said(step("send_sms", text="Hi", if_cannot="exit", exit_flow=999, exit_selection=999)) == [
        ("exit_flow", "The flow to go on to was deleted"),
        ("exit_selection", "The selection to add to was deleted"),
    ]
    [(place, message)] = said(step("send_sms", text="Hi\n{{ contact.nme }}"))
    assert (place, "line 2, column 4" in message, "contact.name" in message) == ("text", True, True)


def test_send_sms_needs_its_licence_and_an_account(flow: Flow) -> None:
    document = FlowDocument(steps=(step("send_sms", text="Hi"),))
    SmsConnector.objects.all().delete()
    Licence.objects.filter(code="sms").delete()
    messages = [problem.message for problem in problems(document, now=NOW)]
    assert "This step needs the licence SMS connector" in messages
    assert any("No SMS account is connected" in message for message in messages)


def test_a_flow_of_sms_alone_needs_no_email_sender_but_a_subscription_type(flow: Flow, world: World) -> None:
    document = FlowDocument(steps=(step("send_sms", text="Hi"),))
    messages = [problem.message for problem in problems(document, now=NOW)]
    assert "Choose the subscription type of the messages" in messages
    assert not any("address messages come from" in message for message in messages)


def test_the_panel_refuses_a_bad_text_at_the_field_and_counts_it(flow: Flow) -> None:
    kind = STEP_KINDS["send_sms"]
    form = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=posted(text="Hi {{ nobody }}"))
    assert not form.is_valid()
    assert "There is no merge tag" in str(form.errors["text"])
    assert form.length == "13 characters, 1 segment (GSM-7)"  # type: ignore[attr-defined]
    good = kind.Form(
        kind=kind, node=kind.new(), flow_id=flow.pk, data=posted(text=" Hi\r\nyou ", sender="Acme")
    )
    assert good.is_valid(), good.errors
    assert good.settings() == {
        "sender": "Acme", "text": "Hi\nyou", "languages": [], "if_cannot": "skip", "exit_flow": None,
        "exit_selection": None,
    }  # fmt: skip


def test_the_panel_has_a_line_for_each_language(flow: Flow) -> None:
    kind = STEP_KINDS["send_sms"]
    lines = {"language-0": "de", "language-0-text": " Hallo ", "language-1": "fr", "language-1-text": "Salut"}

    def form(**more: str) -> SendSmsForm:
        made = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=posted(text="Hi", **more))
        assert isinstance(made, SendSmsForm)
        return made

    good = form(**lines)
    assert good.is_valid(), good.errors
    assert good.settings()["languages"] == [
        {"language": "de", "text": "Hallo"},
        {"language": "fr", "text": "Salut"},
    ]
    assert [(line.language, line.text) for line in form(**lines, more="1").lines.lines] == [
        ("de", "Hallo"), ("fr", "Salut"), ("", "")
    ]  # fmt: skip
    assert [line.language for line in form(**lines, drop="0").lines.lines] == ["fr"]
    for wrong, said_so in (
        ({**lines, "language-1": "de"}, "German stands here twice."),
        ({**lines, "language-1": ""}, "Choose the language of this text."),
        ({**lines, "language-1": "xx"}, "Choose the language of this text."),
        ({**lines, "language-1-text": "{{ nobody }}"}, "There is no merge tag"),
    ):
        bad = form(**wrong)
        assert not bad.is_valid()
        assert said_so in str(bad.lines.lines[1].errors)


def test_a_language_without_a_text_stops_the_start_and_its_links_are_references(flow: Flow) -> None:
    node = step("send_sms", text="Hi", languages=[{"language": "de", "text": ""}])
    assert said(node) == [("text", "German: Write a text.")]
    link = create_link(draft=LinkDraft("Offer", url="https://example.com/"), actor=None, now=NOW)
    node = step("send_sms", text="Hi", languages=[{"language": "de", "text": "{{ links.offer }}"}])
    assert ("link", link.pk) in [(one.kind, one.id) for one in STEP_KINDS["send_sms"].references(node)]


def test_a_save_makes_the_newest_text_for_what_is_queued_already(
    flow: Flow, world: World, alice: Person
) -> None:
    node = step("send_sms", text="Old")
    made = create_flow(
        name="Texts",
        owner=alice.user,
        now=NOW,
        document=FlowDocument(settings=world.settings(), steps=(node,)),
    )
    save_draft(flow_id=made.pk, base_version=made.draft_version, actor=alice.user, now=NOW)
    made.refresh_from_db()
    changed = FlowDocument(
        settings=world.settings(), steps=(node.model_copy(update={"settings": {"text": "New"}}),)
    )
    Flow.objects.filter(pk=made.pk).update(draft=changed.model_dump(mode="json"))
    save_draft(flow_id=made.pk, base_version=made.draft_version, actor=alice.user, now=NOW)
    texts = SmsVersion.objects.filter(step_id=node.id).order_by("number").values_list("number", "source")
    assert list(texts) == [(1, "Old"), (2, "New")]
    assert Stream.objects.get(pk=made.stream_id).sender["sms"] == ""


def test_a_registered_link_in_a_text_cannot_be_deleted_meanwhile(
    flow: Flow, world: World, alice: Person
) -> None:
    link = create_link(
        draft=LinkDraft(name="Autumn", url="https://example.com/autumn"),
        actor=alice.user,
        now=NOW,
    )
    node = step("send_sms", text=f"See {link.tag}")
    assert said(node) == []
    made = create_flow(
        name="Texts",
        owner=alice.user,
        now=NOW,
        document=FlowDocument(settings=world.settings(), steps=(node,)),
    )
    save_draft(flow_id=made.pk, base_version=made.draft_version, actor=alice.user, now=NOW)
    assert Usage.objects.filter(used_kind="link", used_id=link.pk, user_kind="flow", user_id=made.pk).exists()
    assert SmsVersion.objects.get().links == [{"url": "", "registered": link.pk, "key": link.key}]


def test_the_length_is_answered_while_writing(flow: Flow, bob: Person, wendy: Person) -> None:
    url = bob.url("flows/sms-length/")
    answer = bob.client().post(url, {"text": "Hi {{ contact.first_name }} 🎉"})
    assert answer.content.decode() == "15 characters, 1 segment (UCS-2)"
    assert wendy.client().post(url, {"text": "x"}).status_code == 404


# --- notify_by_sms ------------------------------------------------------------------------------------------------


def notes() -> list[tuple[str, str | None, int | None]]:
    found = Message.objects.order_by("id")
    return [(m.to_address, m.values.get("sender"), m.values.get("about")) for m in found]


def test_notify_by_sms_writes_to_the_contacts_own_people_outside_consent_and_timeframe(
    flow: Flow, world: World, alice: Person, bob: Person
) -> None:
    for person, mobile in ((alice, "+4790000001"), (bob, "+4790000002")):
        Membership.objects.filter(pk=person.member.pk).update(mobile=mobile)
    node = step("notify_by_sms", text="{{ contact.first_name }} wants a call", to="our_contact")
    ann, ben = contact("Ann", our_contact=bob.user), contact("Ben")
    frame = Timeframe(weekdays=(0,))
    settings = world.settings()
    messages = settings.messages.model_copy(update={"timeframe": frame, "sms_sender": "Acme"})
    document = FlowDocument(settings=settings.model_copy(update={"messages": messages}), steps=(node,))
    found = run(flow, cohort(node, ann, ben), document=document)
    assert [found.of(number) for number in (1000, 1001)] == [GO_ON, GO_ON]
    assert found.messages == {}
    assert notes() == [("+4790000002", "Acme", ann.pk), ("+4790000001", "Acme", ben.pk)]
    row = Message.objects.earliest("pk")
    assert (row.contact_id, row.participant_id, row.is_marketing, row.flow_id) == (None, None, False, flow.pk)
    assert row.stream.notes_of_id == flow.stream_id
    assert row.stream.timeframe is None
    run(flow, cohort(node, contact("Cat")), document=document)
    assert Stream.objects.filter(notes_of=flow.stream_id).count() == 1


def test_notify_by_sms_notes_who_had_no_number(flow: Flow) -> None:
    node = step("notify_by_sms", text="Hi")
    found = run(flow, cohort(node, contact("Ann")))
    assert found.of(1000) == Advance(values={"note": "Nothing was sent: the colleague has no mobile number."})
    assert notes() == []


def test_notify_by_sms_writes_to_each_of_the_numbers(flow: Flow) -> None:
    node = step(
        "notify_by_sms", text="Hi", to="numbers", numbers=["+4790000001", "+4790000002"], sender="Acme"
    )
    ann = contact("Ann")
    run(flow, cohort(node, ann))
    assert notes() == [("+4790000001", "Acme", ann.pk), ("+4790000002", "Acme", ann.pk)]


def test_notify_by_sms_says_what_is_missing(flow: Flow, bob: Person) -> None:
    assert said(step("notify_by_sms")) == [("text", "Write a text.")]
    assert said(step("notify_by_sms", text="Hi")) == []
    assert said(step("notify_by_sms", text="Hi", to="numbers")) == [("numbers", "Name at least one number")]
    Membership.objects.filter(pk=bob.member.pk).update(is_active=False)
    [(place, message)] = said(step("notify_by_sms", text="Hi", fallback_user=bob.user.pk))
    assert (place, "not active" in message) == ("fallback_user", True)


def test_the_numbers_of_a_note_are_read_with_the_tenants_country(flow: Flow) -> None:
    kind = STEP_KINDS["notify_by_sms"]
    data = posted(to="numbers", text="Hi", numbers="91234567\n+46 70 123 45 67\n\n91234567")
    form = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=data)
    assert form.is_valid(), form.errors
    assert form.settings()["numbers"] == ["+4791234567", "+46701234567"]
    bad = kind.Form(kind=kind, node=kind.new(), flow_id=flow.pk, data=posted(to="numbers", numbers="call me"))
    assert "no phone number" in str(bad.errors["numbers"])


def test_a_member_keeps_the_own_mobile_number_and_an_administrator_every_ones(
    alice: Person, rory: Person
) -> None:
    own = rory.url("me/mobile/")
    assert rory.client().post(own, {"mobile": "912 34 567"}).status_code == 302
    assert Membership.objects.get(pk=rory.member.pk).mobile == "+4791234567"
    assert "+4791234567" in rory.client().get(own).content.decode()
    assert rory.client().post(own, {"mobile": "<script>"}).status_code == 422
    page = alice.url(f"settings/users/{rory.member.pk}/mobile/")
    assert rory.client().post(page, {"mobile": "+4790000009"}).status_code == 404
    assert alice.client().post(page, {"mobile": "nothing"}).status_code == 422
    assert alice.client().post(page, {"mobile": ""}).status_code == 302
    assert Membership.objects.get(pk=rory.member.pk).mobile == ""
