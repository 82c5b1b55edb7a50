"""How a form gets to people: its address, and what to copy into another site; and how its page looks."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.html import escape
from django.views.decorators.http import require_http_methods, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.urls_for import turl
from content.brand import brand_values
from content.colours import readable_on
from content.django_forms.form_style import StyleForm
from content.django_forms.public_form import PublicForm
from content.forms.fields import Bound
from content.forms.page import form_path, form_url
from content.forms.style import style_values
from content.forms.words import words_of
from content.models import Form
from content.operations import forms as operations
from content.views.forms import form_context, get_form, save_document
from content.views.library import WRITERS
from core.texts import speaking


@dataclass(frozen=True, slots=True)
class Way:
    """A way to publish: what to copy, and what it does."""

    name: str
    icon: str
    text: str
    snippet: str


def ways(it: Form) -> list[Way]:
    """Return the ways, the simplest first."""
    url, name = form_url(it), escape(it.name)
    document = operations.document_of(it)
    values = style_values(document.style, brand_values())
    accent = values.accent if values else "#0a5e49"
    colours = f' data-colour="{accent}" data-ink="{readable_on(accent)}"'
    link = f'<noscript><a href="{url}">{name}</a></noscript>'

    def script(show: str, more: str = "") -> str:
        label = f' data-label="{name}"'
        return f'<script async src="{url}embed.js" data-show="{show}"{label}{more}></script>\n{link}'

    return [
        Way("Link", "link", "A page of its own: for emails, chats and buttons.", url),
        Way(
            "Inline", "code", "Put it where the form shall stand. It is as high as its fields.", script("inline")
        ),
        Way(
            "Popup", "browser",
            "Opens by itself after the seconds in data-after, once in a visit.", script("popup", ' data-after="5"'),
        ),
        Way(
            "Side tab", "sidebar-simple",
            "A tab at the edge of every page; pressing it opens the form. data-side may be left.",
            script("tab", f' data-side="right"{colours}'),
        ),
        Way(
            "Frame", "frame-corners", "For sites that take no scripts. Its height stays as you write it.",
            f'<iframe src="{url}?embed=1" title="{name}" width="100%" height="700" frameborder="0"></iframe>',
        ),
    ]  # fmt: skip


@require_safe
@needs(*WRITERS)
def publish(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show the ways to publish a form."""
    it = get_form(form_id)
    return render(
        request,
        "content/form_publish.html",
        form_context(request, it, "publish", ways=ways(it), origin=settings.PUBLIC_URL),
    )


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def style(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show how the page looks; a POST saves it."""
    it = get_form(form_id)
    document = operations.document_of(it)
    editing = StyleForm(
        request.POST if request.method == "POST" else None, initial=document.style.model_dump()
    )
    if editing.is_bound and editing.is_valid():
        changed = document.model_copy(update={"style": editing.style()})
        try:
            save_document(request, it, changed)
        except operations.FormRefused as refused:
            editing.add_error(None, str(refused))
        else:
            messages.success(request, "Style saved.")
            return redirect(turl(request.tenant, "content:form_style", it.pk))
    context = form_context(request, it, "style", form=editing)
    return render(request, "content/form_style.html", context, status=422 if editing.is_bound else 200)


@require_safe
@needs(*WRITERS)
def page(request: TenantRequest, tenant: str, form_id: int) -> HttpResponse:
    """Show the public page as it looks, for a frame of the editor alone; it sends nothing."""
    return preview_page(request, get_form(form_id))


def preview_page(request: TenantRequest, it: Form) -> HttpResponse:
    """Return the public page with its fields switched off."""
    document = operations.document_of(it)
    with speaking(request, document.language, request.tenant.language):
        shown = PublicForm(document=document, bound=Bound.of(document), country=request.tenant.country)
        context = {
            "sender": request.tenant, "document": document, "form_path": form_path(it), "embedded": False,
            "form": shown, "name": it.name, "words": words_of(document), "is_preview": True,
        }  # fmt: skip
        response = render(request, "content/public_form.html", context)
    response._csp_replace = {"frame-ancestors": ["'self'"]}  # type: ignore[attr-defined]
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response
