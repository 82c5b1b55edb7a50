"""When the answer of criteria may change: by which events, and by the mere passing of a day. Pure, but for lines about
selections: what dynamic ones ask is asked, too.

Waits and success are judged anew after these events (for the event's contact; a change of a company is an event of
each of its contacts), and once a day where the answer depends on today.
"""

from __future__ import annotations

from crm.criteria.field import CHANGED
from crm.criteria.fields import BUILT_IN
from crm.criteria.memberships import every_line
from crm.criteria.operators import RELATIVE
from crm.criteria.schema import Criteria, Line
from crm.events import KINDS, MERGED

_KINDS = {field.key: field.kinds for field in BUILT_IN}


def event_kinds(criteria: Criteria) -> frozenset[str]:
    """Return the kinds of events that intake hears of and after which the criteria may come true or false."""
    kinds = frozenset[str]().union(*(_kinds(line) for line in every_line(criteria)))
    return frozenset(kind for kind in kinds if kind in KINDS and KINDS[kind].inbox)


def judged_after(criteria: Criteria) -> frozenset[str]:
    """Return event_kinds, and that somebody was merged into the contact: they bring memberships, consents and a history
    along without an event for each."""
    kinds = event_kinds(criteria)
    return kinds | {MERGED} if kinds else kinds


def depends_on_today(criteria: Criteria) -> bool:
    """Whether the answer may change without an event that intake hears of: judge it once a day.

    That is so for days that are relative to today, for rows of such days ("in the last n days", "this month"), and for
    what the events of flows say: these are too many to be heard of one by one.
    """
    return any(
        line.operator in RELATIVE or line.days is not None or line.when in RELATIVE or _is_unheard(line)
        for line in every_line(criteria)
    )


def _kinds(line: Line) -> frozenset[str]:
    if line.field.startswith("consent."):
        return frozenset({"consent.given", "consent.withdrawn"})
    if line.field.startswith("subscription."):
        return frozenset({"unsubscribed", "subscribed"})
    return _KINDS.get(line.field, CHANGED)


def _is_unheard(line: Line) -> bool:
    return any(kind in KINDS and not KINDS[kind].inbox for kind in _kinds(line))
