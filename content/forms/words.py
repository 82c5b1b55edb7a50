"""The words of a form that its writer left as they were: they are ours, so they come in the language of the page.

A document keeps them in English, as its model has them; what was written instead is the tenant's and stays. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from content.forms.document import FormDocument
from core.texts import spoken, written_in

# What must not be empty on a page; the others may be cleared.
_NEEDED = frozenset({"button", "thanks_heading", "inactive_text", "confirm_button"})
_OURS: dict[str, str] = {
    "button": gettext_noop("Send"),
    "thanks_heading": gettext_noop("Thank you"),
    "thanks_text": gettext_noop("We have got your answers."),
    "inactive_text": gettext_noop("This form is closed."),
    "confirm_subject": gettext_noop("Please confirm"),
    "confirm_text": gettext_noop(
        "Press the button to confirm what you have sent us. If it was not you, do nothing."
    ),
    "confirm_button": gettext_noop("Confirm"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one page. `are_foreign`: ours are in another language than the form's, which we do not have."""

    button: str
    thanks_heading: str
    thanks_text: str
    inactive_text: str
    confirm_subject: str
    confirm_text: str
    confirm_button: str
    are_foreign: bool = False


def words_of(document: FormDocument) -> Words:
    """Return the words in the language that is being spoken (core.texts)."""
    found = {name: _said(name, getattr(document, name)) for name in _OURS}
    return Words(**found, are_foreign=bool(document.language) and not written_in(document.language))


def words_in(document: FormDocument, *, tenant_language: str) -> Words:
    """Return the words in the form's language, else in the tenant's, wherever they are shown."""
    with translation.override(spoken(document.language, tenant_language)):
        return words_of(document)


def kept_words(values: Mapping[str, Any], document: FormDocument, *, tenant_language: str) -> dict[str, Any]:
    """Return what an editor shows (words_in) as a document keeps it: ours stay ours in every language."""
    ours = words_in(FormDocument(language=document.language), tenant_language=tenant_language)
    return {
        name: _OURS[name] if name in _OURS and _same(value, getattr(ours, name)) else value
        for name, value in values.items()
    }


def _said(name: str, written: str) -> str:
    if written == _OURS[name] or (not written.strip() and name in _NEEDED):
        return gettext(_OURS[name])
    return written


def _same(written: Any, ours: str) -> bool:
    return isinstance(written, str) and " ".join(written.split()) == ours
