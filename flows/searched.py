"""What panels choose by name: selections, projects, forms, links, emails, flows, users. One search for each kind.

A panel brings the first few; the rest is searched on the server while somebody types (flows.views.choices), so a
tenant's thousands of selections are never loaded. Knows names and ids, not forms.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from accounts.models import Membership
from content.models import Email, Form, TrackedLink
from core.kinds import KindTable
from crm.models import Project, Selection
from flows.visibility import UNSEEN, flows_in_sight, unseen_flows

# So many are brought with the panel and shown by one search.
MOST = 25
Pair = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Choosable:
    """A kind of thing with a name; `rows` are those that a flow may choose, with `label` to search and sort by."""

    name: str
    noun: str
    rows: Callable[[int], QuerySet[Any]]
    pk: str = "pk"
    order: tuple[Any, ...] = ("label", "pk")
    gone: str = ""
    unseen: Callable[[Collection[int]], set[int]] | None = None

    def gone_text(self, number: int) -> str:
        """What stands for a chosen one that may not be chosen any more, or not by who looks."""
        if self.unseen and self.unseen([number]):
            return UNSEEN.capitalize()
        return self.gone or f"{'An' if self.noun[0] in 'aeiou' else 'A'} {self.noun} that was deleted"

    def first(self, flow_id: int, text: str = "", *, most: int = MOST) -> list[Pair]:
        """Return the first by name whose name holds the text. One query."""
        found = self.rows(flow_id).filter(label__icontains=text.strip()).order_by(*self.order)
        return list(found.values_list(self.pk, "label")[:most])

    def label_of(self, flow_id: int, number: int) -> str | None:
        """Return the name of one, or None where it may not be chosen."""
        found = self.rows(flow_id).filter(**{self.pk: number})
        label: str | None = found.values_list("label", flat=True).first()
        return label


def _static(flow_id: int) -> QuerySet[Any]:
    return _selections(flow_id).filter(kind=Selection.Kind.STATIC)


def _selections(flow_id: int) -> QuerySet[Any]:
    return Selection.objects.annotate(label=F("name"))


def _projects(flow_id: int) -> QuerySet[Any]:
    return Project.objects.annotate(label=F("name"))


def _flows(flow_id: int) -> QuerySet[Any]:
    return flows_in_sight().exclude(pk=flow_id).annotate(label=F("name"))


def _forms(flow_id: int) -> QuerySet[Any]:
    return Form.objects.filter(deleted_at=None).annotate(label=F("name"))


def _links(flow_id: int) -> QuerySet[Any]:
    full = Concat("folder", Value(" / "), "name", output_field=CharField())
    label = Case(When(folder="", then=F("name")), default=full, output_field=CharField())
    return TrackedLink.objects.filter(deleted_at=None).annotate(label=label)


def _emails(flow_id: int) -> QuerySet[Any]:
    unready = Concat("name", Value(" (not ready)"), output_field=CharField())
    label = Case(When(current=None, then=unready), default=F("name"), output_field=CharField())
    mine = Q(flow_id=flow_id) | Q(flow_id=None)
    return Email.objects.filter(mine, deleted_at=None, is_internal=False).annotate(label=label)


def _users(flow_id: int) -> QuerySet[Any]:
    name = Trim(Concat("user__first_name", Value(" "), "user__last_name", output_field=CharField()))
    label = Coalesce(NullIf(name, Value("")), F("user__email"), output_field=CharField())
    return Membership.objects.filter(is_active=True, user__is_active=True).annotate(label=label)


CHOOSABLE: KindTable[Choosable] = KindTable(
    "thing to choose",
    [
        Choosable("selection", "selection", _static),
        Choosable("any_selection", "selection", _selections),
        Choosable("project", "project", _projects),
        Choosable("flow", "flow", _flows, unseen=unseen_flows),
        Choosable("form", "form", _forms),
        Choosable("link", "tracked link", _links),
        Choosable("email", "email", _emails, order=(F("flow_id").asc(nulls_last=True), "label", "pk")),
        Choosable("user", "user", _users, pk="user_id", gone="A user who is not active"),
    ],
)
