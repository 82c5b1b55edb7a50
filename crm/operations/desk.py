"""What the operations of sales and requests share: who may own them, and their changes in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from accounts.models import Membership


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
