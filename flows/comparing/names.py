"""What the parts and settings of one document are called, for telling differences."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from pydantic import ValidationError

from core.kinds import UnknownKind
from crm.criteria.describe import describe
from flows.comparing.compare import Difference
from flows.document import Branch, FlowDocument, StepNode
from flows.editing.tree import lists
from flows.steps.base import CheckContext, Reference
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS

# Settings that name things by id, wherever they stand.
NAMED = {
    "flow": "flow",
    "selection": "selection",
    "exclusions": "selection",
    "remove_from_flows": "flow",
    "subscription_type": "subscription_type",
}
LABELS = {
    "kind": "Kind",
    "title": "Title",
    "note": "Internal note",
    "name": "Name",
    "criteria": "Who",
    "exit": "Exit flow",
    "flow": "go on to",
    "selection": "add to",
    "timezone": "Timezone",
    "starts_at": "Start time",
    "enrolment_ends_at": "Enrolment ends",
    "once_only": "A contact may start this flow only once",
    "remove_from_flows": "When enrolled, remove from these flows",
    "exclusions": "Exclusion list",
    "control_share": "Control group (%)",
    "move_to_finish": "Whoever meets it moves to Finish at once",
    "subscription_type": "Subscription type",
    "sender": "From",
    "reply_to": "Replies go to",
    "sms_sender": "SMS sender",
    "override_consent": "Send without consent and in spite of unsubscriptions",
    "timeframe": "Only send at certain times",
    "utm_source": "UTM source",
    "utm_campaign": "UTM campaign",
    "success": "With success",
    "no_success": "Without success",
    "text": "Text",
    "colour": "Colour",
    "step": "Where",
    "to": "until",
    "start": "from",
}
ONLY_ONE = {
    "settings": "Enrolment settings",
    "messages": "Message settings",
    "filter": "Filter",
    "finish": "Finish",
}
TYPES = {
    "step": "Step",
    "branch": "Branch",
    "trigger": "Trigger",
    "success": "Success criterion",
    "note": "Note",
}


@dataclass(frozen=True)
class Side:
    """One of the two documents, with the names of what it uses."""

    document: FlowDocument
    ctx: CheckContext

    def step(self, step_id: uuid.UUID | None) -> StepNode | None:
        """Return a step."""
        return self.document.step(step_id) if step_id else None

    def branch(self, branch_id: uuid.UUID | None) -> tuple[StepNode, Branch] | None:
        """Return a branch with its split."""
        for node in self.document.walk():
            for branch in node.branches:
                if branch.id == branch_id:
                    return node, branch
        return None

    def title(self, one: Difference) -> str:
        """Return what a part is called."""
        if one.of == "step":
            node = self.step(one.id)
            return (node.title or _kind_label(node)) if node else ""
        if one.of == "branch":
            found = self.branch(one.id)
            return found[1].name or "Unnamed branch" if found else ""
        if one.of in {"trigger", "success"}:
            return self.summary(one)
        if one.of == "note":
            return next((shortened(note.text) for note in self.document.notes if note.id == one.id), "")
        return ONLY_ONE.get(one.of, one.of.replace("_", " ").capitalize())

    def short(self, one: Difference) -> str:
        """Return what a part is called in a list of many."""
        if one.of == "branch":
            return f"branch “{self.title(one)}”"
        if one.of in {"trigger", "success", "note"}:
            return f"a {TYPES[one.of].lower()}"
        return f"“{self.title(one)}”" if one.of == "step" else f"the {self.title(one).lower()}"

    def summary(self, one: Difference) -> str:
        """Return what a part does, as its card says."""
        try:
            return self._summary(one)
        except (ValidationError, UnknownKind, ValueError):
            return ""

    def _summary(self, one: Difference) -> str:
        if one.of == "step" and (node := self.step(one.id)):
            return STEP_KINDS[node.kind].summary(node, self.ctx)
        if one.of == "branch" and (found := self.branch(one.id)):
            return STEP_KINDS[found[0].kind].branch_summary(*found, self.ctx)
        for trigger in self.document.triggers if one.of == "trigger" else ():
            if trigger.id == one.id:
                return TRIGGER_KINDS[trigger.kind].summary(trigger, self.ctx)
        for criterion in self.document.success if one.of == "success" else ():
            if criterion.id == one.id:
                return SUCCESS_KINDS[criterion.kind].summary(criterion, self.ctx)
        if one.of == "filter" and self.document.filter is not None:
            return describe(self.document.filter)
        return ""

    def place(self, one: Difference) -> str:
        """Return where a step or branch is."""
        if one.of == "branch":
            found = self.branch(one.id)
            if found is None:
                return ""
            number = [branch.id for branch in found[0].branches].index(one.id) + 1  # type: ignore[arg-type]
            return f"branch {number} of “{found[0].title}”"
        if one.of == "note":
            return next((self.above(note.step) for note in self.document.notes if note.id == one.id), "")
        for branch_id, steps in lists(self.document):
            ids = [node.id for node in steps]
            if one.id in ids:
                at = ids.index(one.id)
                inside = self.branch(branch_id)
                name = f"branch “{inside[1].name}”" if inside else ""
                if not at:
                    return f"the start of {name or 'the flow'}"
                return f"after “{steps[at - 1].title}”{f' in {name}' if name else ''}"
        return ""

    def above(self, step_id: uuid.UUID | None) -> str:
        """Return where a note is."""
        node = self.step(step_id)
        return f"above “{node.title or _kind_label(node)}”" if node else "at the start of the flow"

    def choice(self, one: Difference, name: str, value: str) -> str:
        """Return the words of a choice of a step's form; empty where it is none."""
        choices = getattr(_field(one, name, self), "choices", None)
        return str(dict(choices).get(value, "")) if isinstance(choices, list) else ""


def shortened(text: str) -> str:
    """Return what a note is called: how it begins."""
    line = " ".join(text.split())
    return (line if len(line) <= 60 else f"{line[:59]}…") or "Empty note"


def type_of(one: Difference, side: Side) -> str:
    """Return what kind of part it is."""
    node = side.step(one.id) if one.of == "step" else None
    return _kind_label(node) if node else TYPES.get(one.of, "Settings")


def _kind_label(node: StepNode) -> str:
    try:
        return STEP_KINDS[node.kind].label
    except UnknownKind:
        return node.kind


def _field(one: Difference, name: str, side: Side) -> forms.Field | None:
    node = side.step(one.id) if one.of == "step" else None
    if node is None:
        return None
    try:
        fields: dict[str, forms.Field] = STEP_KINDS[node.kind].Form.base_fields
    except UnknownKind:
        return None
    return fields.get(name)


def label_of(one: Difference, name: str, side: Side) -> str:
    """Return a setting's label: that of the step's form, else of the settings' pages."""
    field = _field(one, name, side)
    if field is not None and field.label:
        return str(field.label)
    plain = name.removeprefix("settings.")
    return LABELS.get(plain, plain.replace("_", " ").capitalize())


def named_by(one: Difference, name: str, value: Any, side: Side) -> str:
    """Return the kind of what a setting names by id; empty where it names nothing."""
    if one.of in {"settings", "messages"}:
        return NAMED.get(name, "")
    node = side.step(one.id) if one.of == "step" else None
    wanted = value if isinstance(value, list) else [value]
    if node is None or name not in node.settings or not all(isinstance(one, int) for one in wanted):
        return ""
    # What the step names no more once the setting is taken away, that setting named.
    without = node.model_copy(update={"settings": {k: v for k, v in node.settings.items() if k != name}})
    gone = set(_references(node)) - set(_references(without))
    return next((reference.kind for reference in gone if reference.id in wanted), "")


def _references(node: StepNode) -> list[Reference]:
    try:
        return list(STEP_KINDS[node.kind].references(node))
    except (ValidationError, UnknownKind):
        return []
