"""Merging two contacts: one stays, with the values that were chosen; everything of the other moves to it, for good.

Knows no room above: core.merging asks each of them, by the table in the settings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import psycopg
from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.db.cursors import raw_cursor
from core.erasure import Person
from core.merging import Pair, finish, move, prepare
from core.tenancy import require_tenant_id
from crm.bulk.state import Owner, State, load
from crm.bulk.targets import Target
from crm.bulk.update import record_changes, write_state
from crm.erasure import TOMBSTONE
from crm.events import MERGED, NewEvent, Origin, record_events
from crm.models import Contact, MergedContact
from crm.operations.contacts import move_contact
from crm.queries.merging import COMPANY, INTERESTS, comparable_targets, pair_of, seen_mark

# Some tables (suggestions, notes to colleagues) are searched through; a batch in flight is waited for.
_SECONDS, _WAIT_SECONDS = 60, 5


class CannotMerge(ValueError):
    """The two cannot be merged; the message says why."""


class AlreadyMerged(CannotMerge):
    """The one that should go has gone into the one that should stay already: a second click."""


class ChangedMeanwhile(CannotMerge):
    """One of the two changed since the page was shown: what was chosen may not be what is wanted now."""


@transaction.atomic
def merge_contacts(
    *,
    kept_id: int,
    gone_id: int,
    from_gone: Collection[str] = (),
    seen: str | None = None,
    actor: User,
    now: dt.datetime,
) -> None:
    """Merge the contact `gone_id` into `kept_id`.

    `from_gone` are the keys of fields (and "company") whose value the kept one takes from the other. Category, business
    and our contact follow the company where there is one; interests of both are kept. `seen` (seen_mark) is what the
    person who decides has looked at. Waits for batches that hold one of the two. Raises AlreadyMerged, ChangedMeanwhile
    and CannotMerge; there is no way back.
    """
    tenant_id = require_tenant_id()
    with raw_cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{_SECONDS}s'")
        cursor.execute(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'")
        prepare(cursor, tenant_id)
        kept, gone = _locked(kept_id, gone_id)
        if seen is not None and seen != seen_mark(kept, gone):
            raise ChangedMeanwhile("One of the two was changed meanwhile: look at them again.")
        pair = pair_of(kept, gone, now)
        told = str(gone)
        _take_values(cursor, kept=kept, gone=gone, keys=set(from_gone), now=now, actor_id=actor.pk)
        move(cursor, pair)
        _remember(gone, kept, actor, now)
        _empty(cursor, pair)
        finish(cursor, pair)
        event = NewEvent(
            MERGED,
            kept_id,
            now,
            Origin.MERGE,
            company_id=kept.company_id,
            data={"name": told, "merged": gone_id},
            actor_id=actor.pk,
        )
        record_events([event], cursor=cursor)
    payload = {"merged": gone_id, "name": told, "from_merged": sorted(from_gone)}
    write_audit(
        actor=actor,
        action="contact.merged",
        object_kind="contact",
        object_id=kept_id,
        object_name=str(kept),
        payload=payload,
    )


def _locked(kept_id: int, gone_id: int) -> tuple[Contact, Contact]:
    """Lock both in the order of their ids, as everyone does."""
    if kept_id == gone_id:
        raise CannotMerge("A contact cannot be merged with itself.")
    rows = Contact.objects.select_for_update(of=("self",)).filter(pk__in=[kept_id, gone_id], deleted_at=None)
    found = {row.pk: row for row in rows.order_by("pk")}
    if gone_id not in found and MergedContact.objects.filter(merged_id=gone_id, contact=kept_id).exists():
        raise AlreadyMerged("These two are one already.")
    if len(found) < 2:
        raise CannotMerge("One of the two does not exist any more.")
    return found[kept_id], found[gone_id]


def _take_values(
    cursor: psycopg.Cursor[Any],
    *,
    kept: Contact,
    gone: Contact,
    keys: set[str],
    now: dt.datetime,
    actor_id: int,
) -> None:
    """Write the chosen values to the kept contact, and tell of what changed."""
    tenant_id = require_tenant_id()
    wanted = comparable_targets()
    moved = COMPANY in keys and kept.company_id != gone.company_id
    if moved:
        _take_company(cursor, kept, gone, now, actor_id)
    state = load(
        cursor, tenant_id=tenant_id, contact_ids=sorted((kept.pk, gone.pk)), targets=wanted, lock=False
    )
    owner, other = state.contacts[kept.pk], state.contacts[gone.pk]
    for target in wanted:
        if target.key == INTERESTS:
            owner.new[target.key] = owner.old[target.key] | other.old[target.key]
        elif target.place == "shared":
            _take_shared(owner, other, target, keys, moved=moved)
        elif target.key in keys:
            owner.new[target.key] = other.get(target.key)
    only = State({kept.pk: owner}, {})
    write_state(cursor, tenant_id=tenant_id, state=only, targets=wanted, now=now)
    record_changes(cursor, tenant_id=tenant_id, state=only, now=now, origin=Origin.MERGE, actor_id=actor_id)


def _take_shared(owner: Owner, other: Owner, target: Target, keys: set[str], *, moved: bool) -> None:
    """Category, business and our contact are a contact's own only where there is no company."""
    if owner.company_id is None and other.company_id is None and (moved or target.key in keys):
        owner.new[target.key] = other.get(target.key)


def _take_company(
    cursor: psycopg.Cursor[Any], kept: Contact, gone: Contact, now: dt.datetime, actor_id: int
) -> None:
    way = (kept.company_id, gone.company_id)
    move_contact(cursor, kept.pk, way, now=now, origin=Origin.MERGE, actor_id=actor_id)
    kept.company = gone.company


def _remember(gone: Contact, kept: Contact, actor: User, now: dt.datetime) -> None:
    MergedContact.objects.create(
        contact=kept,
        merged_id=gone.pk,
        first_name=gone.first_name,
        last_name=gone.last_name,
        email=gone.email,
        email_norm=gone.email_norm,
        mobile=gone.mobile,
        phone=gone.phone,
        at=now,
        by=actor,
    )


def _empty(cursor: psycopg.Cursor[Any], pair: Pair) -> None:
    """An empty tombstone stays, as after erasing: numbers in old links lead from it to the kept contact."""
    cursor.execute(TOMBSTONE.sql(), Person(pair.tenant_id, pair.gone, pair.now).parameters())
    cursor.execute(
        "DELETE FROM crm_searchword WHERE tenant_id = %s::bigint AND kind = 'contact' AND object_id = %s::bigint",
        [pair.tenant_id, pair.gone],
    )
