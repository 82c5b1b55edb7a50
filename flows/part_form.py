"""What the forms of triggers and success criteria share: reading and writing a part's JSON settings, and criteria.

A kind with settings subclasses PartForm, with fields named as the settings (all may be left empty: an unfinished part
is always savable, `problems` says what is missing), and names it as its `Form`.
"""

from __future__ import annotations

from typing import Any, Protocol

from django.http import QueryDict
from pydantic import BaseModel, ValidationError

from crm.criteria.schema import Criteria
from flows.criteria_field import CriteriaForm


class Part(Protocol):
    """A trigger or a success criterion of a document."""

    @property
    def settings(self) -> dict[str, Any]: ...

    @property
    def criteria(self) -> Criteria | None: ...


class PartForm(CriteriaForm):
    """Base, and the form of kinds without settings."""

    # Draws the fields; it may hold more than fields.
    template = "flows/panel/part_fields.html"

    def __init__(
        self, *, settings: type[BaseModel], part: Part, flow_id: int, data: QueryDict | None = None
    ) -> None:
        self.settings_type, self.part, self.flow_id = settings, part, flow_id
        super().__init__(data, initial=self.initial_of(part), criteria=part.criteria)
        self.prepare()

    def initial_of(self, part: Part) -> dict[str, Any]:
        """Return what the fields show; settings that cannot be read show their defaults."""
        try:
            kept = self.settings_type.model_validate(part.settings)
        except ValidationError:
            kept = self.settings_type()
        names = type(kept).model_fields
        return {name: value for name in names if (value := getattr(kept, name)) is not None}

    def prepare(self) -> None:
        """Fill in choices that come from the tenant."""

    def settings(self) -> dict[str, Any]:
        """Return the settings as JSON, once the form is valid."""
        given = {name: self.cleaned_data.get(name) for name in self.settings_type.model_fields}
        typed = self.settings_type.model_validate({k: v for k, v in given.items() if v not in (None, "")})
        return typed.model_dump(mode="json")


class HasForm(Protocol):
    """A kind of part, as its panel needs it."""

    @property
    def Form(self) -> type[PartForm]: ...  # noqa: N802 (as the kinds call it)

    @property
    def Settings(self) -> type[BaseModel]: ...  # noqa: N802 (as the kinds call it)


def part_form(kind: HasForm, part: Part, *, flow_id: int, data: QueryDict | None = None) -> PartForm:
    """Return the form of a part."""
    return kind.Form(settings=kind.Settings, part=part, flow_id=flow_id, data=data)
