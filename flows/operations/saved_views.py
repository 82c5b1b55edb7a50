"""Saved views of the flow list: a name for what its address says. One's own, or shared with all who see flows."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.http import QueryDict

from accounts.models import Membership, User
from accounts.rights import Right
from flows.models import SavedView

# What of the list's address a view keeps; pages and unknown names are left out.
KEPT: Final = ("view", "tab", "q", "folder", "sort", "status", "owner", "uses", "group", "col")
MOST_VIEWS: Final = 50
MOST_COLUMNS: Final = 20
LONGEST: Final = 1_000


class ViewRefused(Exception):
    """The view cannot be kept so; the message is for the user."""


def kept_query(asked: QueryDict) -> str:
    """Return what a view keeps of an address, in a fixed order."""
    query = QueryDict(mutable=True)
    for name in KEPT:
        values = [value for value in asked.getlist(name) if value][: MOST_COLUMNS if name == "col" else 1]
        if values:
            query.setlist(name, values)
    return query.urlencode()


@transaction.atomic
def save_view(*, name: str, query: str, shared: bool, actor: User, now: dt.datetime) -> SavedView:
    """Keep a view; one of the user's own with the same name becomes this one. Raises ViewRefused."""
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise ViewRefused("Give the view a name of 60 characters at most.")
    if len(query) > LONGEST:
        raise ViewRefused("There is too much in this view to keep it.")
    own = SavedView.objects.filter(owner=actor)
    if not own.filter(name=name).exists() and own.count() >= MOST_VIEWS:
        raise ViewRefused(f"You have {MOST_VIEWS} views, the most there can be. Delete one first.")
    view, _ = SavedView.objects.update_or_create(
        owner=actor, name=name, defaults={"query": query, "shared": shared, "created_at": now}
    )
    return view


@transaction.atomic
def delete_view(*, view_id: int, member: Membership) -> str:
    """Delete a view and return its name: one's own; a shared one also a general administrator may. Raises
    SavedView.DoesNotExist."""
    view = SavedView.objects.select_for_update().get(pk=view_id)
    if view.owner_id != member.user_id and not (view.shared and member.may(Right.ADMINISTRATOR)):
        raise SavedView.DoesNotExist
    view.delete()
    return view.name


def views_for(member: Membership) -> list[SavedView]:
    """Return the member's own views, then those that others share; by name. One query."""
    own = SavedView.objects.filter(owner_id=member.user_id)
    shared = SavedView.objects.filter(shared=True)
    found = (own | shared).select_related("owner").order_by("name", "pk")
    return sorted(found, key=lambda view: view.owner_id != member.user_id)
