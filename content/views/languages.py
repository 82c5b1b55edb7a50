"""The languages of an email: all texts side by side on one page, saved together; add and take away a language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from content import queries
from content.django_forms.languages import AddLanguageForm, LanguageForm, OwnLanguageForm
from content.flows_above import flow_name, hidden_flows
from content.languages import language_name
from content.models import Email, EmailVariant
from content.operations.emails import EmailRefused, save_texts
from content.operations.variants import add_variant, remove_variant, set_language
from content.problems import Problem
from content.rendering import NO_LINKS, render_sent
from content.safe_html import mail_response
from content.views.library import WRITERS, get_email
from delivery.rendering import RenderFailed


@dataclass(frozen=True, slots=True)
class Row:
    """One text: what it is, and its field in each language; None where that language has no such text."""

    label: str
    is_rich: bool
    cells: tuple[tuple[LanguageForm, Any], ...]


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def languages(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Show every language side by side; a POST saves them together, or none of them."""
    email = get_email(request.member, email_id)
    data = request.POST if request.method == "POST" else None
    forms = _forms(email, data)
    if data is None:
        return _page(request, email, forms, {})
    if not all(form.is_valid() for form in forms):
        found = {form.label: [Problem("", str(text)) for text in _errors(form)] for form in forms}
        return _page(request, email, forms, found, status=422)
    drafts = {form.language: form.draft() for form in forms if form.has_changed()}
    try:
        saved = save_texts(
            email_id=email.pk, drafts=drafts, revision=_revision(request), actor=request.user,
            now=tenant_now(request.tenant.pk),
        )  # fmt: skip
    except EmailRefused as refused:
        return _page(request, email, forms, {"": [Problem("", str(refused))]}, status=409)
    if not all(one.is_saved for one in saved.values()):
        names = {form.language: form.label for form in forms}
        found = {names[language]: list(one.problems) for language, one in saved.items()}
        return _page(request, email, forms, found, status=422)
    told = ", ".join(form.label for form in forms if form.language in saved)
    messages.success(request, f"Saved: {told}." if told else "Nothing was changed.")
    return redirect(turl(request.tenant, "content:languages", email.pk))


def _errors(form: LanguageForm) -> list[str]:
    return [f"{form[name].label}: {text}" for name, texts in form.errors.items() for text in texts]


def _forms(email: Email, data: Any) -> list[LanguageForm]:
    pieces: list[Email | EmailVariant] = [email, *queries.variants_of(email.pk)]
    return [LanguageForm(piece, email.name, data) for piece in pieces]


def _revision(request: TenantRequest) -> int:
    given = request.POST.get("revision", "")
    return int(given) if given.isdigit() and len(given) < 9 else -1


def _rows(forms: list[LanguageForm]) -> list[Row]:
    """Return the texts of the email itself, with what stands at the same place in each language."""
    envelope = [
        Row(label, False, tuple((form, form[name]) for form in forms))
        for name, label in (("subject", "Subject"), ("preheader", "Preheader"))
    ]
    return envelope + [
        Row(text.label, text.setting.widget == "rich", tuple((form, form.cell(text.key)) for form in forms))
        for text in forms[0].texts
    ]


def _page(
    request: TenantRequest,
    email: Email,
    forms: list[LanguageForm],
    problems: dict[str, list[Problem]],
    *,
    status: int = 200,
) -> HttpResponse:
    hidden = hidden_flows(request.member)
    taken = frozenset(form.language for form in forms if form.language)
    rows = _rows(forms)
    places = {text.key for text in forms[0].texts}
    context = {
        "email": email,
        "forms": forms,
        "rows": rows,
        "problems": {label: found for label, found in problems.items() if found},
        "elsewhere": [form for form in forms if {text.key for text in form.texts} - places],
        "locks": queries.locks_of(email.pk, hidden=hidden),
        "flow_name": flow_name(request.member, email.flow_id),
        "add_form": AddLanguageForm(taken=taken | {email.language}),
        "own_form": OwnLanguageForm(taken=taken, initial={"own": email.language}),
        "revision": request.POST.get("revision", email.revision),
    }
    return render(request, "content/languages.html", context, status=status)


@require_POST
@needs(*WRITERS)
def change(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Add a language (`do` add), take one away (remove), or say what the email itself is in (own)."""
    email = get_email(request.member, email_id)
    language = request.POST.get("own" if request.POST.get("do") == "own" else "language", "")
    allowed = {code for code, _ in AddLanguageForm(taken=frozenset()).fields["language"].choices}  # type: ignore[attr-defined]
    if language not in allowed:
        raise Http404
    common: dict[str, Any] = {
        "email_id": email.pk,
        "language": language,
        "revision": _revision(request),
        "actor": request.user,
    }
    name = language_name(language)
    try:
        match request.POST.get("do"):
            case "add" if language:
                add_variant(**common, now=tenant_now(request.tenant.pk))
                messages.success(request, f"{name} begins as a copy. Its contacts get it from now on.")
            case "remove" if language:
                remove_variant(**common, now=tenant_now(request.tenant.pk))
                messages.success(request, f"{name} taken away. Its contacts get the email itself.")
            case "own":
                set_language(**common, now=tenant_now(request.tenant.pk))
                messages.success(request, "The email's own language is noted.")
            case _:
                messages.error(request, "Choose a language.")
    except EmailRefused as refused:
        messages.error(request, str(refused))
    return redirect(turl(request.tenant, "content:languages", email.pk))


@require_safe
@needs(*WRITERS)
def version_frame(request: TenantRequest, tenant: str, email_id: int, language: str) -> HttpResponse:
    """The saved mail in one language ("own": the email itself), for a frame of that page alone."""
    email = get_email(request.member, email_id)
    current = {variant.language: variant.current_id for variant in queries.variants_of(email.pk)}
    version_id = email.current_id if language == "own" else current.get(language)
    if version_id is None:
        raise Http404
    shown = render_sent(version_id=version_id, contact_id=None, values={}, links=NO_LINKS)
    if isinstance(shown, RenderFailed):
        raise Http404
    return mail_response(shown.html, framed=True)
