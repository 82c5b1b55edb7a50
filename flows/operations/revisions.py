"""Bringing an old revision back: it becomes the draft, a state like any other, so it can be undone."""

from __future__ import annotations

import datetime as dt

from accounts.models import User
from flows.editing.rules import checked
from flows.models import Flow
from flows.operations.consent import within_rights
from flows.operations.drafts import apply
from flows.queries import revision_document


def restore_revision(*, flow_id: int, number: int, base_version: int, actor: User, now: dt.datetime) -> Flow:
    """Make the document of a revision the draft and return the flow; saving it makes a new revision.

    It does not begin to send without consent for an actor who may not do that.
    Raises NeverSaved where there is no such revision, DraftConflict, NotEditable, IllegalEdit (PeopleInside too).
    """
    document = checked(revision_document(flow_id, number))
    return apply(
        flow_id=flow_id,
        base_version=base_version,
        change=lambda draft: within_rights(document, actor, now=draft),
        label=f"brought back revision {number}",
        actor=actor,
        now=now,
    )
