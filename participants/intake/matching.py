"""What of a slice of events concerns a flow: its triggers, its success criteria, and who is sent on to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.document import FlowDocument, Trigger
from flows.event_filter import EventFilter
from flows.models import Flow
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from participants.engine.ending import ONWARD
from participants.engine.route import route_of
from participants.success_events import event_rules


@dataclass(frozen=True, slots=True)
class Taken:
    """An event as intake sees it."""

    id: int
    kind: str
    contact_id: int
    company_id: int | None
    origin: str
    object_id: int | None
    object_key: str
    flow_id: int | None
    at: dt.datetime
    data: dict[str, Any]

    def passes(self, rule: EventFilter) -> bool:
        """Say whether the rule takes this event."""
        return rule.takes(self.kind, self.object_id, self.object_key, self.origin, self.data)


@dataclass(frozen=True, slots=True)
class Listener:
    """A flow that is on, and the kinds of events that mean something to it."""

    flow: Flow
    document: FlowDocument
    state_kinds: frozenset[str]
    success_rules: tuple[EventFilter, ...]
    kinds: frozenset[str]

    @classmethod
    def of(cls, flow: Flow) -> Listener:
        """Read what the newest revision listens to. Every flow hears what other flows send on to it."""
        document = route_of(flow_id=flow.pk, revision=flow.revision).document
        rules = event_rules(document)
        states: set[str] = set()
        for item in document.success:
            if SUCCESS_KINDS[item.kind].is_state:
                states |= SUCCESS_KINDS[item.kind].wakes_on(item)
        triggers = {kind for item in document.triggers for kind in TRIGGER_KINDS[item.kind].event_kinds}
        met_by = {kind for rule in rules for kind in (rule.kind, *rule.also)}
        heard = states | met_by | triggers | {ONWARD}
        return cls(flow, document, frozenset(states), tuple(rules), frozenset(heard))


@dataclass(slots=True)
class Match:
    """What of a slice concerns one flow: events by trigger, events that send contacts here, contacts whose state may
    have become a success, and events that are a success for whoever is in the flow (with the rule that took them).
    `too_early` are those that send contacts here but happened before the flow was started."""

    flow: Flow
    document: FlowDocument
    by_trigger: list[tuple[Trigger, list[Taken]]]
    onward: list[Taken]
    too_early: list[Taken]
    changed: list[int]
    successes: list[tuple[EventFilter, Taken]]

    @property
    def contacts(self) -> set[int]:
        """Everyone concerned."""
        triggered = {event.contact_id for _, events in self.by_trigger for event in events}
        succeeded = {event.contact_id for _, event in self.successes}
        sent = {event.contact_id for event in (*self.onward, *self.too_early)}
        return triggered | succeeded | sent | set(self.changed)


def match_events(listener: Listener, events: Sequence[Taken]) -> Match:
    """Sort out what concerns a flow. An event that a step of this flow caused never suggests for it."""
    flow, document = listener.flow, listener.document
    came = [event for event in events if _since_start(flow, event)]
    sent = [event for event in events if event.kind == ONWARD and event.object_id == flow.pk]
    by_trigger = []
    for trigger in document.triggers:
        rule = TRIGGER_KINDS[trigger.kind].event_filter(trigger)
        by_trigger.append((trigger, [e for e in came if e.flow_id != flow.pk and e.passes(rule)]))
    return Match(
        flow,
        document,
        by_trigger,
        onward=[event for event in sent if _since_start(flow, event)],
        too_early=[event for event in sent if not _since_start(flow, event)],
        # A state is judged as it is now, whatever moment its event is dated with: a consent has that of its form.
        changed=sorted({event.contact_id for event in events if event.kind in listener.state_kinds}),
        successes=[(rule, e) for rule in listener.success_rules for e in came if e.passes(rule)],
    )


def _since_start(flow: Flow, event: Taken) -> bool:
    return flow.started_at is not None and event.at >= flow.started_at
