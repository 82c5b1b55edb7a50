"""What a form does beside writing to the contact: answer by email, register a request, tell its managing group."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
import structlog

from accounts.models import Licence, Membership, MembershipGroup
from content.forms.document import FormActions
from content.models import Form, FormSubmission
from content.queries import sendable_version
from content.queries_form import answer_lines
from core.limits import within_limit
from core.tenancy import require_tenant_id
from crm.bulk.notifications import NewNotification, notify
from crm.bulk.requests import NewRequest, UnknownRequestChoice, create_requests
from crm.events import Origin
from crm.models import Contact, Notification
from delivery.queue import NewMessage, queue_messages

MAILS_TO_ONE = (6, 3600)
log = structlog.get_logger(__name__)


def may_mail(email_norm: str) -> bool:
    """Count one more mail that a form sends to an address, and say whether it may go.

    Anybody can write any address into a form: it must not fill a stranger's mailbox.
    """
    most, seconds = MAILS_TO_ONE
    return within_limit(f"form-mail:{require_tenant_id()}:{email_norm}", most=most, seconds=seconds)


def answer_by_email(
    cursor: psycopg.Cursor[Any],
    *,
    form: Form,
    email_id: int,
    contact: Contact,
    event: dict[str, Any],
    now: dt.datetime,
) -> None:
    """Queue the email that answers: no marketing, because the person asked, so no consent is needed."""
    version = sendable_version(email_id)
    if version is None or not contact.email:
        return
    if not may_mail(contact.email_norm):
        log.warning(
            "answer_left_out", form=form.pk, contact=contact.pk, reason="too many mails to the address"
        )
        return
    row = NewMessage(
        enrolled_on=now.date(), content_version_id=version, to_address=contact.email, contact_id=contact.pk,
        values={"event": event}, is_marketing=False,
    )  # fmt: skip
    queue_messages(cursor, tenant_id=require_tenant_id(), stream_id=form.stream_id, rows=[row], now=now)


def register_request(
    cursor: psycopg.Cursor[Any],
    *,
    actions: FormActions,
    submission: FormSubmission,
    contact: Contact,
    now: dt.datetime,
    actor_id: int | None,
) -> None:
    """Register a request that holds the answers, where the licence is in force; its owner is the category's."""
    licences = Licence.objects.filter(Licence.in_force(now.date()), code=Licence.Code.SERVICE)
    if not licences.exists():
        log.warning("request_left_out", form=submission.form_id, reason="no licence")
        return
    row = NewRequest(
        contact_id=contact.pk, title=actions.request_title or submission.form.name,
        message="\n".join(f"{line.label}: {line.text}" for line in answer_lines(submission)),
        type_id=actions.request_type, category_id=actions.request_category, priority_id=actions.request_priority,
        automatic=True,
    )  # fmt: skip
    try:
        create_requests(
            cursor, tenant_id=require_tenant_id(), rows=[row], now=now, origin=Origin.FORM, actor_id=actor_id
        )
    except UnknownRequestChoice as gone:
        # Raised before anything is written; what a form uses is not deleted, so this is the last net.
        log.warning("request_left_out", form=submission.form_id, reason=str(gone))


def notify_managers(cursor: psycopg.Cursor[Any], *, form: Form, failed: bool, now: dt.datetime) -> list[int]:
    """Tell the members of the managing group that something waits; return whom.

    Whoever has not read the last word about this form gets no second one: a hundred submissions are one line.
    """
    if form.managed_by_id is None:
        return []
    path = f"content/submissions/?form={form.pk}"
    others = MembershipGroup.objects.filter(group_id=form.managed_by_id).values("membership_id")
    members = Membership.objects.filter(is_active=True, user__is_active=True)
    people = {
        *members.filter(group_id=form.managed_by_id).values_list("user_id", flat=True),
        *members.filter(pk__in=others).values_list("user_id", flat=True),
    }
    told = Notification.objects.filter(user_id__in=people, path=path, read_at=None)
    waiting = sorted(people - set(told.values_list("user_id", flat=True)))
    words = "A submission could not be processed" if failed else "A submission waits to be processed"
    rows = [NewNotification(user_id, "form", f"{words}: {form.name}", path) for user_id in waiting]
    notify(cursor, tenant_id=require_tenant_id(), rows=rows, now=now)
    return waiting
