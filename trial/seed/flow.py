"""The demo's welcome flow, saved and ready to start: what a newcomer opens first."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from content.models import Email
from crm.criteria.schema import Criteria, Group, Line, Value
from crm.models import CustomField, ListItem, SubscriptionType
from flows.document import (
    Branch,
    ExitSettings,
    FlowDocument,
    FlowSettings,
    MessageSettings,
    Sender,
    StepNode,
    SuccessCriterion,
    Trigger,
)
from flows.models import Flow
from flows.operations.create import create_flow
from flows.operations.folders import create_folder
from flows.operations.save import save_draft
from trial.seed.selections import Selections

NORDIC = ("NO", "SE", "DK", "FI", "IS")


def seed_flow(*, owner: User, welcome: Email, offer: Email, selections: Selections, now: dt.datetime) -> Flow:
    """Make the flow of the open tenant with one saved revision; it is not running."""
    folder = create_folder(name="Newcomers", parent_id=None)
    document = FlowDocument(
        settings=_settings(selections),
        triggers=(
            Trigger(kind="contact_created"),
            Trigger(kind="added_to_selection", settings={"selection": selections.campaign.pk}),
        ),
        filter=_holds("contact.category", "one_of", _category("Prospect"), _category("Lead")),
        success=(
            SuccessCriterion(
                kind="criteria", criteria=_holds("contact.category", "one_of", _category("Customer"))
            ),
        ),
        steps=(
            StepNode(kind="send_email", title="Welcome", settings={"email": welcome.pk}),
            StepNode(
                kind="wait_for_time", title="Two days", settings={"mode": "span", "amount": 2, "unit": "days"}
            ),
            _split(selections),
            StepNode(kind="update_contact", title="Note the campaign", settings={"lines": [_line()]}),
            StepNode(
                kind="send_email",
                title="First order offer",
                settings={"email": offer.pk, "if_cannot": "skip"},
            ),
        ),
    )
    flow = create_flow(
        name="Welcome to Northwind",
        owner=owner,
        now=now,
        timezone="Europe/Oslo",
        folder=folder,
        document=document,
    )
    save_draft(flow_id=flow.pk, base_version=flow.draft_version, actor=owner, now=now, note="Ready to start")
    return flow


def _settings(selections: Selections) -> FlowSettings:
    sender = Sender(source="our_contact", name="Northwind Outdoor", email="hello@northwind.example")
    messages = MessageSettings(
        subscription_type=SubscriptionType.objects.get(name="Newsletter").pk,
        sender=sender,
        utm_source="millrace",
        utm_campaign="welcome",
    )
    return FlowSettings(timezone="Europe/Oslo", exclusions=(selections.exclusions.pk,), messages=messages)


def _split(selections: Selections) -> StepNode:
    return StepNode(
        kind="split",
        title="Who are they?",
        branches=(
            Branch(
                name="Marketing and sales",
                criteria=_any("contact.job_title", "contains", "marketing", "sales"),
            ),
            Branch(name="Nordic countries", criteria=_holds("contact.country", "one_of", *NORDIC)),
            Branch(name="Everyone else", exit=ExitSettings(selection=selections.not_a_fit.pk)),
        ),
    )


def _line() -> dict[str, object]:
    field = CustomField.objects.get(key="customer-since")
    return {"field": f"contact.custom.{field.key}", "action": "today", "values": [0]}


def _category(name: str) -> int:
    return ListItem.objects.get(list=ListItem.List.CATEGORY, name=name).pk


def _holds(field: str, operator: str, *values: Value) -> Criteria:
    return Criteria(groups=(Group(lines=(Line(field=field, operator=operator, values=values),)),))


def _any(field: str, operator: str, *values: Value) -> Criteria:
    lines = (Line(field=field, operator=operator, values=(value,)) for value in values)
    return Criteria(groups=tuple(Group(lines=(line,)) for line in lines))
