"""The tenant of a chaos run: contacts, and a flow with every step kind that leads into a second one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F

from accounts.models import Membership, Role, Tenant, User
from accounts.operations import add_member, create_tenant
from accounts.queries import active_membership
from content.operations.emails import Draft, create_email, save_email
from content.operations.scripts import save_script
from core.clock import now
from core.db.cursors import raw_cursor
from core.tenancy import tenant_scope
from crm.criteria.schema import Criteria, Group, Line
from crm.events import NewEvent, Origin, record_alike
from crm.models import (
    Contact,
    Project,
    RequestCategory,
    RequestPriority,
    RequestType,
    SaleType,
    Selection,
    SubscriptionType,
)
from delivery.operations.connectors import connect_sms
from flows.document import Branch, FlowDocument, FlowSettings, MessageSettings, Sender, StepNode
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.lifecycle import save_and_start
from flows.steps.table import STEP_KINDS
from participants.operations.adding import Chosen, start_adding
from trial.bench.world import make_contacts

COLLEAGUE = "+4799999999"
_MJML = """<mjml><mj-body><mj-section><mj-column>
<mj-text>Hello {{ contact.first_name }}</mj-text>
<mj-text><a href="{{ links.unsubscribe }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
_SCRIPT = """result = contact["first_name"] + "!"
updates = {"contact.language": "nb"}"""
ACTED = "acted"
ACTED_EVERY = 3


@dataclass(frozen=True, slots=True)
class World:
    """What a run works on."""

    tenant: Tenant
    member: Membership
    flow: Flow
    second: Flow
    selection: Selection


def make_world(*, participants: int, talk_share: int, hook_port: int) -> World:
    """Make the tenant; of the participants `talk_share` per cent come by the steps that send something."""
    moment = now()
    tenant = create_tenant(
        slug="chaos", name="Chaos", country="NO", from_email="chaos@chaos.test", postal_address="Chaos", is_trial=True,
        now=moment,
    )  # fmt: skip
    with tenant_scope(tenant.pk):
        user = User.objects.create_user(email="admin@chaos.test", first_name="Ada", last_name="Admin")
        add_member(user=user, role=Role.objects.get(name="Administrator"))
        member = active_membership(user)
        assert member is not None  # noqa: S101 (made two lines above)
        sid, token = f"AC{'0' * 32}", "1" * 32
        connect_sms(account_sid=sid, auth_token=token, senders=["+4759440000"], actor=user, now=moment)
        selection = _contacts(participants)
        second = _start(user, "Second", _second())
        flow = _start(user, "Everything", _document(user, second, talk_share=talk_share, hook_port=hook_port))
        _check_kinds(flow)
    return World(tenant, member, flow, second, selection)


def _contacts(number: int) -> Selection:
    selection = make_contacts(number, name="Everyone", mark="c")
    with connection.cursor() as cursor:
        # The last digits tell the stand-in for Twilio what to do with an SMS: these are none that it refuses.
        cursor.execute(
            "UPDATE crm_contact SET mobile = '+47' || (4000000 + id) || '9' WHERE tenant_id = %s",
            [selection.tenant_id],
        )
    return selection


def _start(user: User, name: str, document: FlowDocument) -> Flow:
    flow = create_flow(name=name, owner=user, now=now(), document=document)
    return save_and_start(flow_id=flow.pk, base_version=flow.draft_version, actor=user, now=now())


def _check_kinds(flow: Flow) -> None:
    """A step kind that is new in the table must be in this flow too."""
    there = {node.kind for node in FlowDocument.model_validate(flow.draft).walk()}
    missing = {kind.name for kind in STEP_KINDS} - there
    if missing:
        raise RuntimeError(f"The chaos flow lacks the step kinds {sorted(missing)}.")


def _step(kind: str, title: str, **settings: object) -> StepNode:
    return StepNode(kind=kind, title=title, settings=settings)


def _settings() -> FlowSettings:
    news = SubscriptionType.objects.order_by("id")[0].pk
    sender = Sender(name="Chaos", email="chaos@chaos.test")
    return FlowSettings(messages=MessageSettings(subscription_type=news, sender=sender))


def _second() -> FlowDocument:
    steps = (
        _wait("A little", 5),
        _update("Second", "contact.last_name", "Done"),
    )
    return FlowDocument(settings=_settings(), steps=steps)


def _wait(title: str, minutes: int) -> StepNode:
    return _step("wait_for_time", title, amount=minutes, unit="minutes")


def _update(title: str, field: str, value: str) -> StepNode:
    return _step("update_contact", title, lines=[{"field": field, "action": "set", "values": [value]}])


def _document(user: User, second: Flow, *, talk_share: int, hook_port: int) -> FlowDocument:
    talk = StepNode(
        kind="split",
        title="Who hears of us?",
        settings={"based_on": "random"},
        branches=(
            Branch(name="Talk", settings={"share": talk_share}, steps=_talking(user, hook_port)),
            Branch(name="Everyone else"),
        ),
    )
    seen = Criteria(
        groups=(Group(lines=(Line(field="contact.country", operator="one_of", values=("NO", "SE")),)),)
    )
    nordic = StepNode(
        kind="split",
        title="Nordic?",
        branches=(Branch(name="Nordic", criteria=seen, steps=_desk(user)), Branch(name="Everyone else")),
    )
    steps = (
        _wait("First", 5),
        talk,
        _wait("Second", 1),
        _update("Seen", "contact.job_title", "Seen"),
        _step(
            "wait_for_action",
            "Until they act",
            actions=[{"kind": "outside", "name": ACTED}],
            amount=20,
            unit="minutes",
        ),
        nordic,
        _step("go_to_flow", "On to the second", flow=second.pk, then="stay"),
        _wait("Last", 3),
    )
    return FlowDocument(settings=_settings(), steps=steps)


def _talking(user: User, hook_port: int) -> tuple[StepNode, ...]:
    email = create_email(name="Hello", actor=user, now=now())
    draft = Draft(name="Hello", subject="Hello {{ contact.first_name }}", preheader="", mjml=_MJML)
    saved = save_email(email_id=email.pk, draft=draft, revision=email.revision, actor=user, now=now())
    if not saved.is_saved:
        raise RuntimeError(f"The chaos email was not saved: {saved.problems}")
    return (
        _step("send_email", "Mail", email=email.pk),
        _step("send_sms", "Text", text="Hello {{ contact.first_name }}"),
        _step(
            "webhook",
            "Call",
            url=f"http://127.0.0.1:{hook_port}/",
            body='{"email": "{{ contact.email }}", "job": "{{ contact.job_title }}"}',
        ),
        _step(
            "notify_by_email",
            "Tell a colleague",
            to="addresses",
            addresses=["colleague@chaos.test"],
            subject="{{ contact.first_name }} is here",
            text="Look",
        ),
        _step(
            "notify_by_sms",
            "Text a colleague",
            to="numbers",
            numbers=[COLLEAGUE],
            text="Note {{ contact.first_name }}",
        ),
    )


def _desk(user: User) -> tuple[StepNode, ...]:
    moment = now()
    script = save_script(
        script_id=None, name="Sum", description="", source=_SCRIPT, revision=0, actor=user, now=moment
    )
    into = Selection.objects.create(name="Into", created_at=moment)
    project = Project.objects.create(name="Project", created_at=moment)
    return (
        _step("run_script", "Script", script=script.pk),
        _step("add_to_selection", "Add", selection=into.pk, project=project.pk),
        _step("create_follow_up", "Task", subject="Call", who="named", user=user.pk),
        _step(
            "create_request",
            "Request",
            request_title="Help",
            request_type=RequestType.objects.order_by("id")[0].pk,
            category=RequestCategory.objects.order_by("id")[0].pk,
            priority=RequestPriority.objects.order_by("id")[0].pk,
        ),
        _step(
            "create_sale",
            "Sale",
            sale_title="Deal",
            sale_type=SaleType.objects.order_by("id")[0].pk,
            currency="NOK",
            who="named",
            user=user.pk,
        ),
        _step("distribute_to_owner", "Whose?", users=[user.pk]),
        _step("remove_from_selection", "Take out", selection=into.pk),
    )


def enrol(world: World) -> None:
    """Have everyone added, by the job."""
    with tenant_scope(world.tenant.pk):
        chosen = Chosen(selection_id=world.selection.pk)
        start_adding(flow_id=world.flow.pk, chosen=chosen, token="chaos", member=world.member, now=now())  # noqa: S106


def act(world: World) -> None:
    """Have some contacts do what is waited for."""
    with tenant_scope(world.tenant.pk), transaction.atomic(), raw_cursor() as cursor:
        some = Contact.objects.annotate(part=F("id") % ACTED_EVERY).filter(part=0)
        offset = Tenant.objects.values_list("clock_offset", flat=True).get(pk=world.tenant.pk)
        event = NewEvent(
            kind="outside", contact_id=0, at=now() + offset, origin=Origin.API, object_key=ACTED,
            data={"name": ACTED, "data": {}},
        )  # fmt: skip
        record_alike(event, cursor=cursor, contact_ids=list(some.values_list("id", flat=True)))


def pass_time(world: World, by: dt.timedelta) -> None:
    """Move the tenant's clock ahead, so that waits end and retries come."""
    Tenant.objects.filter(pk=world.tenant.pk).update(clock_offset=F("clock_offset") + by)
