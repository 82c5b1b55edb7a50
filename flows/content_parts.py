"""Forms and registered links as triggers and success criteria name them: choices, form, problems and references."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from django import forms

from flows.part_form import PartForm
from flows.steps.base import CheckContext, Problem, Reference
from flows.steps.forms import offer, to_number

ContentKind = Literal["form", "link"]
WORDS: dict[ContentKind, str] = {"form": "form", "link": "tracked link"}


def content_problems(ctx: CheckContext, kind: ContentKind, chosen: int | None) -> list[Problem]:
    """One must be chosen and exist."""
    if chosen is None:
        return [Problem(f"Choose a {WORDS[kind]}", place=kind)]
    if ctx.name(kind, chosen) is None:
        return [Problem(f"The {WORDS[kind]} was deleted: choose another", place=kind)]
    return []


def content_references(kind: ContentKind, chosen: int | None) -> Iterable[Reference]:
    """Yield what was chosen."""
    if chosen is not None:
        yield Reference(kind, chosen)


class FormPartForm(PartForm):
    """Which form."""

    content: ClassVar[ContentKind] = "form"
    form = forms.TypedChoiceField(label="Form", required=False, coerce=to_number, empty_value=None)

    def prepare(self) -> None:
        """Offer every form, or registered link."""
        offer(self, self.content, self.content)


class LinkPartForm(FormPartForm):
    """Which registered link."""

    content = "link"
    form = None  # type: ignore[assignment]  # Django takes a base's field out that way
    link = forms.TypedChoiceField(label="Tracked link", required=False, coerce=to_number, empty_value=None)
