"""A flow of a benchmark, written down as its rows: no editor, no checks of the document."""

from __future__ import annotations

from accounts.models import User
from core.clock import now
from delivery.models import Stream
from flows.document import FlowDocument
from flows.models import Flow, FlowRevision, Step


def make_flow(user: User, *, name: str) -> Flow:
    """Return a new flow without a document; it is not running."""
    moment = now()
    return Flow.objects.create(
        name=name,
        owner=user,
        status=Flow.Status.NOT_RUNNING,
        status_since=moment,
        draft={},
        stream=Stream.objects.create(name=name, state=Stream.State.HELD),
        created_at=moment,
        updated_at=moment,
    )


def save_document(flow: Flow, document: FlowDocument, user: User, *, status: str) -> None:
    """Make the document the flow's first revision, with its step rows, and start it in this status."""
    moment = now()
    FlowRevision.objects.create(
        flow=flow, number=1, document=document.model_dump(mode="json"), created_at=moment, created_by=user
    )
    Step.objects.bulk_create(
        Step(id=node.id, flow=flow, kind=node.kind, title=node.title, rank=rank)
        for rank, node in enumerate(document.walk())
    )
    Flow.objects.filter(pk=flow.pk).update(revision=1, status=status, started_at=moment)
    flow.refresh_from_db()
