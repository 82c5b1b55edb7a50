"""Contacts: create and edit one, with the same writers and events as everything else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import transaction

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from core.text import norm
from crm import search
from crm.bulk import Change, update_fields
from crm.bulk.changes import read_change
from crm.bulk.moves import Move, lines_of_moves
from crm.bulk.state import load
from crm.bulk.targets import targets_by_key
from crm.bulk.update import check_choices, record_changes, write_state
from crm.events import NewEvent, Origin, record_events
from crm.models import Company, Contact


def company_named(*, name: str, now: dt.datetime) -> Company:
    """Return the company with exactly this name, made if there is none."""
    cleaned = " ".join(name.split())[:200]
    company, made = Company.objects.get_or_create(
        name=cleaned, defaults={"name_norm": norm(cleaned), "created_at": now, "updated_at": now}
    )
    if made:
        words = {company.pk: search.words_of_company(name=cleaned)}
        with raw_cursor() as cursor:
            search.write_words(cursor, tenant_id=require_tenant_id(), kind=search.COMPANY, words=words)
    return company


@transaction.atomic
def create_contact(
    *,
    changes: Sequence[Change],
    company_name: str = "",
    now: dt.datetime,
    origin: Origin = Origin.USER,
    actor_id: int | None = None,
    country: str = "",
) -> Contact:
    """Create a contact with these values (each a `set` of crm.bulk). Writes contact.created.

    Raises BadChange. Category, business and our contact go to the company where one is named.
    """
    tenant_id = require_tenant_id()
    company = company_named(name=company_name, now=now) if company_name.strip() else None
    known = targets_by_key(change.field for change in changes)
    ready = [read_change(change, known.get(change.field), country) for change in changes]
    with raw_cursor() as cursor:
        check_choices(cursor, tenant_id, ready)
    contact = Contact.objects.create(company=company, origin=origin, created_at=now, updated_at=now)
    with raw_cursor() as cursor:
        wanted = list({change.target.key: change.target for change in ready}.values())
        state = load(cursor, tenant_id=tenant_id, contact_ids=[contact.pk], targets=wanted)
        owner = state.contacts[contact.pk]
        for change in ready:
            holder = state.owner(owner, change.target)
            if holder is not None:
                holder.new[change.target.key] = change.apply(holder.get(change.target.key), now.date())
        write_state(cursor, tenant_id=tenant_id, state=state, targets=wanted, now=now)
        record_changes(
            cursor,
            tenant_id=tenant_id,
            state=state,
            now=now,
            origin=origin,
            actor_id=actor_id,
            without=frozenset([contact.pk]),
        )
        company_id = company.pk if company else None
        event = NewEvent("contact.created", contact.pk, now, origin, company_id=company_id, actor_id=actor_id)
        record_events([event], cursor=cursor)
    contact.refresh_from_db()
    return contact


@transaction.atomic
def edit_contact(
    *,
    contact_id: int,
    changes: Sequence[Change],
    company_name: str | None = None,
    now: dt.datetime,
    actor_id: int | None = None,
    country: str = "",
    origin: Origin = Origin.USER,
) -> None:
    """Change fields of a contact, and its company ("" for none; None leaves it). Raises BadChange."""
    with raw_cursor() as cursor:
        if company_name is not None:
            _move(cursor, contact_id, company_name, now, origin, actor_id)
        update_fields(
            cursor,
            tenant_id=require_tenant_id(),
            contact_ids=[contact_id],
            changes=changes,
            now=now,
            origin=origin,
            actor_id=actor_id,
            country=country,
        )


def _move(
    cursor: psycopg.Cursor[Any],
    contact_id: int,
    company_name: str,
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None,
) -> None:
    contact = Contact.objects.select_for_update(of=("self",), no_key=True).get(pk=contact_id)
    company = company_named(name=company_name, now=now) if company_name.strip() else None
    new_id = company.pk if company else None
    if contact.company_id == new_id:
        return
    move_contact(cursor, contact_id, (contact.company_id, new_id), now=now, origin=origin, actor_id=actor_id)


def move_contact(
    cursor: psycopg.Cursor[Any],
    contact_id: int,
    way: tuple[int | None, int | None],
    *,
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None,
) -> None:
    """Move a locked contact from one company to another (None is none), and tell all that changes for it by that."""
    tenant_id, (old_id, new_id) = require_tenant_id(), way
    found = lines_of_moves(cursor, tenant_id=tenant_id, moves=[Move(contact_id, old_id, new_id)])
    Contact.objects.filter(pk=contact_id).update(company_id=new_id, updated_at=now)
    event = NewEvent(
        "contact.updated",
        contact_id,
        now,
        origin,
        company_id=new_id,
        data={"changes": found[contact_id]},
        actor_id=actor_id,
    )
    record_events([event], cursor=cursor)
