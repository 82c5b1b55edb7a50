"""What the operations of sales and requests share: the form that is sent twice, who may own them, their changes in
words, their words for the search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from django.db.models import Model

from accounts.models import Membership
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm import search
from crm.bulk import NewRequest, NewSale
from crm.bulk.facts import TITLE, one_line
from crm.models import Contact, Request, Sale

M = TypeVar("M", Sale, Request)
R = TypeVar("R", NewSale, NewRequest)


class NoSuchOwner(ValueError):
    """The user is no active member of the tenant."""


class ContactGone(ValueError):
    """The contact was erased meanwhile."""


def check_owner(user_id: int | None) -> None:
    """Raise NoSuchOwner for a user who is no active member; nobody (None) is allowed.

    Users are global, so the database does not know whose they are.
    """
    if user_id is None:
        return
    if not Membership.objects.filter(user_id=user_id, is_active=True, user__is_active=True).exists():
        raise NoSuchOwner("The user is not active any more: choose another.")


def sent_before(model: type[M], row: R) -> tuple[M | None, R]:
    """Return what the same form made before (None: nothing), and the row to make else.

    Whoever sends the same form at the same moment waits here, at the contact.
    """
    Contact.objects.select_for_update(of=("self",), no_key=True).filter(pk=row.contact_id).first()
    known = model._default_manager.filter(form_key=row.form_key).first() if row.form_key else None
    if known and known.contact_id == row.contact_id and known.title == one_line(row.title, TITLE):
        return known, row
    # A form that was gone back to and changed is another one.
    return None, replace(row, form_key=None) if known else row


def write_words(row: Sale | Request, kind: str) -> None:
    """Make a title that was changed findable."""
    with raw_cursor() as cursor:
        words = {row.pk: search.words_of_text(row.title)}
        search.write_words(cursor, tenant_id=require_tenant_id(), kind=kind, words=words)


def columns_of(row: Sale | Request) -> dict[str, Any]:
    """Return the columns of a row for its event; the participant that made it did not do this."""
    found = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {**found, "participant_id": None}


def changes_in_words(row: Model, changed: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return {field: [old, new]} as the timeline shows it; `changed` holds new values by column."""
    return {
        name.removesuffix("_id"): [_word(row, name, getattr(row, name)), _word(row, name, new)]
        for name, new in changed.items()
    }


def _word(row: Model, column: str, value: Any) -> str:
    target: Any = row._meta.get_field(column.removesuffix("_id")).related_model
    if target is None or target == "self":
        return str(value)[:200]
    found = target._default_manager.filter(pk=value).first() if value else None
    return str(found)[:200] if found else ""
