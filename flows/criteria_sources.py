"""What criteria may name of this room (settings.CRITERIA_SOURCES): the flows that flow history is asked about."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from crm.criteria.sources import Choice, Source
from flows.models import Flow
from flows.visibility import unseen_flows, veiled


def _choices() -> list[Choice]:
    rows = Flow.objects.order_by("name", "id").values_list("id", "name", "deleted_at")
    unseen = unseen_flows([pk for pk, _, _ in rows])
    return [
        Choice(str(pk), name, deleted_at is not None) for pk, name, deleted_at in rows if pk not in unseen
    ]


def _names(ids: Collection[int]) -> Mapping[int, str]:
    # A deleted flow keeps its name for history.
    return veiled(dict(Flow.objects.filter(pk__in=ids).values_list("id", "name")))


FLOWS = Source(_choices, _names, unseen_flows)
