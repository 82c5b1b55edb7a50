"""What a flow is called, where it is kept and who sees it: saved at once, not part of a revision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from delivery.models import Stream
from flows.models import Flow, FlowFolder
from flows.visibility import choose_viewers


@transaction.atomic
def update_details(
    *,
    flow: Flow,
    actor: User,
    now: dt.datetime,
    name: str,
    description: str,
    folder: FlowFolder | None,
    owner: User,
    visibility: str,
    user_ids: Sequence[int] = (),
    auth_group_ids: Sequence[int] = (),
) -> Flow:
    """Change name, description, folder, owner and *visible for*. Viewers count for chosen visibility only."""
    flow.name, flow.description, flow.folder, flow.owner = name, description, folder, owner
    flow.visibility, flow.updated_at = visibility, now
    flow.save(update_fields=["name", "description", "folder", "owner", "visibility", "updated_at"])
    chosen = visibility == Flow.Visibility.CHOSEN
    choose_viewers(
        flow=flow, user_ids=user_ids if chosen else (), auth_group_ids=auth_group_ids if chosen else ()
    )
    Stream.objects.filter(pk=flow.stream_id).update(name=name)
    payload = {"visibility": visibility, "owner": owner.pk}
    write_audit(
        actor=actor,
        action="flow.details",
        object_kind="flow",
        object_id=flow.pk,
        object_name=name,
        payload=payload,
    )
    return flow
