"""What panels choose by name: selections, projects, forms, links, emails, flows, users. One search for each kind.

A panel brings the first few; the rest is searched on the server while somebody types (flows.views.choices), so a
tenant's thousands of selections are never loaded. Knows names and ids, not forms.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Case, CharField, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

from accounts.models import Group, Membership
from content.models import Email, Form, Script, TrackedLink
from core.kinds import KindTable
from crm.models import Project, Selection
from flows.steps.action_choices import ActionChoices
from flows.visibility import UNSEEN, flows_in_sight, unseen_flows

# So many are brought with the panel and shown by one search.
MOST = 25
Pair = tuple[int | str, str]


class Searched(Protocol):
    """What the search needs of a kind."""

    @property
    def name(self) -> str: ...

    @property
    def noun(self) -> str: ...

    def gone(self, values: Collection[str]) -> dict[str, str]:
        """Return what stands, by value, for chosen ones that may not be chosen any more, or not by who looks."""

    def first(self, flow_id: int, text: str = "", *, most: int = MOST) -> tuple[Sequence[Pair], bool]:
        """Return (value, label) of the first whose name holds the text, and whether there are more."""

    def labels(self, flow_id: int, values: Collection[str]) -> dict[str, str]:
        """Return the labels, by value, of those that may be chosen."""


@dataclass(frozen=True, slots=True)
class Choosable:
    """A kind of thing with a name; `rows` are those that a flow may choose, with `label` to search and sort by."""

    name: str
    noun: str
    rows: Callable[[int], QuerySet[Any]]
    pk: str = "pk"
    order: tuple[Any, ...] = ("label", "pk")
    gone_text: str = ""
    unseen: Callable[[Collection[int]], set[int]] | None = None

    def gone(self, values: Collection[str]) -> dict[str, str]:
        """Say by id that it was deleted, or that who looks may not see it. At most one query."""
        text = self.gone_text or f"{'An' if self.noun[0] in 'aeiou' else 'A'} {self.noun} that was deleted"
        unseen = self.unseen(_numbers(values)) if self.unseen else set()
        return {one: UNSEEN.capitalize() if _numbers([one]) & unseen else text for one in values}

    def first(self, flow_id: int, text: str = "", *, most: int = MOST) -> tuple[list[Pair], bool]:
        """Return the first by name whose name holds the text, and whether there are more. One query."""
        rows = self.rows(flow_id).filter(label__icontains=text.strip()).order_by(*self.order)
        found = list(rows.values_list(self.pk, "label")[: most + 1])
        return found[:most], len(found) > most

    def labels(self, flow_id: int, values: Collection[str]) -> dict[str, str]:
        """Return the names, by id, of those that may be chosen. One query."""
        found = self.rows(flow_id).filter(**{f"{self.pk}__in": _numbers(values)})
        return {str(number): label for number, label in found.values_list(self.pk, "label")}


def _numbers(values: Collection[str]) -> set[int]:
    return {int(value) for value in values if value.isdecimal() and len(value) < 19}


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


def _groups(flow_id: int) -> QuerySet[Any]:
    return Group.objects.annotate(label=F("name"))


def _scripts(flow_id: int) -> QuerySet[Any]:
    return Script.objects.filter(deleted_at=None).annotate(label=F("name"))


def _actions(name: str, noun: str, *kinds: str) -> ActionChoices:
    return ActionChoices(name, noun, kinds, links=_links, forms=_forms, emails=_emails)


CHOOSABLE: KindTable[Searched] = KindTable(
    "thing to choose",
    [
        Choosable("selection", "selection", _static),
        Choosable("any_selection", "selection", _selections),
        Choosable("project", "project", _projects),
        Choosable("flow", "flow", _flows, unseen=unseen_flows),
        Choosable("form", "form", _forms),
        Choosable("link", "tracked link", _links),
        Choosable("email", "email", _emails, order=(F("flow_id").asc(nulls_last=True), "label", "pk")),
        Choosable("user", "user", _users, pk="user_id", gone_text="A user who is not active"),
        Choosable("group", "group", _groups),
        # Permissions name a group by Django's own row of it.
        Choosable("auth_group", "group", _groups, pk="auth_group_id"),
        Choosable("script", "script", _scripts),
        _actions("action", "link, email or form", "click", "open", "form"),
        _actions("click", "link or email", "click"),
        _actions("open", "email", "open"),
        _actions("submission", "form", "form"),
    ],
)
