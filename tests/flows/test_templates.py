"""The six templates: each is brought in whole, lacks only what its user can choose, and takes a contact through."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from accounts.models import RoleRight, Tenant
from accounts.rights import Right
from content.models import Email, Form
from content.operations.forms import open_form
from core.tenancy import tenant_scope
from crm.models import Consent, ConsentPurpose, Contact, FollowUp, ListItem, Selection
from delivery.models import Message
from flows.document import FlowDocument
from flows.models import Flow
from flows.operations.drafts import draft_of
from flows.operations.from_template import start_from_template
from flows.operations.lifecycle import save_and_start
from flows.starters.base import FlowTemplate
from flows.starters.table import TEMPLATES
from flows.thumbnail import picture_of
from flows.validation import errors, problems
from participants.engine.batch import run_batch
from participants.models import Participant
from participants.operations.enrol import Source, suggest
from tests.fixtures.people import Person

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
# What the user has to choose, as the checks say it; everything else comes with the template.
LACKING = {
    "event": ["Choose the date and time", "Choose the date and time", "Choose the date and time"],
}
# How many emails somebody gets who never clicks, and the follow-ups that are made.
WITHOUT_A_CLICK = {
    "welcome": (3, 0), "lead_nurturing": (3, 0), "event": (4, 0), "up_sell": (2, 0), "win_back": (2, 0),
    "onboarding": (3, 2),
}  # fmt: skip

CATEGORY = {"win_back": "Former customer", "lead_nurturing": "Prospect"}

every_template = pytest.mark.parametrize("name", [template.name for template in TEMPLATES])


def begin(template: FlowTemplate, person: Person, name: str = "") -> Flow:
    return start_from_template(
        template=template, name=name or template.label, member=person.member, timezone="Europe/Oslo", now=NOW
    ).flow


def with_dates(document: FlowDocument) -> FlowDocument:
    """Choose the moments that are left open: a week apart."""
    steps, day = [], NOW
    for node in document.steps:
        if node.kind == "wait_for_time" and node.settings["mode"] == "moment":
            day += dt.timedelta(days=7)
            moment = day.replace(tzinfo=None).isoformat()
            steps.append(node.model_copy(update={"settings": {**node.settings, "moment": moment}}))
        else:
            steps.append(node)
    return document.model_copy(update={"steps": tuple(steps)})


def ready(flow: Flow) -> None:
    """Choose what only the user can choose, and start."""
    for form in Form.objects.filter(deleted_at=None, is_open=False):
        open_form(form_id=form.pk, actor=None, now=NOW)
    flow.draft = with_dates(draft_of(flow)).model_dump(mode="json")
    flow.save(update_fields=["draft"])
    save_and_start(flow_id=flow.pk, base_version=flow.draft_version, actor=flow.owner, now=NOW)


def somebody(category: str = "Customer") -> Contact:
    contact = Contact.objects.create(
        first_name="Zoë 🎉", name_norm="zoë", email="zoe@post.test", email_norm="zoe@post.test", origin="user",
        created_at=NOW, updated_at=NOW, category=ListItem.objects.get(list="category", name=category),
    )  # fmt: skip
    purpose = ConsentPurpose.objects.get(key="e-marketing")
    Consent.objects.create(contact=contact, purpose=purpose, given=True, at=NOW)
    return contact


@every_template
def test_a_template_lacks_only_what_its_user_can_choose(acme: Tenant, alice: Person, name: str) -> None:
    template = TEMPLATES[name]
    with tenant_scope(acme.pk):
        flow = begin(template, alice)
        document = draft_of(flow)
        found = errors(problems(document, now=NOW))
        lacking = [one.message for one in found]
        assert len(lacking) == len(LACKING.get(name, [])), lacking
        assert (flow.status, flow.owner_id, flow.revision) == ("not_running", alice.user.pk, 0)
        assert document.settings.timezone == "Europe/Oslo"
        assert document.settings.messages.sender.email == "hello@acme.test"
        emails = Email.objects.filter(flow_id=flow.pk)
        assert emails.count() == len(template.emails)
        told = {one.title for one in problems(document, now=NOW) if "example" in one.message}
        buttons = {node.title for node in document.walk() if node.kind == "send_email"}
        assert told, "every template has buttons to fill in"
        assert told <= buttons
        assert all(email.current_id for email in emails)


@every_template
def test_a_template_takes_a_contact_through_to_its_finish(acme: Tenant, alice: Person, name: str) -> None:
    with tenant_scope(acme.pk):
        flow = begin(TEMPLATES[name], alice)
        ready(flow)
        contact = somebody(CATEGORY.get(name, "Customer"))
        suggest(flow_id=flow.pk, contact_ids=[contact.pk], source=Source("manual"), now=NOW)
        now = NOW
        for _ in range(70):
            run_batch(tenant_id=acme.pk, flow_id=flow.pk, now=now, limit=100)
            now += dt.timedelta(days=1)
        participant = Participant.objects.get(flow_id=flow.pk)
        assert participant.status in {"finished", "success"}, (participant.status, participant.drop_reason)
        sent = Message.objects.filter(flow_id=flow.pk, contact_id=contact.pk).count()
        done = FollowUp.objects.filter(contact=contact).count()
        assert (sent, done) == WITHOUT_A_CLICK[name]
        if name == "onboarding":
            assert Selection.objects.get(name="Onboarded customers").members.count() == 1


@every_template
def test_a_second_flow_of_a_template_shares_forms_and_has_emails_of_its_own(
    acme: Tenant, alice: Person, name: str
) -> None:
    with tenant_scope(acme.pk):
        first, second = begin(TEMPLATES[name], alice), begin(TEMPLATES[name], alice, "Second")
        assert Form.objects.count() <= 1
        own = [
            set(Email.objects.filter(flow_id=flow.pk).values_list("pk", flat=True))
            for flow in (first, second)
        ]
        assert len(own[0]) == len(own[1])
        assert not own[0] & own[1]


def test_new_flow_offers_the_templates_with_their_pictures(acme: Tenant, bob: Person) -> None:
    client = bob.client()
    html = client.get(bob.url("flows/new/")).content.decode()
    for template in TEMPLATES:
        assert f'value="{template.name}"' in html
        assert template.description in html
    assert html.count('class="flow-picture"') == 6
    answer = client.post(bob.url("flows/new/"), {"name": "", "folder": "", "template": "welcome"})
    assert answer.status_code == 302
    with tenant_scope(acme.pk):
        assert Flow.objects.get(name="Welcome").owner_id == bob.user.pk
    assert client.get(answer["Location"]).status_code == 200
    assert client.post(bob.url("flows/new/"), {"name": "", "template": ""}).status_code == 422
    assert client.post(bob.url("flows/new/"), {"name": "x", "template": "../../etc"}).status_code == 422


def test_who_may_not_manage_lists_gets_what_is_missing_left_open(acme: Tenant, bob: Person) -> None:
    with tenant_scope(acme.pk):
        ListItem.objects.filter(name="Former customer").delete()
        RoleRight.objects.filter(role=bob.member.role, right=Right.MANAGE_LISTS).delete()
        flow = begin(TEMPLATES["win_back"], bob)
        found = errors(problems(draft_of(flow), now=NOW))
        assert [one.title for one in found] == ["Trigger: Contact updated"]


def _node(kind: str, *branches: Any) -> dict[str, Any]:
    return {"kind": kind, "branches": [{"steps": list(inner), "exit": None} for inner in branches]}


def test_a_picture_has_a_box_for_each_step_and_room_for_branches() -> None:
    plain = {
        "steps": [_node("send_email"), _node("split", [_node("wait_for_time")], [], []), _node("webhook")]
    }
    picture = picture_of(plain, whole=True)
    assert [box.family for box in picture.boxes] == ["message", "split", "time", "data"]
    assert picture.boxes[2].x < picture.boxes[1].x == picture.boxes[0].x
    assert picture.boxes[3].y > picture.boxes[2].y > picture.boxes[1].y
    assert picture_of({"steps": [_node("nonsense")] * 500}).width == 300
    assert len(picture_of({"steps": [_node("nonsense")] * 500}).boxes) == 90
    assert picture_of({}).boxes == []
