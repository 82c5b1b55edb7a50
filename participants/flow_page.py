"""What every page of one flow shares: its header with status, place in the folders, rights and tabs.

Used by the pages of participants and, from above, of reporting. Five queries, whatever the flow's size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import Http404

from accounts.http import TenantRequest
from accounts.models import Membership
from accounts.queries import tenant_now
from accounts.rights import Right
from flows.models import Flow, FlowFolder
from flows.operations.lifecycle import begins_later
from flows.operations.opened import note_opened
from flows.visibility import visible_flows
from participants.figures import FlowFigures, flow_figures


@dataclass(frozen=True, slots=True)
class Status:
    """A flow's status as the badge shows it: word, icon, tone."""

    label: str
    icon: str
    tone: str


STATUSES = {
    Flow.Status.NOT_RUNNING: Status("Not running", "stop-circle", ""),
    Flow.Status.RUNNING: Status("Running", "play-circle", "is-good"),
    Flow.Status.PAUSED: Status("Paused", "pause-circle", "is-warn"),
}
ENDED = Status("Ended", "stop-circle", "")
NEVER_SAVED = Status("Draft", "pencil-simple-line", "")


def status_of(flow: Flow) -> Status:
    """Return the badge: a flow that is not running is a draft, ended, or just not running."""
    if flow.status == Flow.Status.NOT_RUNNING:
        if flow.started_at:
            return ENDED
        return STATUSES[Flow.Status.NOT_RUNNING] if flow.revision else NEVER_SAVED
    return STATUSES[Flow.Status(flow.status)]


@dataclass(frozen=True, slots=True)
class FlowPage:
    """The header of one flow, for one member."""

    flow: Flow
    folders: Sequence[FlowFolder]
    figures: FlowFigures
    may_run: bool
    may_write: bool
    may_export: bool
    # It runs, but its start time is still to come.
    waits_to_begin: bool = False

    @property
    def status(self) -> Status:
        """The badge."""
        return status_of(self.flow)

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.flow.status == Flow.Status.RUNNING

    @property
    def is_off(self) -> bool:
        """Whether its triggers are off."""
        return self.flow.status == Flow.Status.NOT_RUNNING


def flow_page(request: TenantRequest, flow_id: int) -> FlowPage:
    """Return the header of a flow that the member may look at; raise Http404 for any other.

    A page that somebody opens counts as a look at the flow (the tab Recent), parts that it asks for by itself do not.
    """
    member = request.member
    flow = visible_flows(member).select_related("owner").filter(pk=flow_id).first()
    if flow is None:
        raise Http404
    if request.method == "GET" and request.accepts("text/html") and not request.htmx:
        note_opened(flow_id=flow.pk, user=request.user, now=tenant_now(request.tenant.pk))
    return FlowPage(
        flow=flow,
        folders=folder_line(flow.folder_id),
        figures=flow_figures([flow.pk])[flow.pk],
        may_run=member.may(Right.FLOW_ADMINISTRATOR),
        may_write=member.may(Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT),
        may_export=member.may(Right.EXPORT),
        waits_to_begin=flow.status == Flow.Status.RUNNING
        and flow.starts_at is not None
        and begins_later(flow, now=tenant_now(request.tenant.pk)),
    )


def visible_flow(member: Membership, flow_id: int) -> Flow:
    """Return a flow that the member may look at; raise Http404 for any other."""
    flow = visible_flows(member).filter(pk=flow_id).first()
    if flow is None:
        raise Http404
    return flow


def folder_line(folder_id: int | None) -> list[FlowFolder]:
    """Return the folders from the top down to this one; one query (folders are few)."""
    if folder_id is None:
        return []
    folders, line = FlowFolder.objects.in_bulk(), []
    current: int | None = folder_id
    while current is not None and current in folders:
        line.append(folders[current])
        current = folders[current].parent_id
    return line[::-1]
