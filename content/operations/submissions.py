"""What people send: taken once, within the form's limits, confirmed where the form asks for it, then processed.

Processing stands in content.operations.processing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from content.forms.document import FormDocument
from content.models import Form, FormFile, FormSubmission
from content.operations.forms import document_of
from content.operations.processing import process_soon
from content.uploads import Upload
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.models import BlockedAddress
from delivery.queue import NewMessage, queue_messages
from delivery.tokens import MessageRef

Status = FormSubmission.Status
FORGET_AFTER = dt.timedelta(days=30)


class FormClosed(Exception):
    """The form takes no (more) answers."""


class TooLate(Exception):
    """The confirmation came after its time."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came in, valid: answers by key, what stood beside each field, and where it came from."""

    key: uuid.UUID
    answers: Mapping[str, Any]
    email: str
    email_norm: str
    wording: Mapping[str, str]
    ip_hash: str = ""
    message: MessageRef | None = None
    files: Mapping[str, Upload] = field(default_factory=dict)


def takes_answers(form: Form, now: dt.datetime) -> bool:
    """Say whether the form is open now and has room; `submit_form` decides for good, under a lock."""
    if not form.is_open or form.deleted_at or (form.closes_at and form.closes_at <= now):
        return False
    return form.closes_after is None or _taken(form) < form.closes_after


def _taken(form: Form) -> int:
    """Return how many answers count against the limit: confirmed ones, and none that was rejected."""
    counting = [Status.SUBMITTED, Status.PROCESSED, Status.FAILED]
    return FormSubmission.objects.filter(form=form, status__in=counting).count()


def submit_form(*, form_id: int, sent: Sent, now: dt.datetime) -> FormSubmission:
    """Take a submission, and confirm or process it. The same page sent twice is one. Raises FormClosed."""
    try:
        return _submit(form_id, sent, now)
    except IntegrityError:
        # The other request with this page's key was faster.
        return FormSubmission.objects.get(form_id=form_id, key=sent.key)


@transaction.atomic
def _submit(form_id: int, sent: Sent, now: dt.datetime) -> FormSubmission:
    known = FormSubmission.objects.filter(form_id=form_id, key=sent.key).first()
    if known is not None:
        return known
    form = _with_room(form_id, now)
    document = document_of(form)
    submission = FormSubmission.objects.create(
        form=form, key=sent.key, answers=dict(sent.answers), wording=dict(sent.wording), email_norm=sent.email_norm,
        status=Status.AWAITING if document.double_opt_in else Status.SUBMITTED, ip_hash=sent.ip_hash,
        message_id=sent.message.message_id if sent.message else None,
        message_day=sent.message.enrolled_on if sent.message else None, submitted_at=now,
        expires_at=now + dt.timedelta(minutes=document.confirm_minutes) if document.double_opt_in else None,
    )  # fmt: skip
    FormFile.objects.bulk_create(
        FormFile(
            submission=submission, key=key, name=one.name, kind=one.kind, size=len(one.data), data=one.data
        )
        for key, one in sent.files.items()
    )
    if document.double_opt_in:
        _forget_unconfirmed(form_id, now)
        _ask_to_confirm(form, submission, sent.email, now)
    else:
        process_soon(submission_id=submission.pk, now=now)
    submission.refresh_from_db()
    return submission


def _forget_unconfirmed(form_id: int, now: dt.datetime) -> None:
    """Delete what nobody confirmed within a month of its time: those people never agreed that we keep it."""
    old = FormSubmission.objects.filter(
        form_id=form_id, status=Status.AWAITING, expires_at__lt=now - FORGET_AFTER
    )
    FormSubmission.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:100])).delete()


def _with_room(form_id: int, now: dt.datetime) -> Form:
    """Return the form where it takes one more answer; with a limit, locked, so that the last place is given once."""
    form = Form.objects.get(pk=form_id)
    if form.closes_after is not None:
        form = Form.objects.select_for_update(of=("self",), no_key=True).get(pk=form_id)
    if not takes_answers(form, now):
        raise FormClosed(document_of(form).inactive_text)
    return form


def _ask_to_confirm(form: Form, submission: FormSubmission, address: str, now: dt.datetime) -> None:
    """Queue the mail of the double opt-in: no marketing, so no consent is asked; nothing goes to a blocked address."""
    if BlockedAddress.objects.filter(address_norm=submission.email_norm).exists():
        submission.error = "The address is blocked: no mail to confirm was sent."
        submission.save(update_fields=["error"])
        return
    if form.confirmation is None or form.confirmation.current_id is None:
        raise RuntimeError(f"Form {form.pk} asks to confirm and has no mail for it.")
    row = NewMessage(
        enrolled_on=now.date(), content_version_id=form.confirmation.current_id, to_address=address,
        values={"submission": submission.pk}, is_marketing=False,
    )  # fmt: skip
    with raw_cursor() as cursor:
        queue_messages(cursor, tenant_id=require_tenant_id(), stream_id=form.stream_id, rows=[row], now=now)


@transaction.atomic
def confirm_submission(*, submission_id: int, now: dt.datetime) -> FormSubmission:
    """Confirm a submission; a second time changes nothing. Raises FormClosed (the last place went), TooLate, and
    DoesNotExist."""
    submission = FormSubmission.objects.select_for_update(of=("self",), no_key=True).get(pk=submission_id)
    if submission.status != Status.AWAITING:
        return submission
    if submission.expires_at is None or submission.expires_at <= now:
        raise TooLate("The time to confirm is over.")
    form = Form.objects.select_for_update(of=("self",), no_key=True).get(pk=submission.form_id)
    if form.deleted_at or (form.closes_after is not None and _taken(form) >= form.closes_after):
        raise FormClosed(document_of(form).inactive_text)
    submission.status, submission.confirmed_at = Status.SUBMITTED, now
    submission.save(update_fields=["status", "confirmed_at"])
    process_soon(submission_id=submission.pk, now=now)
    submission.refresh_from_db()
    return submission


def wording_of(document: FormDocument) -> dict[str, str]:
    """Return what stands beside each field: kept with a submission, so that one can show what was agreed to."""
    return {one.key: one.label for one in document.questions if one.label}
