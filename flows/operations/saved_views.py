"""Saved views of the flow list and of a flow's participants: a name for what the list's address says. One's own, or
shared with all who see flows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.http import QueryDict

from accounts.models import Membership, User
from accounts.rights import Right
from flows.models import SavedView

FLOWS, PARTICIPANTS = SavedView.Place.FLOWS, SavedView.Place.PARTICIPANTS
# What of the list's address a view keeps; pages and unknown names are left out.
KEPT: Final[Mapping[str, Sequence[str]]] = {
    FLOWS: ("view", "tab", "q", "folder", "sort", "status", "owner", "uses", "group", "col"),
    PARTICIPANTS: ("q", "status", "step", "reason", "held", "sort", "group", "col"),
}
# A view that names one of these means something in its own flow only.
OF_ONE_FLOW: Final = frozenset({"step"})
MOST_VIEWS: Final = 50
MOST_COLUMNS: Final = 20
LONGEST: Final = 1_000


class ViewRefused(Exception):
    """The view cannot be kept so; the message is for the user."""


def kept_query(asked: QueryDict, place: str = FLOWS) -> str:
    """Return what a view keeps of an address, in a fixed order."""
    query = QueryDict(mutable=True)
    for name in KEPT[place]:
        values = [value for value in asked.getlist(name) if value][: MOST_COLUMNS if name == "col" else 1]
        if values:
            query.setlist(name, values)
    return query.urlencode()


@transaction.atomic
def save_view(
    *,
    name: str,
    query: str,
    shared: bool,
    actor: User,
    now: dt.datetime,
    place: str = FLOWS,
    flow_id: int | None = None,
) -> SavedView:
    """Keep a view; one of the user's own with the same name becomes this one. `flow_id` is where it was made: kept
    where the view means nothing elsewhere. Raises ViewRefused."""
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise ViewRefused("Give the view a name of 60 characters at most.")
    if len(query) > LONGEST:
        raise ViewRefused("There is too much in this view to keep it.")
    own = SavedView.objects.filter(owner=actor, place=place)
    flow_id = flow_id if OF_ONE_FLOW & QueryDict(query).keys() else None
    same = own.filter(flow=None) if flow_id is None else own.filter(flow_id=flow_id)
    if not same.filter(name=name).exists() and own.count() >= MOST_VIEWS:
        raise ViewRefused(f"You have {MOST_VIEWS} views, the most there can be. Delete one first.")
    view, _ = same.update_or_create(
        owner=actor,
        place=place,
        name=name,
        defaults={"query": query, "shared": shared, "created_at": now, "flow_id": flow_id},
    )
    return view


@transaction.atomic
def delete_view(*, view_id: int, member: Membership, place: str = FLOWS) -> str:
    """Delete a view of a list and return its name: one's own; a shared one also a general administrator may. Raises
    SavedView.DoesNotExist."""
    view = SavedView.objects.select_for_update().get(pk=view_id, place=place)
    if view.owner_id != member.user_id and not (view.shared and member.may(Right.ADMINISTRATOR)):
        raise SavedView.DoesNotExist
    view.delete()
    return view.name


def views_for(member: Membership, place: str = FLOWS, flow_id: int | None = None) -> list[SavedView]:
    """Return the member's own views of a list, then those that others share; by name: of every flow's list, and of this
    flow's. One query."""
    mine = Q(owner_id=member.user_id) | Q(shared=True)
    here = Q(flow=None) | Q(flow_id=flow_id)
    found = SavedView.objects.filter(mine, here, place=place).select_related("owner").order_by("name", "pk")
    return sorted(found, key=lambda view: view.owner_id != member.user_id)
