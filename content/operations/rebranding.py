"""Bringing emails into a new brand: a job compiles what is there anew, in every language; nobody has to save again.
The mails in which forms ask to confirm come along.

An email of a running flow keeps the look that it runs with; it takes the brand over when it is saved after a pause, or
by the job of a later change. What looks the same in the new brand gets no new version.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from accounts.audit import write_audit
from accounts.models import User
from content.brand import BrandValues, brand_values
from content.compile import Compiled, compile_email
from content.models import Email, EmailVariant, Form
from content.operations.confirmations import write_confirmation
from content.operations.emails import Draft, keep_draft
from content.operations.forms import document_of
from content.operations.versions import write_email_uses
from content.tree import TagTree, known_tree
from core.jobs import SLICE_SECONDS, Slice, start_job
from core.models import Job

JOB: Final = "rebrand_emails"


def rebrand_soon(*, actor: User | None, now: dt.datetime) -> Job | None:
    """Begin the job in the transaction of the brand's own change; None where there is no email that was ever saved."""
    total = _emails().count()
    if not total:
        return None
    return start_job(
        kind=JOB, now=now, arguments={}, title="Emails into the new brand", total=total,
        created_by_id=actor.pk if actor else None,
    )  # fmt: skip


def newest_rebranding() -> Job | None:
    """Return the newest job, or None."""
    return Job.objects.filter(kind=JOB).order_by("-id").first()


def _emails() -> QuerySet[Email]:
    return Email.objects.filter(deleted_at=None).exclude(current_id=None)


@dataclass(frozen=True)
class RebrandEmails:
    """The job."""

    name: str = JOB

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Compile emails for some seconds, by id, into the brand that is kept now.

        The result says how many were `changed`, and by id which are `locked` or `broken` (they compile no more).
        """
        ends = time.monotonic() + SLICE_SECONDS / 2
        after, done = int(job.cursor.get("after", 0)), job.done
        found = {"changed": 0, "locked": [], "broken": [], **job.result}
        brand, tree = brand_values(), known_tree()
        while email := _emails().filter(pk__gt=after).order_by("pk").select_for_update(no_key=True).first():
            fate = _rebrand(email, brand, tree, job.created_by, now)
            if fate == "changed":
                found["changed"] += 1
            elif fate:
                found[fate] = [*found[fate], email.pk]
            after, done = email.pk, done + 1
            if time.monotonic() > ends:
                return Slice({"after": after}, done, max(job.total, done), finished=False, result=found)
        return Slice({"after": after}, done, done, finished=True, result=found)


def _rebrand(email: Email, brand: BrandValues, tree: TagTree, actor: User | None, now: dt.datetime) -> str:
    """Bring one email into the brand in all its languages, or in none. Returns "changed", "locked", "broken" or ""."""
    if email.is_internal:
        return _reconfirm(email, brand, actor, now)
    variants = EmailVariant.objects.filter(email=email).select_related("current").order_by("language")
    pieces: list[Email | EmailVariant] = [email, *variants]
    new: list[tuple[Email | EmailVariant, Draft, Compiled]] = []
    for piece in pieces:
        draft = Draft.of(piece, email.name)
        compiled = compile_email(draft.source, tree=tree, brand=brand).compiled
        if compiled is None:
            return "broken"
        if not _looks_the_same(piece, compiled):
            new.append((piece, draft, compiled))
    if not new:
        return ""
    if email.locks.exists():
        return "locked"
    written = {"updated_at": email.updated_at, "updated_by": email.updated_by_id}
    for piece, draft, compiled in new:
        keep_draft(email, piece, draft, compiled, actor, now)
    # Nobody wrote in it: it stays where it is among the newest.
    Email.objects.filter(pk=email.pk).update(**written)
    write_email_uses(email)
    write_audit(
        actor=actor, action="email.rebranded", object_kind="email", object_id=email.pk, object_name=email.name,
        payload={"version": email.revision},
    )  # fmt: skip
    return "changed"


def _reconfirm(email: Email, brand: BrandValues, actor: User | None, now: dt.datetime) -> str:
    form = Form.objects.filter(confirmation=email, deleted_at=None).first()
    if form is None:
        return ""
    return "changed" if write_confirmation(form, document_of(form), actor, now, brand=brand) else ""


def _looks_the_same(piece: Email | EmailVariant, compiled: Compiled) -> bool:
    now = piece.current
    assert now is not None  # noqa: S101 - only emails with a version are asked
    return (now.html, now.text, now.subject) == (compiled.html, compiled.text, compiled.subject)
