"""What a click or a form does to the contact: memberships, interests, fields. One document, one set-based way to run.

Actions say what shall be so afterwards, so doing them twice is doing them once. What was deleted in the meantime is
left out: a recipient's click never fails for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import structlog
from pydantic import BaseModel, ConfigDict

from crm import bulk
from crm.criteria.schema import Value
from crm.events import Origin

log = structlog.get_logger(__name__)
INTERESTS = "contact.interests"


class ChangeLine(BaseModel):
    """A field, an action of its type, and values in that action's order (crm.bulk.Change)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    action: str = "set"
    values: tuple[Value, ...] = ()

    @property
    def change(self) -> bulk.Change:
        """The same as crm takes it."""
        return bulk.Change(self.field, self.action, self.values)


class ContactActions(BaseModel):
    """What is done to a contact, by ids of the tenant's selections, projects and interests."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    add_to_selections: tuple[int, ...] = ()
    remove_from_selections: tuple[int, ...] = ()
    add_to_projects: tuple[int, ...] = ()
    remove_from_projects: tuple[int, ...] = ()
    add_interests: tuple[int, ...] = ()
    remove_interests: tuple[int, ...] = ()
    changes: tuple[ChangeLine, ...] = ()
    # Runs afterwards, by a worker (content.operations.script_runs).
    script: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is done."""
        return not any(getattr(self, name) for name in type(self).model_fields)

    def references(self) -> Iterator[tuple[str, int]]:
        """Yield what the actions use, as (kind, id) of crm.Usage."""
        yield from (("selection", pk) for pk in (*self.add_to_selections, *self.remove_from_selections))
        yield from (("project", pk) for pk in (*self.add_to_projects, *self.remove_from_projects))
        yield from (("list_item", pk) for pk in (*self.add_interests, *self.remove_interests))
        for line in self.changes:
            yield from bulk.change_references(line.change)
        if self.script is not None:
            yield "script", self.script

    def updates(self) -> list[bulk.Change]:
        """Return the changes of fields, interests among them."""
        found = [line.change for line in self.changes]
        for action, items in (("add", self.add_interests), ("remove", self.remove_interests)):
            if items:
                found.append(bulk.Change(INTERESTS, action, items))
        return found


def run_actions(
    cursor: psycopg.Cursor[Any],
    *,
    tenant_id: int,
    actions: ContactActions,
    contact_ids: Sequence[int],
    now: dt.datetime,
    origin: Origin,
    actor_id: int | None = None,
    zone: ZoneInfo | None = None,
) -> None:
    """Do the actions to the contacts, in the cursor's transaction. Fields first: they lock contacts in id order."""
    for change in actions.updates():
        try:
            bulk.update_fields(
                cursor, tenant_id=tenant_id, contact_ids=contact_ids, changes=[change], now=now, origin=origin,
                actor_id=actor_id, zone=zone,
            )  # fmt: skip
        except bulk.BadChange as problem:
            # Raised before anything is written: a field or value that is gone.
            log.warning("action_left_out", problem=str(problem), origin=str(origin))
    common: dict[str, Any] = {
        "tenant_id": tenant_id, "contact_ids": contact_ids, "now": now, "origin": origin, "actor_id": actor_id,
    }  # fmt: skip
    for pk in actions.add_to_selections:
        bulk.add_to_selection(cursor, selection_id=pk, **common)
    for pk in actions.remove_from_selections:
        bulk.remove_from_selection(cursor, selection_id=pk, **common)
    for pk in actions.add_to_projects:
        bulk.add_to_project(cursor, project_id=pk, **common)
    for pk in actions.remove_from_projects:
        bulk.remove_from_project(cursor, project_id=pk, **common)
