"""Why not? For a contact that is not in a flow: the kept verdict, or a judgement now that enrols nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.db.cursors import raw_cursor
from flows.models import Flow
from participants.engine.route import route_of
from participants.models import Suggestion
from participants.operations.judging import Source, judge


@dataclass(frozen=True, slots=True)
class WhyNot:
    """A verdict with the values it saw. `at` is when it was judged; `kept` says that it was a real suggestion,
    otherwise the contact was never suggested and this is what would be judged now."""

    verdict: str
    label: str
    values: Mapping[str, Any]
    at: dt.datetime
    kept: bool


def why_not(*, flow_id: int, contact_id: int, now: dt.datetime) -> WhyNot | None:
    """Return the newest kept verdict of a contact for a flow, else the verdict of now; None for an unknown contact
    or a flow that was never saved. Three queries at most."""
    newest = Suggestion.objects.filter(flow_id=flow_id, contact_id=contact_id).order_by("-id").first()
    if newest is not None:
        label = Suggestion.Verdict(newest.verdict).label
        return WhyNot(newest.verdict, str(label), newest.values or {}, newest.at, kept=True)
    return judge_now(flow_id=flow_id, contact_id=contact_id, now=now)


def judge_now(*, flow_id: int, contact_id: int, now: dt.datetime) -> WhyNot | None:
    """Return the verdict that a suggestion would get now; nothing is written."""
    flow = Flow.objects.filter(pk=flow_id, revision__gt=0).first()
    if flow is None:
        return None
    document = route_of(flow_id=flow.pk, revision=flow.revision).document
    with raw_cursor() as cursor:
        judged = judge(
            cursor, flow=flow, document=document, contact_id=contact_id, source=Source("manual"), now=now
        )
    if judged is None:
        return None
    verdict, values = judged
    return WhyNot(str(verdict), str(Suggestion.Verdict(verdict).label), values or {}, now, kept=False)
