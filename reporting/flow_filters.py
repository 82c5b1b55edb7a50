"""What the flow list can be narrowed, grouped and laid out by: the choices, and what they do to the query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from accounts.models import Membership, User
from crm.models import Usage
from flows.checking import LOADERS
from flows.models import Flow
from flows.visibility import visible_flows

# Columns of the list after the name: title, class of its cells, and what sorts it ("" where nothing does).
COLUMNS: Final[dict[str, tuple[str, str, str]]] = {
    "status": ("Status", "", "status"),
    "folder": ("Folder", "col-wide", "folder"),
    "owner": ("Owner", "col-wide nowrap", "owner"),
    "enrolled": ("Enrolled", "num", "enrolled"),
    "active": ("In progress", "num", "active"),
    "completed": ("Completed", "num col-wide", "completed"),
    "dropped": ("Dropped out", "num col-wide", "dropped"),
    "rate": ("Success rate", "num", "rate"),
    "updated": ("Updated", "col-wide nowrap", "updated"),
    "started": ("Started", "col-wide nowrap", "started"),
    "created": ("Created", "col-wide nowrap", "created"),
}
USUAL: Final = ("status", "owner", "enrolled", "active", "completed", "rate", "updated")
GROUPS: Final = {"status": "Status", "folder": "Folder", "owner": "Owner"}
# What flows use and people look for; the rest is asked where it is used.
USED: Final = {"email": "Email", "form": "Form", "link": "Tracked link", "selection": "Selection"}
MOST_USED: Final = 200


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is shown."""

    name: str
    title: str
    classes: str
    sort: str


def columns_of(names: Sequence[str]) -> list[Column]:
    """Return the columns with these names in the table's order; the usual ones where none is known."""
    chosen = [name for name in COLUMNS if name in names] or list(USUAL)
    return [Column(name, *COLUMNS[name]) for name in chosen]


def narrowed(flows: QuerySet[Flow], *, status: str, owner_id: int | None, uses: str) -> QuerySet[Flow]:
    """Return the flows of a status, of an owner, that use a thing ("email:7")."""
    if status in Flow.Status.values:
        flows = flows.filter(status=status)
    if owner_id is not None:
        flows = flows.filter(owner_id=owner_id)
    kind, _, number = uses.partition(":")
    if kind in USED and number.isascii() and number.isdigit() and len(number) < 18:
        users = Usage.objects.filter(user_kind="flow", used_kind=kind, used_id=int(number))
        flows = flows.filter(pk__in=users.values("user_id"))
    return flows


def grouped(ids: Sequence[int], flows: QuerySet[Flow], group: str) -> tuple[list[int], dict[int, str]]:
    """Return the ids with those of one group together, each group in the order given, and the group of each. One
    query; none without a group."""
    if group not in GROUPS:
        return list(ids), {}
    fields = {
        "status": ["status"],
        "folder": ["folder__name"],
        "owner": ["owner__first_name", "owner__last_name"],
    }
    labels: dict[int, str] = {}
    order: dict[str, tuple[int, str]] = {}
    statuses = [Flow.Status.RUNNING, Flow.Status.PAUSED, Flow.Status.NOT_RUNNING]
    for pk, *values in flows.order_by().values_list("pk", *fields[group]):
        if group == "status":
            label, rank = str(Flow.Status(values[0]).label), statuses.index(Flow.Status(values[0]))
        else:
            label = " ".join(value for value in values if value) or (
                "No folder" if group == "folder" else "No name"
            )
            rank = 1 if group == "folder" and not values[0] else 0
        labels[pk] = label
        order[label] = (rank, label.casefold())
    return sorted(ids, key=lambda pk: order[labels[pk]]), labels


def owners(member: Membership) -> list[tuple[int, str]]:
    """Return who owns flows that the member sees, by name; one query."""
    own = visible_flows(member).order_by().values("owner_id")
    users = User.objects.filter(pk__in=own).order_by("first_name", "last_name", "pk")
    return [(user.pk, str(user)) for user in users]


def used_things(member: Membership) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what visible flows use, by kind: (label, [("email:7", name)]). One query, and one for each kind."""
    pairs = (
        Usage.objects.filter(
            user_kind="flow", used_kind__in=USED, user_id__in=visible_flows(member).order_by().values("pk")
        )
        .order_by()
        .values_list("used_kind", "used_id")
        .distinct()[: MOST_USED * len(USED)]
    )
    by_kind: dict[str, list[int]] = {}
    for kind, number in pairs:
        by_kind.setdefault(kind, []).append(number)
    found = []
    for kind, label in USED.items():
        names = LOADERS[kind](by_kind[kind][:MOST_USED]) if kind in by_kind else {}
        rows = sorted(
            ((f"{kind}:{pk}", name) for pk, name in names.items()), key=lambda row: row[1].casefold()
        )
        if rows:
            found.append((label, rows))
    return found
