"""Gives a flow another name, wherever it stands."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from delivery.models import Stream
from flows.models import Flow
from flows.operations.usage import rename_in_usage


@transaction.atomic
def rename_flow(*, flow_id: int, name: str, actor: User, now: dt.datetime) -> Flow:
    """Rename a flow; its messages' stream goes by the same name. Raises Flow.DoesNotExist."""
    flow = Flow.objects.select_for_update(no_key=True, of=("self",)).get(pk=flow_id, deleted_at=None)
    before, flow.name, flow.updated_at = flow.name, name, now
    flow.save(update_fields=["name", "updated_at"])
    Stream.objects.filter(pk=flow.stream_id).update(name=name)
    rename_in_usage(flow)
    write_audit(
        actor=actor,
        action="flow.rename",
        object_kind="flow",
        object_id=flow.pk,
        object_name=name,
        payload={"before": before},
    )
    return flow
