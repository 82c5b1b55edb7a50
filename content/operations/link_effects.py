"""What a click does for our own people: a follow-up in a diary, a request."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import structlog

from accounts.models import Licence
from accounts.stand_ins import stand_ins
from content.link_actions import LinkActions
from core.tenancy import require_tenant_id
from crm.bulk.follow_ups import FollowUpPlan, NewFollowUp, create_follow_ups
from crm.bulk.requests import NewRequest, UnknownRequestChoice, create_requests
from crm.events import Origin
from crm.models import Contact

log = structlog.get_logger(__name__)


def make_follow_up(
    cursor: psycopg.Cursor[Any], *, actions: LinkActions, contact_id: int, now: dt.datetime, zone: ZoneInfo
) -> None:
    """Put a task into the diary of our contact, of who stands in, or of the fallback user; else the log says so."""
    contact = Contact.objects.select_related("company").filter(pk=contact_id, deleted_at=None).first()
    if contact is None:
        return
    ours = contact.company.our_contact_id if contact.company is not None else contact.our_contact_id
    wanted = [user for user in (ours, actions.fallback_user) if user is not None]
    there = stand_ins(cursor, tenant_id=require_tenant_id(), user_ids=wanted)
    assignee = next((there[user] for user in wanted if user in there), None)
    if assignee is None:
        log.warning("follow_up_left_out", contact=contact_id, reason="nobody to assign it to")
        return
    plan = FollowUpPlan(kind="task", title=actions.follow_up_title, zone=zone, after=actions.follow_up_days)
    create_follow_ups(
        cursor, tenant_id=require_tenant_id(), plan=plan, now=now, origin=Origin.LINK,
        rows=[NewFollowUp(contact_id, contact.company_id, assignee)],
    )  # fmt: skip


def make_request(
    cursor: psycopg.Cursor[Any], *, actions: LinkActions, contact_id: int, now: dt.datetime
) -> None:
    """Register a request, where the licence is in force; its owner is the category's."""
    licences = Licence.objects.filter(Licence.in_force(now.date()), code=Licence.Code.SERVICE)
    if not licences.exists():
        log.warning("request_left_out", contact=contact_id, reason="no licence")
        return
    row = NewRequest(
        contact_id=contact_id, title=actions.request_title, type_id=actions.request_type,
        category_id=actions.request_category, priority_id=actions.request_priority, automatic=True,
    )  # fmt: skip
    try:
        create_requests(cursor, tenant_id=require_tenant_id(), rows=[row], now=now, origin=Origin.LINK)
    except UnknownRequestChoice as gone:
        log.warning("request_left_out", contact=contact_id, reason=str(gone))
