"""The values of list fields with their names: for editors, for describing and for checking."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from accounts.models import Membership
from crm.criteria.field import Field
from crm.criteria.sources import Choice as Choice
from crm.criteria.sources import has_source, source_named
from crm.models import ListItem, Project, RequestCategory, RequestType, SaleType, Selection
from crm.models.choices import NamedChoice
from crm.places import COUNTRIES, LANGUAGES

MOST_CHOICES = 500


def choices_of(field: Field) -> list[Choice]:
    """Return what may be chosen for a list field, in order; at most MOST_CHOICES selections or projects."""
    if field.choices in _BY_SOURCE:
        return _BY_SOURCE[field.choices]()
    if has_source(field.choices):
        return source_named(field.choices).choices()
    return list_items(field.choices, field_id=field.custom_id) if field.choices else []


def list_items(name: str, *, field_id: int | None = None) -> list[Choice]:
    """Return the values of a list in its order."""
    rows = ListItem.objects.filter(list=name, field_id=field_id).order_by("rank", "name")
    return [Choice(str(row.pk), row.name, row.retired) for row in rows]


def users() -> list[Choice]:
    """Return the tenant's members, those who left marked as retired."""
    rows = Membership.objects.select_related("user").order_by("user__first_name", "user__last_name", "id")
    return [Choice(str(row.user_id), str(row.user), not row.is_active) for row in rows]


def names_of(wanted: Mapping[str, Iterable[int]]) -> dict[str, dict[int, str]]:
    """Return the names of values by source: "item", "user", "selection", "project", and those of the rooms above
    (crm.criteria.sources). One query a source."""
    found: dict[str, dict[int, str]] = {"item": {}, "user": {}, "selection": {}, "project": {}}
    ids = {source: set(given) for source, given in wanted.items()}
    for source, given in ids.items():
        if has_source(source):
            found[source] = dict(source_named(source).names(given)) if given else {}
    if ids.get("item"):
        found["item"] = dict(ListItem.objects.filter(pk__in=ids["item"]).values_list("pk", "name"))
    if ids.get("selection"):
        found["selection"] = dict(Selection.objects.filter(pk__in=ids["selection"]).values_list("pk", "name"))
    if ids.get("project"):
        found["project"] = dict(Project.objects.filter(pk__in=ids["project"]).values_list("pk", "name"))
    for source in _MODELS.keys() & ids.keys():
        named = _MODELS[source]._default_manager.filter(pk__in=ids[source])
        found[source] = dict(named.values_list("pk", "name"))
    if ids.get("user"):
        rows = Membership.objects.filter(user_id__in=ids["user"]).select_related("user")
        found["user"] = {row.user_id: str(row.user) for row in rows}
    return found


def source_of(field: Field) -> str:
    """Return which of names_of's sources names a list field's ids; "" for codes."""
    if field.choices in {"user", "selection", "project", *_MODELS} or has_source(field.choices):
        return field.choices
    return "" if field.choices in {"", "country", "language"} else "item"


def code_name(field: Field, code: str) -> str:
    """Return the name of a country or language, or the code itself."""
    return (COUNTRIES if field.choices == "country" else LANGUAGES).get(code, code)


def _selections() -> list[Choice]:
    return [Choice(str(s.pk), s.name) for s in Selection.objects.all()[:MOST_CHOICES]]


def _projects() -> list[Choice]:
    return [Choice(str(p.pk), p.name) for p in Project.objects.all()[:MOST_CHOICES]]


def _of_model(model: type[NamedChoice]) -> Callable[[], list[Choice]]:
    return lambda: [Choice(str(row.pk), row.name, row.retired) for row in model._default_manager.all()]


_MODELS: dict[str, type[NamedChoice]] = {
    "sale_type": SaleType,
    "request_type": RequestType,
    "request_category": RequestCategory,
}
_BY_SOURCE: dict[str, Callable[[], list[Choice]]] = {
    "country": lambda: [Choice(code, name) for code, name in COUNTRIES.items()],
    "language": lambda: [Choice(code, name) for code, name in LANGUAGES.items()],
    "user": users,
    "selection": _selections,
    "project": _projects,
    **{source: _of_model(model) for source, model in _MODELS.items()},
}
