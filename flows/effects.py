"""What saving an edit does to the people inside, step by step: stay, go on, re-timed, dropped; counted, not guessed.

Reads documents, counts of people and of queued messages; changes nothing. Four queries, however many people and steps.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Count

from delivery.models import Message
from flows.document import ExitSettings, FlowDocument, StepNode
from flows.editing.tree import branch_path
from flows.models import Flow
from flows.occupancy import Inside, excluded_inside, people_inside
from flows.queries import newest_document
from flows.references import part
from flows.steps.table import STEP_KINDS
from flows.validation import is_valid_settings

FINISH = "Finish"


class Fate(StrEnum):
    """What the save does to people, or to their messages."""

    STAY = "stay"
    NEW = "new"
    GO_ON = "go on"
    DROP = "drop"
    MESSAGES = "messages"


FATES = {
    Fate.STAY: ("Stay", "clock"),
    Fate.NEW: ("New settings", "pencil-simple"),
    Fate.GO_ON: ("Go on", "arrow-bend-down-right"),
    Fate.DROP: ("Drop out", "sign-out"),
    Fate.MESSAGES: ("Messages", "envelope-simple"),
}


@dataclass(frozen=True, slots=True)
class Effect:
    """One line: to how many, where, what. `step_id` leads to those people; `may_retime` how many a tick would reckon
    anew from their arrival."""

    fate: Fate
    title: str
    text: str
    people: int = 0
    step_id: uuid.UUID | None = None
    part: str = ""
    may_retime: int = 0

    @property
    def label(self) -> str:
        """The badge."""
        return FATES[self.fate][0]

    @property
    def icon(self) -> str:
        """Its icon."""
        return FATES[self.fate][1]


@dataclass(frozen=True, slots=True)
class Review:
    """All effects of a save. `untouched` stand where nothing changes for them until their next step."""

    people: int
    effects: Sequence[Effect]
    untouched: int


def review_of(flow: Flow, new: FlowDocument) -> Review | None:
    """Return what saving `new` does to the people and messages inside; None where it does nothing to anybody."""
    if not flow.revision:
        return None
    old = newest_document(flow.pk)
    if old == new:
        return None
    inside, queued = people_inside(flow.pk), _queued(flow.pk)
    if not inside.number and not queued:
        return None
    effects = [
        *_of_steps(old, new, inside, queued),
        *_of_frame(flow, old, new, inside, sum(queued.values())),
    ]
    told = {effect.step_id for effect in effects}
    untouched = inside.before + sum(n for step, n in inside.at.items() if step not in told)
    return Review(people=inside.number, effects=effects, untouched=untouched)


def _queued(flow_id: int) -> Mapping[uuid.UUID, int]:
    rows = Message.objects.filter(flow_id=flow_id, step_id__isnull=False, status=Message.Status.QUEUED)
    counted = rows.order_by().values_list("step_id").annotate(Count("id"))
    return {step: count for step, count in counted if step}


def _of_steps(
    old: FlowDocument, new: FlowDocument, inside: Inside, queued: Mapping[uuid.UUID, int]
) -> Iterator[Effect]:
    before, after = _following(old), _following(new)
    was, times = old.settings, new.settings
    other_times = (was.messages.timeframe, was.timezone) != (times.messages.timeframe, times.timezone)
    titles = {node.id: node.title for node in (*old.walk(), *new.walk())}
    for node in old.walk():
        here, messages, now = inside.at.get(node.id, 0), queued.get(node.id, 0), new.step(node.id)
        if now is None:
            yield from _removed(node, here, messages, _goes_to(node.id, before, new, titles))
        elif here:
            text = _same_step(node, now, _moved(old, new, node))
            if other_times and STEP_KINDS[now.kind].channel:
                text = f"{text} They are tried again by the new timeframe.".lstrip()
            way = _way_on(node.id, before, after, titles)
            waits = inside.waiting.get(node.id, 0) if _asks(node) != _asks(now) else 0
            if text or way:
                is_wait = STEP_KINDS[node.kind].is_wait
                fate = Fate.STAY if is_wait or not text else Fate.NEW
                yield Effect(
                    fate,
                    now.title,
                    " ".join(filter(None, [text, way])),
                    here,
                    node.id,
                    part("step", node.id),
                    waits if is_wait else 0,
                )


def _removed(node: StepNode, here: int, messages: int, then: str) -> Iterator[Effect]:
    if here:
        yield Effect(Fate.GO_ON, node.title, f"The step is removed: they go on with {then}.", here, node.id)
    if messages:
        text = f"{_number(messages, 'queued message')} of this removed step {_is(messages)} cancelled."
        yield Effect(Fate.MESSAGES, node.title, text)


def _asks(node: StepNode) -> Any:
    """What a step does, apart from its title and note; settings that say the same are the same."""
    return STEP_KINDS[node.kind].settings(node) if is_valid_settings(node) else node.settings


def _same_step(old: StepNode, new: StepNode, moved: bool) -> str:
    kind = STEP_KINDS[new.kind]
    texts = []
    if _asks(old) != _asks(new):
        texts.append(
            "They keep the end time, the actions and the exit that they arrived with."
            if kind.is_wait
            else "The new settings count for them: the step is still to be done."
        )
    if kind.has_branches and [b.model_dump(exclude={"steps"}) for b in old.branches] != [
        b.model_dump(exclude={"steps"}) for b in new.branches
    ]:
        texts.append("They take the way by the new branches.")
    if moved:
        texts.append("They go on from the step's new place.")
    return " ".join(texts)


def _moved(old: FlowDocument, new: FlowDocument, node: StepNode) -> bool:
    return branch_path(old, node.id) != branch_path(new, node.id)


Follows = Mapping[uuid.UUID, uuid.UUID | ExitSettings | None]


def _following(document: FlowDocument) -> Follows:
    """Return what comes after each step: a step, an exit, or None for Finish."""
    found: dict[uuid.UUID, uuid.UUID | ExitSettings | None] = {}

    def read(steps: tuple[StepNode, ...], end: uuid.UUID | ExitSettings | None) -> None:
        for index, node in enumerate(steps):
            found[node.id] = steps[index + 1].id if index + 1 < len(steps) else end
            for branch in node.branches:
                read(branch.steps, branch.exit or found[node.id])

    read(document.steps, None)
    return found


Titles = Mapping[uuid.UUID, str]


def _goes_to(step_id: uuid.UUID, before: Follows, new: FlowDocument, titles: Titles) -> str:
    """Return where somebody goes from a removed step: the first step after it that is still there."""
    place = before[step_id]
    while isinstance(place, uuid.UUID) and new.step(place) is None:
        place = before[place]
    return _name(place, titles)


def _way_on(step_id: uuid.UUID, before: Follows, after: Follows, titles: Titles) -> str:
    if before[step_id] == after[step_id]:
        return ""
    return f"Then they go on with {_name(after[step_id], titles)}, not {_name(before[step_id], titles)}."


def _name(place: uuid.UUID | ExitSettings | None, titles: Titles) -> str:
    if isinstance(place, uuid.UUID):
        return f"“{titles[place]}”"
    return FINISH if place is None else "Exit flow"


def _of_frame(
    flow: Flow, old: FlowDocument, new: FlowDocument, inside: Inside, queued: int
) -> Iterator[Effect]:
    added = set(new.settings.exclusions) - set(old.settings.exclusions)
    excluded = excluded_inside(flow.pk, added)
    if excluded:
        text = "They are on the exclusion list now and drop out before their next step."
        yield Effect(Fate.DROP, "Exclusion list", text, excluded, part="settings")
    finish = (old.success, old.settings.move_to_finish) != (new.success, new.settings.move_to_finish)
    if inside.number and finish:
        at_once = " Whoever meets them finishes at once." if new.settings.move_to_finish else ""
        text = f"The new success criteria count for everyone inside.{at_once}"
        yield Effect(Fate.NEW, "Success criteria", text, inside.number, part="finish")
    if inside.number and old.finish != new.finish:
        text = (
            "Whoever finishes from now on goes on by the new settings of Finish: onward flow and selection."
        )
        yield Effect(Fate.NEW, FINISH, text, inside.number, part="finish")
    if queued and old.settings.messages != new.settings.messages:
        text = f"{_number(queued, 'queued message')} {_is(queued, 'goes', 'go')} by the new settings."
        yield Effect(Fate.MESSAGES, "Message settings", text, part="messages")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _is(count: int, one: str = "is", many: str = "are") -> str:
    return one if count == 1 else many
