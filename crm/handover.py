"""What of the CRM goes to who takes over when a member leaves: their clubs, open work, companies and contacts.

What is over (sold, closed, done) keeps the name of who did it. Companies and contacts may be very many: a job changes
them slice by slice, with the events that any change of a contact has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db.models import Q, QuerySet

from core.db.cursors import raw_cursor
from core.handover import Handover, Owned, Room
from core.jobs import JobFailed, Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id
from crm.bulk.changes import BadChange, Change
from crm.bulk.diaries import lock_diaries
from crm.bulk.update import update_fields
from crm.events import Origin
from crm.models import Company, Contact

SLICE = 1_000
ROLES = ("our_contact", "service_contact")


def _lock(cursor: psycopg.Cursor[Any], handover: Handover) -> None:
    """Nobody books time of the two while appointments move."""
    lock_diaries(cursor, tenant_id=handover.tenant_id, user_ids=sorted([handover.gone, handover.successor]))


def _contacts_later(handover: Handover) -> None:
    care = contacts_of(handover.gone, ROLES[0]) | contacts_of(handover.gone, ROLES[1])
    if not care.exists() and not Company.objects.filter(our_contact=handover.gone).exists():
        return
    start_job(
        kind=HAND_OVER_CONTACTS.name,
        now=handover.now,
        arguments={"gone": handover.gone, "successor": handover.successor, "actor": handover.actor},
        title="Hand over companies and contacts",
        created_by_id=handover.actor,
    )


def contacts_of(user_id: int, role: str) -> QuerySet[Contact]:
    """Return the contacts that a user cares for: by their company's or, without one, their own *our contact*; or as
    their service contact."""
    contacts = Contact.objects.filter(deleted_at=None)
    if role == "service_contact":
        return contacts.filter(service_contact=user_id)
    return contacts.filter(Q(company=None, our_contact=user_id) | Q(company__our_contact=user_id))


class HandOverContacts:
    """The job kind. Its cursor is the role and the last contact's id; companies without contacts come at the end."""

    name = "hand_over_contacts"

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Give the next contacts to the successor."""
        gone, successor = int(job.arguments["gone"]), int(job.arguments["successor"])
        role = str(job.cursor.get("role", ROLES[0]))
        after = int(job.cursor.get("after", 0))
        found = contacts_of(gone, role).filter(pk__gt=after).order_by("pk")
        ids = list(found.values_list("pk", flat=True)[:SLICE])
        if ids:
            _give(ids, role, successor, actor=int(job.arguments["actor"]), now=now)
        done = job.done + len(ids)
        if len(ids) == SLICE:
            return Slice({"role": role, "after": ids[-1]}, done, job.total, False)
        if role == ROLES[0]:
            return Slice({"role": ROLES[1], "after": 0}, done, job.total, False)
        Company.objects.filter(our_contact=gone).update(our_contact=successor)
        return Slice({"role": role, "after": 0}, done, done, True)


def _give(ids: Sequence[int], role: str, successor: int, *, actor: int, now: dt.datetime) -> None:
    with raw_cursor() as cursor:
        try:
            update_fields(
                cursor,
                tenant_id=require_tenant_id(),
                contact_ids=ids,
                changes=[Change(f"contact.{role}", "set", (str(successor),))],
                now=now,
                origin=Origin.BULK,
                actor_id=actor,
            )
        except BadChange as refusal:
            raise JobFailed(str(refusal)) from refusal


HAND_OVER_CONTACTS = HandOverContacts()
HANDOVER = Room(
    (
        Owned("crm_selection", "owner_id", ("selection", "selections")),
        Owned("crm_project", "owner_id", ("project", "projects")),
        Owned("crm_sale", "owner_id", ("open sale", "open sales"), where="status IN ('open', 'stalled')"),
        Owned("crm_request", "owner_id", ("open request", "open requests"), where="status <> 'closed'"),
        Owned(
            "crm_requestcategory",
            "owner_id",
            ("request category of theirs", "request categories of theirs"),
        ),
        Owned("crm_followup", "assignee_id", ("open follow-up", "open follow-ups"), where="status = 'open'"),
        Owned(
            "crm_company", "our_contact_id", ("company in their care", "companies in their care"), later=True
        ),
        Owned(
            "crm_contact",
            "our_contact_id",
            ("contact in their care", "contacts in their care"),
            where="company_id IS NULL AND deleted_at IS NULL",
            later=True,
        ),
        Owned(
            "crm_contact",
            "service_contact_id",
            ("contact whom they serve", "contacts whom they serve"),
            where="deleted_at IS NULL",
            later=True,
        ),
    ),
    first=_lock,
    last=_contacts_later,
)
