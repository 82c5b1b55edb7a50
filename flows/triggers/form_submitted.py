"""Form submitted: a submission of the chosen form is processed. While it waits, nothing happens."""

from __future__ import annotations

from collections.abc import Iterable

from content.queries_form import form_fields
from flows.content_parts import FormPartForm
from flows.document import Trigger
from flows.steps.base import StepSettings
from flows.triggers.content import ContentTrigger


class FormSubmittedSettings(StepSettings):
    """The form."""

    form: int | None = None


class FormSubmitted(ContentTrigger):
    """See the module."""

    name = "form_submitted"
    label = "Form submitted"
    description = "A submission of a form is processed."
    icon = "clipboard-text"
    event_kinds = frozenset({"form.submitted"})
    Settings = FormSubmittedSettings
    Form = FormPartForm
    content = "form"
    verb = "submitted"

    def brings(self, trigger: Trigger) -> Iterable[tuple[str, str]]:
        """Yield the answers of the form. One query, two where answers are of the tenant's own fields."""
        return ((f"form.answers.{one.key}", one.label) for one in form_fields(self.chosen(trigger)))
