"""Update contact: lines of field, action and value, written to the contact or its company.

What each action does to which type of field is crm's (crm.bulk); a line on a company field is left out for a contact
without a company.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from accounts.stand_ins import stand_ins
from crm import bulk
from crm.events import Origin
from flows.document import StepNode
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Outcomes,
    Problem,
    Reference,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.update_contact_form import UpdateContactForm


class UpdateLine(BaseModel):
    """One change: a field, an action of its type, and values in that action's order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str = ""
    action: str = "set"
    values: tuple[str | int | float | bool, ...] = ()


class UpdateContactSettings(StepSettings):
    """The changes, in the order they are made."""

    lines: tuple[UpdateLine, ...] = ()


class UpdateContact(StepKind):
    """See the module."""

    name = "update_contact"
    label = "Update contact"
    description = "Change fields of the contact or its company."
    icon = "pencil-simple"
    family = "data"
    Settings = UpdateContactSettings
    Form = UpdateContactForm

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Describe the first change and count the others."""
        settings: UpdateContactSettings = self.settings(node)
        if not settings.lines:
            return "No changes yet"
        first = settings.lines[0]
        text = bulk.describe_change(bulk.Change(first.field, first.action, first.values))
        return text if len(settings.lines) == 1 else f"{text} and {len(settings.lines) - 1} more"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """There must be a change, and each must make sense."""
        changes = self.changes(node)
        if not changes:
            return [Problem("Say what to change", place="lines")]
        return [
            Problem(text, place=f"lines.{position}")
            for position, change in enumerate(changes)
            for text in (*bulk.change_problems(change), *_gone_users(change, ctx))
        ]

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the custom fields and list values that the lines name."""
        for change in self.changes(node):
            yield from (Reference(kind, object_id) for kind, object_id in bulk.change_references(change))

    def changes(self, node: StepNode) -> list[bulk.Change]:
        """Return the lines as crm takes them."""
        settings: UpdateContactSettings = self.settings(node)
        return [bulk.Change(line.field, line.action, line.values) for line in settings.lines]

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Make the changes for everyone; company fields of those without a company are left out, and noted."""
        result = bulk.update_fields(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            contact_ids=cohort.contact_ids,
            changes=_with_stand_ins(self.changes(cohort.node), ctx),
            now=ctx.now,
            origin=Origin.FLOW,
            flow_id=ctx.flow_id,
            zone=ctx.settings.zone,
        )
        left_out = {
            traveller.id: Advance(values={"left_out": result.skipped[traveller.contact_id]})
            for traveller in cohort
            if traveller.contact_id in result.skipped
        }
        return Outcomes(by_id={**left_out})


def _users_of(change: bulk.Change) -> list[int]:
    return [found for kind, found in bulk.change_references(change) if kind == "user"]


def _gone_users(change: bulk.Change, ctx: CheckContext) -> list[str]:
    """Whoever is set must be active, or somebody must stand in for them."""
    gone = any(ctx.name("user", user) is None for user in _users_of(change))
    return ["A user who is not active any more: choose another"] if gone else []


def _with_stand_ins(changes: Sequence[bulk.Change], ctx: StepContext) -> list[bulk.Change]:
    """Return the changes with whoever stands in for those who left; a query only where a line names a user."""
    named = {user for change in changes for user in _users_of(change)}
    if not named:
        return list(changes)
    there = stand_ins(ctx.cursor, tenant_id=ctx.tenant_id, user_ids=named)
    return [
        replace(change, values=tuple(there.get(user, user) for user in users))
        if (users := _users_of(change))
        else change
        for change in changes
    ]
