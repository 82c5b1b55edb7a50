"""Form submitted: a submission of the chosen form is processed. While it waits, nothing happens."""

from __future__ import annotations

from flows.content_parts import FormPartForm
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
