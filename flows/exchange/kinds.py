"""What a kind of thing that flows use is to a file: how it is told, found again by its name, and made anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Model

from accounts.models import Membership, User
from flows.exchange.schema import Part, Used

MOST_CHOICES = 500


class Data(Part):
    """What a file says of a thing beside its name. By default nothing."""


@dataclass(frozen=True, slots=True)
class Told:
    """A thing as it is told: its name, and plain JSON in which ids are still the tenant's."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """A thing of the tenant that may be taken."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Making:
    """Who makes things anew, when, and the flow that they are made for."""

    actor: User
    now: dt.datetime
    flow_id: int
    # Numbers of the file's emails that the flow itself sends: they become the flow's own.
    sent: frozenset[int] = frozenset()


class CannotMake(Exception):
    """A thing cannot be made as the file tells it; the message is for the user."""


class UsedKind:
    """Base: things that have a name and can be chosen, not made."""

    name: ClassVar[str]
    label: ClassVar[str]
    icon: ClassVar[str] = "tag"
    Data: ClassVar[type[Data]] = Data
    model: ClassVar[type[Model]]

    def rows(self, member: Membership) -> Any:
        """Return what may be named: a query set of the model."""
        return self.model._default_manager.all()

    def told(self, ids: Sequence[int], member: Membership) -> dict[int, Told]:
        """Return those that exist, as the file tells them; one query, or a fixed number."""
        return {
            row.pk: Told(self.name_of(row), self.data_of(row)) for row in self.rows(member).filter(pk__in=ids)
        }

    def name_of(self, row: Any) -> str:
        """Return what a thing is called."""
        return str(row.name)

    def data_of(self, row: Any) -> Mapping[str, Any]:
        """Return what else is told of it."""
        return {}

    def found(self, wanted: Sequence[Used], member: Membership) -> dict[int, int]:
        """Return, by the file's numbers, those that are here under the same name; one query."""
        by_name: dict[str, list[int]] = {}
        for row in self.rows(member).filter(name__in={one.name for one in wanted}):
            by_name.setdefault(self.name_of(row), []).append(row.pk)
        return {one.id: by_name[one.name][0] for one in wanted if len(by_name.get(one.name, ())) == 1}

    def choices(self, used: Used, member: Membership) -> list[Choice]:
        """Return what may be taken for it, by name; MOST_CHOICES at most."""
        rows = self.rows(member).order_by("name")[:MOST_CHOICES]
        return [Choice(row.pk, self.name_of(row)) for row in rows]

    def may_make(self, used: Used, member: Membership) -> bool:
        """Say whether the member may make it anew from what the file says."""
        return False

    def make(self, used: Used, data: Any, making: Making) -> int:
        """Make it; `data` is typed, with the tenant's ids in it. Raises CannotMake."""
        raise NotImplementedError

    def left_behind(self, used: Used, data: Any) -> str:
        """Return what of it does not travel with a file, as a sentence for the importer, or nothing."""
        return ""
