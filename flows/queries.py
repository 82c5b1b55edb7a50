"""Reads of flows that other rooms need: the newest saved document."""

from __future__ import annotations

from functools import lru_cache

from django.db.models import QuerySet

from flows.document import FlowDocument
from flows.models import Flow, FlowRevision


class NeverSaved(LookupError):
    """The flow has no saved revision yet."""


def newest_document(flow_id: int) -> FlowDocument:
    """Return the document of the flow's newest revision; raise NeverSaved where there is none.

    Parsed once per revision: revisions are immutable and their ids are never used again.
    """
    number = Flow.objects.values_list("revision", flat=True).get(pk=flow_id)
    return revision_document(flow_id, number)


def has_unsaved_changes(flow: Flow) -> bool:
    """Say whether a saved flow that does not run has a draft other than its newest revision."""
    if not flow.revision or flow.status == Flow.Status.RUNNING:
        return False
    return FlowDocument.model_validate(flow.draft) != newest_document(flow.pk)


def revision_document(flow_id: int, number: int) -> FlowDocument:
    """Return the document of one revision; raise NeverSaved where there is none."""
    return parsed_revision(revision_id(flow_id, number))


def revision_id(flow_id: int, number: int) -> int:
    """Return the row id of a revision, which names one document for ever (a number may come again after a rollback);
    raise NeverSaved where there is none."""
    row = FlowRevision.objects.filter(flow_id=flow_id, number=number).values_list("id", flat=True).first()
    if row is None:
        raise NeverSaved(f"Flow {flow_id} has no revision {number}.")
    return row


@lru_cache(maxsize=256)
def parsed_revision(row_id: int) -> FlowDocument:
    """Return the document of a revision by its row id, parsed once per process."""
    document = FlowRevision.objects.values_list("document", flat=True).get(pk=row_id)
    return FlowDocument.model_validate(document)


def revisions_of(flow: Flow) -> QuerySet[FlowRevision]:
    """Return a flow's revisions, newest first, without their documents."""
    rows = FlowRevision.objects.filter(flow=flow).select_related("created_by")
    return rows.defer("document").order_by("-number")
