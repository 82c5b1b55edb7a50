"""What a form's public page speaks, and what the page after it is told: no cookie remembers anything for anybody."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode

from django.utils import translation

from content.forms import page as form_page
from content.models import Form
from core.signing import BadToken
from core.texts import spoken_to
from delivery.operations.recipients import language_of_recipient
from delivery.public import PublicRequest

EMBED, IN = "embed", "in"


def languages_of(request: PublicRequest, form: Form) -> tuple[str, ...]:
    """Return what our own words shall be in, best first.

    The form's own language: a page in two is none. Else that of whom a message led here, else the tenant's.
    """
    if form.document.get("language"):
        return _usual(request, form)
    return (request.GET.get(IN, "")[:10], _language_of_reader(request, form), *_usual(request, form))


def _usual(request: PublicRequest, form: Form) -> tuple[str, ...]:
    return (form.document.get("language", ""), request.sender.language)


def _language_of_reader(request: PublicRequest, form: Form) -> str:
    """Return the language of the contact whose message led here; "" for everybody else."""
    message = form_page.read_prefill(form, request.GET.get("p", ""))
    if message is None and request.method == "POST":
        with suppress(BadToken):
            message = form_page.read_page(form, request.POST.get("page", "")).message
    return language_of_recipient(message) if message is not None else ""


def onward(request: PublicRequest, form: Form) -> str:
    """Return the query of the next page: that it stands in a frame, and what to speak where only a message said so."""
    told = {EMBED: "1"} if EMBED in request.GET else {}
    here, usual = translation.get_language(), spoken_to(request, *_usual(request, form))
    return f"?{urlencode({**told, **({IN: here} if here != usual else {})})}".rstrip("?")
