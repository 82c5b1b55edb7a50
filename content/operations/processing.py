"""Processing a submission: whose it is, what the contact gets of it, what the form does then, and that it is told.

A submission is matched by its email address and nothing else. Answers fill what is empty; what is there is replaced
only where the form says so. All in one transaction; what cannot be done leaves it *failed*, with the reason.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import psycopg
import structlog
from django.db import OperationalError, transaction

from accounts.models import Tenant, User
from content.actions import run_actions
from content.forms.document import COMPANY_NAME, EMAIL, FormActions, FormDocument
from content.forms.fields import Bound, changes_for
from content.models import Form, FormSubmission
from content.operations.form_effects import answer_by_email, notify_managers, register_request
from content.operations.forms import document_of
from content.operations.script_runs import run_later
from core.db.busy import is_busy
from core.db.cursors import raw_cursor
from core.jobs import start_job
from core.tenancy import require_tenant_id
from crm.bulk import BadChange, Change, Target, update_fields
from crm.bulk.state import State, load
from crm.bulk.targets import targets_by_key
from crm.events import NewEvent, Origin, record_events
from crm.models import ConsentPurpose, Contact, SubscriptionOptOut
from crm.operations.consent import NewConsent, Proof, opt_in, write_consents
from crm.operations.contacts import create_contact, edit_contact

log = structlog.get_logger(__name__)
Status = FormSubmission.Status
JOB: Final = "process_submission"
_OPEN = (Status.SUBMITTED, Status.FAILED)


class NotOpen(Exception):
    """The submission is processed or rejected already, or still awaits its confirmation."""


class CannotProcess(Exception):
    """Processing is not possible; the message is the reason that is kept."""


def process_soon(*, submission_id: int, now: dt.datetime) -> None:
    """Process what just came in, where the form's mode says so. If others hold the contact, a job does it later."""
    submission = FormSubmission.objects.select_related("form").get(pk=submission_id)
    mode = document_of(submission.form).processing
    if mode == "manual" or (mode == "manual_if_unknown" and contact_of(submission.email_norm) is None):
        _tell(submission.form, now, failed=False)
        return
    try:
        if process_submission(submission_id=submission_id, now=now).status == Status.FAILED:
            _tell(submission.form, now, failed=True)
    except OperationalError as error:
        # An import or a batch holds the contact.
        if not is_busy(error):
            raise
        start_job(kind=JOB, now=now, arguments={"submission": submission_id}, title="Form submission")


def _tell(form: Form, now: dt.datetime, *, failed: bool) -> None:
    with raw_cursor() as cursor:
        notify_managers(cursor, form=form, failed=failed, now=now)


def contact_of(email_norm: str) -> Contact | None:
    """Return the contact with an address; of several the oldest."""
    if not email_norm:
        return None
    return Contact.objects.filter(email_norm=email_norm, deleted_at=None).order_by("pk").first()


@transaction.atomic
def process_submission(
    *, submission_id: int, now: dt.datetime, actor: User | None = None, contact_id: int | None = None
) -> FormSubmission:
    """Process a submission that waits or failed: for this contact, else for the one with its address, else a new one.

    What goes wrong with its data undoes everything and leaves it failed with the reason. Raises NotOpen, and
    OperationalError where a lock was not to be had.
    """
    submission = FormSubmission.objects.select_for_update(of=("self",), no_key=True).get(pk=submission_id)
    if submission.status not in _OPEN:
        raise NotOpen("This submission is not waiting any more.")
    try:
        with transaction.atomic():
            _process(submission, now, actor, contact_id)
    except (BadChange, CannotProcess) as problem:
        _fail(submission, str(problem))
    except OperationalError:
        raise
    except Exception:
        # One person's answers must not be lost for a fault of ours.
        log.exception("submission_failed", submission=submission_id)
        _fail(submission, "Something went wrong. It can be tried again.")
    return submission


def _fail(submission: FormSubmission, reason: str) -> None:
    submission.status, submission.error = Status.FAILED, reason[:500]
    submission.save(update_fields=["status", "error"])


def _process(
    submission: FormSubmission, now: dt.datetime, actor: User | None, contact_id: int | None
) -> None:
    form = Form.objects.get(pk=submission.form_id)
    document = document_of(form)
    tenant = Tenant.objects.get(pk=require_tenant_id())
    with raw_cursor() as cursor:
        _one_at_a_time(cursor, submission.email_norm)
        work = _Work(cursor, form, document, submission, now, actor, tenant.country)
        contact, is_new = work.find_or_create(contact_id)
        work.fill(contact, is_new=is_new)
        work.agree(contact)
        work.act(contact)
        contact.refresh_from_db()
        work.tell(contact)
        # References are checked at the commit, which is too late to say what was wrong with this one.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    submission.status, submission.contact, submission.error = Status.PROCESSED, contact, ""
    submission.processed_at, submission.processed_by = now, actor
    submission.save(update_fields=["status", "contact", "error", "processed_at", "processed_by"])


def _one_at_a_time(cursor: psycopg.Cursor[Any], email_norm: str) -> None:
    """Two submissions of one new address must not make two contacts."""
    key = f"{require_tenant_id()}:{email_norm}"
    cursor.execute(
        "SELECT pg_advisory_xact_lock(hashtext('millrace form address'), hashtext(%s::text))", [key]
    )


class _Work:
    """One submission being processed, inside one transaction."""

    def __init__(
        self, cursor: psycopg.Cursor[Any], form: Form, document: FormDocument, submission: FormSubmission,
        now: dt.datetime, actor: User | None, country: str,
    ) -> None:  # fmt: skip
        self.cursor, self.form, self.document, self.submission = cursor, form, document, submission
        self.now, self.actor_id = now, actor.pk if actor else None
        self.bound = Bound.of(document)
        self.country = str(self.answer_of("contact.country") or country)
        self.source = f"Form “{form.name}”"[:120]

    def answer_of(self, target: str) -> Any:
        """Return the answer to the field bound to a target, or None."""
        one = next((f for f in self.document.fields if f.kind == "crm" and f.target == target), None)
        return self.submission.answers.get(one.key) if one else None

    def find_or_create(self, contact_id: int | None) -> tuple[Contact, bool]:
        """Return whose answers they are, and whether the contact is new."""
        if contact_id is not None:
            chosen = Contact.objects.filter(pk=contact_id, deleted_at=None).first()
            if chosen is None:
                raise CannotProcess("The chosen contact does not exist any more.")
            return chosen, False
        known = contact_of(self.submission.email_norm)
        if known is not None:
            return known, False
        address = self.answer_of(EMAIL)
        if not address:
            raise CannotProcess("There is no email address, so there is nobody to make a contact of.")
        company = str(self.answer_of(COMPANY_NAME) or "")
        made = create_contact(
            changes=self._first_changes(has_company=bool(company.strip())), company_name=company, now=self.now,
            origin=Origin.FORM, actor_id=self.actor_id, country=self.country,
        )  # fmt: skip
        return made, True

    def _first_changes(self, *, has_company: bool) -> list[Change]:
        """Return what a new contact begins with: its own fields. Those of its company wait for `fill`."""
        own = {"contact", "contact_custom", "interests"} | (set() if has_company else {"shared"})
        answered = [one for one in self._answered() if one[0].place in own and one[1] is not False]
        changes = [change for target, answer, _ in answered for change in changes_for(target, answer)]
        named = {change.field for change in changes}
        extra = self._for_new().items() if not has_company else ()
        return [*changes, *(Change(t.key, "set", (item,)) for t, item in extra if t.key not in named)]

    def fill(self, contact: Contact, *, is_new: bool) -> None:
        """Write the answers that are bound to fields: into empty ones, over others only where the form says so."""
        company = next(
            (f for f in self.document.fields if f.target == COMPANY_NAME and f.kind == "crm"), None
        )
        name = str(self.submission.answers.get(company.key) or "").strip() if company else ""
        if company and name and (contact.company_id is None or company.overwrite):
            edit_contact(
                contact_id=contact.pk, changes=[], company_name=name, now=self.now, origin=Origin.FORM,
                actor_id=self.actor_id,
            )  # fmt: skip
        extra = self._for_new() if is_new else {}
        targets = [*self.bound.targets.values(), *extra]
        state = load(self.cursor, tenant_id=require_tenant_id(), contact_ids=[contact.pk], targets=targets)
        changes = [change for one in self._answered() for change in self._changes(contact, state, *one)]
        changes += [
            Change(target.key, "set", (item,))
            for target, item in extra.items()
            if _is_empty(_value(contact, state, target))
            and all(change.field != target.key for change in changes)
        ]
        if changes:
            update_fields(
                self.cursor, tenant_id=require_tenant_id(), contact_ids=[contact.pk], changes=changes, now=self.now,
                origin=Origin.FORM, actor_id=self.actor_id, country=self.country,
            )  # fmt: skip

    def _for_new(self) -> dict[Target, int]:
        wanted = {
            "contact.category": self.document.actions.new_category,
            "contact.business": self.document.actions.new_business,
        }
        found = targets_by_key(wanted)
        return {found[key]: item for key, item in wanted.items() if item is not None}

    def _answered(self) -> list[tuple[Target, Any, bool]]:
        return [
            (target, self.submission.answers[one.key], one.overwrite)
            for one in self.document.questions
            if (target := self.bound.target(one)) is not None and one.key in self.submission.answers
        ]

    def _changes(
        self, contact: Contact, state: State, target: Target, answer: Any, overwrite: bool
    ) -> list[Change]:
        old = _value(contact, state, target)
        if target.key == EMAIL and not _is_empty(old):
            # Whoever was matched by an address, or chosen by hand, keeps their own.
            return []
        if answer is False and not overwrite:
            # An unticked box says nothing.
            return []
        if target.type == "items":
            return changes_for(target, answer, replace=overwrite)
        if not _is_empty(old) and not overwrite:
            return []
        if target.is_company and state.contacts[contact.pk].company_id is None:
            return []
        return changes_for(target, answer)

    def agree(self, contact: Contact) -> None:
        """Store consents and subscriptions that were ticked, dated with the submission. Others say nothing."""
        at = self.submission.submitted_at
        ticked = [f for f in self.document.questions if self.submission.answers.get(f.key) is True]
        for one in ticked:
            if one.kind == "consent" and one.purpose is not None:
                purpose = ConsentPurpose.objects.filter(pk=one.purpose).first()
                if purpose is None:
                    raise CannotProcess("The purpose of a consent was deleted.")
                write_consents(
                    self.cursor, rows=[NewConsent(contact.pk, True, at, self.now)], purpose=purpose,
                    legal_basis="Consent", source=self.source, origin=Origin.FORM, actor_id=self.actor_id,
                    proof=Proof(self.submission.wording.get(one.key, ""), self.submission.confirmed_at),
                )  # fmt: skip
            if one.kind == "subscription" and one.subscription is not None:
                # An opt-out that came later than the form stays.
                older = SubscriptionOptOut.objects.filter(contact=contact, type=one.subscription, at__lte=at)
                if older.exists():
                    opt_in(
                        contact_id=contact.pk, type_id=one.subscription, at=self.now, source=self.source,
                        origin=Origin.FORM, actor_id=self.actor_id,
                    )  # fmt: skip

    def act(self, contact: Contact) -> None:
        """Do what the form does then."""
        actions: FormActions = self.document.actions
        run_actions(
            self.cursor, tenant_id=require_tenant_id(), actions=actions, contact_ids=[contact.pk], now=self.now,
            origin=Origin.FORM, actor_id=self.actor_id,
        )  # fmt: skip
        if actions.script is not None:
            run_later(
                script_id=actions.script,
                contact_id=contact.pk,
                event=self.data(),
                origin=Origin.FORM,
                now=self.now,
            )
        if actions.respond_email is not None:
            answer_by_email(
                self.cursor, form=self.form, email_id=actions.respond_email, contact=contact, event=self.data(),
                now=self.now,
            )  # fmt: skip
        if actions.request:
            register_request(
                self.cursor, actions=actions, submission=self.submission, contact=contact, now=self.now,
                actor_id=self.actor_id,
            )  # fmt: skip

    def data(self) -> dict[str, Any]:
        """Return the event's data."""
        told = {
            "id": self.form.pk,
            "name": self.form.name,
            "submission": self.submission.pk,
            "answers": self.submission.answers,
        }
        return {"form": told}

    def tell(self, contact: Contact) -> None:
        """Record that the form was submitted: flows answer to this moment."""
        event = NewEvent(
            "form.submitted", contact.pk, self.now, Origin.FORM, company_id=contact.company_id,
            object_id=self.form.pk, data=self.data(), actor_id=self.actor_id, message_id=self.submission.message_id,
        )  # fmt: skip
        record_events([event], cursor=self.cursor)


def _value(contact: Contact, state: State, target: Target) -> Any:
    owner = state.owner(state.contacts[contact.pk], target)
    return owner.get(target.key) if owner else None


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", frozenset())


@transaction.atomic
def reject_submission(*, submission_id: int, reason: str, actor: User, now: dt.datetime) -> FormSubmission:
    """Say that nothing comes of a submission; its answers stay. Raises NotOpen."""
    submission = FormSubmission.objects.select_for_update(of=("self",), no_key=True).get(pk=submission_id)
    if submission.status not in _OPEN:
        raise NotOpen("This submission is not waiting any more.")
    submission.status, submission.error = Status.REJECTED, reason[:500]
    submission.processed_at, submission.processed_by = now, actor
    submission.save(update_fields=["status", "error", "processed_at", "processed_by"])
    return submission
