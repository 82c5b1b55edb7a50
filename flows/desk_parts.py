"""What triggers and success criteria about sales and requests share: chosen types, categories and priorities."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django import forms

from accounts.models import Licence
from crm.models import RequestCategory, RequestPriority, RequestType, SaleType
from crm.models.choices import NamedChoice
from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference, StepSettings
from flows.steps.forms import choose, make_beside

Accepts = Callable[[Mapping[str, Any]], bool]


class SaleSettings(StepSettings):
    """Of these types; none means any."""

    sale_types: tuple[int, ...] = ()


class RequestSettings(StepSettings):
    """Of these types, categories and priorities; none means any."""

    request_types: tuple[int, ...] = ()
    categories: tuple[int, ...] = ()
    priorities: tuple[int, ...] = ()


def _several(label: str) -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        label=label,
        required=False,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: any.",
    )


# What may be made beside each list (flows.making).
_MADE = {
    "sale_types": "sale_type",
    "request_types": "request_type",
    "categories": "request_category",
    "priorities": "request_priority",
}


class ChosenForm(PartForm):
    """Base: boxes for lists of the tenant; a retired entry only where it is chosen already."""

    lists: dict[str, type[NamedChoice]]

    def prepare(self) -> None:
        """Offer each list; what was chosen and is gone stays visible."""
        for name, model in self.lists.items():
            chosen = [int(number) for number in self.initial.get(name, ())]
            rows = {
                row.pk: str(row)
                for row in model._default_manager.all()
                if not row.retired or row.pk in chosen
            }
            gone = {number: "Deleted" for number in chosen if number not in rows}
            choose(self, name, [(str(number), text) for number, text in (rows | gone).items()])
            make_beside(self, name, _MADE[name])


class SaleForm(ChosenForm):
    """Which sale types."""

    sale_types = _several("Sale types")
    lists = {"sale_types": SaleType}


class RequestForm(ChosenForm):
    """Which types, categories and priorities."""

    request_types = _several("Request types")
    categories = _several("Categories")
    priorities = _several("Priorities")
    lists = {"request_types": RequestType, "categories": RequestCategory, "priorities": RequestPriority}


# Setting → (kind of reference, key of the event's data, word).
_OF_SALE = {"sale_types": ("sale_type", "type_id", "sale type")}
_OF_REQUEST = {
    "request_types": ("request_type", "type_id", "request type"),
    "categories": ("request_category", "category_id", "category"),
    "priorities": ("request_priority", "priority_id", "priority"),
}
Chosen = SaleSettings | RequestSettings


def _parts(settings: Chosen) -> dict[str, tuple[str, str, str]]:
    return _OF_SALE if isinstance(settings, SaleSettings) else _OF_REQUEST


def accepts(settings: Chosen) -> Accepts | None:
    """Return what an event's data must be; None where nothing is chosen."""
    root = "sale" if isinstance(settings, SaleSettings) else "request"
    wanted = [
        (key, frozenset(chosen))
        for name, (_, key, _) in _parts(settings).items()
        if (chosen := getattr(settings, name))
    ]
    if not wanted:
        return None

    def takes(data: Mapping[str, Any]) -> bool:
        told = data.get(root)
        return isinstance(told, dict) and all(told.get(key) in chosen for key, chosen in wanted)

    return takes


def words(settings: Chosen, names: CheckContext) -> str:
    """Return what is chosen, for the card: " (Renewal or Rental; High)", or nothing."""
    found = []
    for name, (kind, _, _) in _parts(settings).items():
        chosen = [names.name(kind, number) or "deleted" for number in getattr(settings, name)]
        if chosen:
            found.append(" or ".join(chosen))
    return f" ({'; '.join(found)})" if found else ""


def problems(settings: Chosen, ctx: CheckContext) -> list[Problem]:
    """What is chosen must exist; without the licence such events come by other doors only, if at all."""
    found = [
        Problem(f"A chosen {word} was deleted", place=name)
        for name, (kind, _, word) in _parts(settings).items()
        if any(ctx.name(kind, number) is None for number in getattr(settings, name))
    ]
    code = Licence.Code.SALES if isinstance(settings, SaleSettings) else Licence.Code.SERVICE
    if code not in ctx.licences:
        found.append(Problem(f"Your licence does not include {code.label}", is_warning=True))
    return found


def references(settings: Chosen) -> Iterable[Reference]:
    """Yield what is chosen."""
    for name, (kind, _, _) in _parts(settings).items():
        yield from (Reference(kind, number) for number in getattr(settings, name))
