"""The flow list: who sees which flows, with their figures, by folder, tab and search.

A tenant's flows are few (thousands at most), their participants are not: figures come from the counters only, and
the number of queries does not depend on how many flows a page shows. Reads, never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Lower

from accounts.models import Membership
from flows.models import Flow, FlowFolder, FlowOpened
from flows.thumbnail import Picture, pictures
from flows.visibility import visible_flows
from participants.figures import FlowFigures, flow_figures
from participants.flow_page import Status, status_of
from reporting.flow_filters import grouped, narrowed

PAGE_SIZE: Final = 48
RECENT: Final = 20
TABS: Final = ("all", "recent", "running")

# Sorts that the database can do alone.
_BY_COLUMN: Final[dict[str, tuple[Any, ...]]] = {
    "name": (Lower("name"),),
    # Downwards: running, paused, not running.
    "status": ("status",),
    "owner": (Lower("owner__first_name"), Lower("owner__last_name"), "owner__email"),
    "updated": ("updated_at",),
    "created": ("created_at",),
    "started": ("started_at",),
    "folder": (Lower("folder__name"), Lower("name")),
    "opened": ("opened_at",),
}
# Sorts by a figure: all flows that match are compared.
_BY_FIGURE: Final[dict[str, Callable[[FlowFigures], float]]] = {
    "enrolled": lambda figures: figures.enrolled,
    "active": lambda figures: figures.active,
    "completed": lambda figures: figures.completed,
    "dropped": lambda figures: figures.dropped,
    "rate": lambda figures: -1.0 if figures.success_rate is None else figures.success_rate,
}
SORTS: Final = ("name", "status", "owner", "updated", "created", "started", "folder", *_BY_FIGURE)


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A flow as tiles and rows show it."""

    flow: Flow
    figures: FlowFigures
    # The group it stands in, where the list is grouped, and whether it is the first of it on the page.
    group: str = ""
    is_first: bool = False
    picture: Picture | None = None

    @property
    def status(self) -> Status:
        """The badge."""
        return status_of(self.flow)


@dataclass(frozen=True, slots=True)
class FlowListing:
    """What the list is asked for; the same names as in its URL."""

    tab: str = "all"
    search: str = ""
    folder_id: int | None = None
    sort: str = "updated"
    descending: bool = True
    page: int = 1
    status: str = ""
    owner_id: int | None = None
    uses: str = ""
    group: str = ""
    columns: tuple[str, ...] = ()

    @property
    def is_filtered(self) -> bool:
        """Whether a filter beside tab, folder and search is set."""
        return bool(self.status or self.owner_id is not None or self.uses)


@dataclass(frozen=True, slots=True)
class FlowList:
    """A page of the list."""

    rows: list[FlowRow]
    total: int
    page: int
    pages: int


@dataclass(slots=True)
class FolderNode:
    """A folder in the tree, with how many flows the member sees in it."""

    folder: FlowFolder
    depth: int
    flows: int
    children: list[FolderNode] = field(default_factory=list)

    @property
    def indent(self) -> str:
        """How much of a row of dashes stands before its name in a flat list."""
        return f":{2 * self.depth - 1}"


def flow_list(*, member: Membership, listing: FlowListing, with_pictures: bool = False) -> FlowList:
    """Return a page of the flows that the member sees, as asked for. Nine queries at most."""
    flows = _narrowed(member, listing)
    figures: Mapping[int, FlowFigures] = {}
    if listing.sort in _BY_FIGURE:
        ids, figures = _ids_by_figure(flows, listing)
    else:
        ids = _ids_by_column(flows, listing)
    ids, groups = grouped(ids, flows, listing.group)
    pages = max(1, -(-len(ids) // PAGE_SIZE))
    page = min(max(1, listing.page), pages)
    shown = ids[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    found = Flow.objects.select_related("owner", "folder").defer("draft").in_bulk(shown)
    figures = figures or flow_figures(shown)
    drawn = pictures(shown) if with_pictures else {}
    rows = [
        FlowRow(
            found[pk],
            figures[pk],
            group=groups.get(pk, ""),
            is_first=bool(groups) and (not at or groups[shown[at - 1]] != groups[pk]),
            picture=drawn.get(pk),
        )
        for at, pk in enumerate(shown)
    ]
    return FlowList(rows=rows, total=len(ids), page=page, pages=pages)


def _narrowed(member: Membership, listing: FlowListing) -> QuerySet[Flow]:
    flows = visible_flows(member)
    if listing.search:
        # A search looks in every folder: who searches does not know where it is.
        flows = flows.filter(name__icontains=listing.search)
    elif listing.folder_id is not None:
        flows = flows.filter(folder_id=listing.folder_id)
    if listing.tab == "running":
        flows = flows.filter(status=Flow.Status.RUNNING)
    flows = narrowed(flows, status=listing.status, owner_id=listing.owner_id, uses=listing.uses)
    mine = FlowOpened.objects.filter(user_id=member.user_id)
    if listing.tab == "recent":
        flows = flows.filter(pk__in=list(mine.order_by("-at").values_list("flow_id", flat=True)[:RECENT]))
    if listing.sort == "opened":
        flows = flows.annotate(opened_at=Subquery(mine.filter(flow=OuterRef("pk")).values("at")))
    return flows


def _ids_by_column(flows: QuerySet[Flow], listing: FlowListing) -> list[int]:
    columns = _BY_COLUMN.get(listing.sort, _BY_COLUMN["updated"])
    orders = [F(name) if isinstance(name, str) else name for name in columns]
    # Never started, in no folder: last, either way.
    ordered = [
        order.desc(nulls_last=True) if listing.descending else order.asc(nulls_last=True) for order in orders
    ]
    tie = "-pk" if listing.descending else "pk"
    return list(flows.order_by(*ordered, tie).values_list("pk", flat=True))


def _ids_by_figure(
    flows: QuerySet[Flow], listing: FlowListing
) -> tuple[list[int], Mapping[int, FlowFigures]]:
    """Return the ids in order, and the figures that decided it: nobody has to ask for them again."""
    measure = _BY_FIGURE[listing.sort]
    ids = list(flows.order_by("pk").values_list("pk", flat=True))
    figures = flow_figures(ids)
    return sorted(ids, key=lambda pk: (measure(figures[pk]), pk), reverse=listing.descending), figures


def folder_tree(*, member: Membership) -> list[FolderNode]:
    """Return the folders as a tree, children by name; two queries."""
    counts = (
        visible_flows(member)
        .filter(folder__isnull=False)
        .order_by()
        .values_list("folder_id")
        .annotate(Count("pk"))
    )
    numbers = dict(counts)
    folders = list(FlowFolder.objects.order_by(Lower("name"), "pk"))
    nodes = {folder.pk: FolderNode(folder, 0, numbers.get(folder.pk, 0)) for folder in folders}
    roots: list[FolderNode] = []
    for folder in folders:
        parent = nodes.get(folder.parent_id) if folder.parent_id else None
        (parent.children if parent else roots).append(nodes[folder.pk])
    _set_depth(roots, 0)
    return roots


def _set_depth(nodes: Sequence[FolderNode], depth: int) -> None:
    for node in nodes:
        node.depth = depth
        _set_depth(node.children, depth + 1)


def flattened(nodes: Sequence[FolderNode]) -> list[FolderNode]:
    """Return the tree as rows, top to bottom."""
    return [row for node in nodes for row in (node, *flattened(node.children))]
