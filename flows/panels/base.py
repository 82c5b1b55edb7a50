"""What a panel is: the part of the flow that it shows, its template, and for one with a form what applying does."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.http import Http404, QueryDict

from flows.checks.base import FlowProblem, opens
from flows.designer import Designer
from flows.operations.drafts import Change


class Panel:
    """Base of the panels. `key` is what follows the colon of the part: the id of a step, branch or trigger."""

    template: ClassVar[str]
    # Panels that only look are there for everyone who sees the flow, also while it runs.
    heading = ""

    def __init__(self, designer: Designer, key: str = "") -> None:
        self.designer, self.key = designer, key

    @property
    def id(self) -> uuid.UUID:
        """The key as an id; not found where it is none."""
        try:
            return uuid.UUID(self.key)
        except ValueError:
            raise Http404 from None

    def form(self, data: QueryDict | None = None) -> forms.Form | None:
        """Return the form, bound where data is given; None for panels without one."""
        return None

    def context(self) -> dict[str, Any]:
        """Return what the template needs beside designer, panel and form."""
        return {}

    def problems(self) -> list[tuple[FlowProblem, str]]:
        """Return what is wrong here, with the field at fault; a step tells of its branches too."""
        part, found = self.designer.part, self.designer.problems
        return [(p, opens(p)[1]) for p in found if part and part in {p.part, opens(p)[0]}]

    def change(self, form: Any) -> Change:
        """Return the operation that applies a valid form."""
        raise NotImplementedError

    def loses(self, form: Any) -> Sequence[tuple[str, str]]:
        """Return what applying a valid form would empty elsewhere, name and content; it is asked about first."""
        return ()

    def label(self, form: Any) -> str:
        """Return what the history calls it."""
        return f"changed {self.heading.lower()}"
