"""Form submitted: a submission of the chosen form is processed, whoever processed it."""

from __future__ import annotations

from flows.content_parts import FormPartForm
from flows.success.content import ContentSuccess
from flows.triggers.form_submitted import FormSubmittedSettings


class FormSubmission(ContentSuccess):
    """See the module."""

    name = "form_submitted"
    label = "Form submitted"
    description = "A submission of a form is processed."
    icon = "clipboard-text"
    Settings = FormSubmittedSettings
    Form = FormPartForm
    content = "form"
    event = "form.submitted"
    verb = "submitted"
