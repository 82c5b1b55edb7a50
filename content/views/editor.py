"""The email editor: write, see it as a recipient would, try it, save."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from content import queries
from content.blocks.edit import Edited
from content.compile import Result
from content.django_forms.email import EmailForm, TestSendForm
from content.flows_above import flow_name, hidden_flows
from content.hints import CLIPS_AT, hints
from content.languages import language_name
from content.models import Email, EmailVariant
from content.operations.emails import EmailRefused, compile_draft, save_email
from content.operations.test_sends import NothingToSend, recent_tests, send_test
from content.people import find_contacts
from content.previews import keep_preview, kept_preview
from content.problems import Problem
from content.queries_attachment import attached_to
from content.rendering import render_preview
from content.safe_html import mail_response
from content.tree import known_tree
from content.views.attachments import attachment_lines, posted_files
from content.views.blocks import MENU, list_blocks, placed, with_open_block
from content.views.library import WRITERS, get_email
from core.htmx import toast
from delivery.rendering import RenderFailed
from delivery.tasks import wake_delivery


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def edit(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Show the editor; a POST saves. With problems nothing is changed and the text stays in the editor."""
    email = get_email(request.member, email_id)
    piece = piece_of(request, email)
    if request.method != "POST":
        return _editor(request, email, EmailForm.of(email, piece), ())
    form, edited = _posted(request)
    files = posted_files(request, email)
    problems = _problems_of(form, edited)
    if problems:
        return _editor(request, email, form, problems, edited=edited, status=422)
    try:
        saved = save_email(
            email_id=email.pk,
            draft=replace(form.draft(), attachments=files),
            revision=form.cleaned_data["revision"],
            actor=request.user,
            now=tenant_now(request.tenant.pk),
            language=_language(piece),
        )
    except EmailRefused as refused:
        return _editor(request, email, form, [Problem("", str(refused))], edited=edited, status=409)
    if not saved.is_saved:
        return _editor(request, email, form, saved.problems, edited=edited, status=422)
    onward = {
        "language": _language(piece),
        "step": _step(request),
        "mode": _mode(request),
        "block": edited.path,
    }
    return redirect(
        turl(request.tenant, "content:edit", email.pk)
        + "?saved&"
        + urlencode({name: value for name, value in onward.items() if value})
    )


def piece_of(request: TenantRequest, email: Email) -> Email | EmailVariant:
    """Return the email itself, or the variant that ?language= names, or raise Http404."""
    language = request.GET.get("language", "")
    if not language:
        return email
    found = EmailVariant.objects.filter(email=email, language=language[:10]).select_related("current").first()
    if found is None:
        raise Http404
    return found


def _language(piece: Email | EmailVariant) -> str:
    return piece.language if isinstance(piece, EmailVariant) else ""


def _posted(request: TenantRequest) -> tuple[EmailForm, Edited]:
    """Return the posted form, with the settings of the open block in its source."""
    edited = with_open_block(request.POST)
    data = request.POST.copy()
    data["mjml"] = edited.source
    return EmailForm(data), edited


def _saved(email: Email, piece: Email | EmailVariant) -> tuple[EmailForm, Edited]:
    """Return the email or a variant as it was saved, as if it were posted."""
    return EmailForm(EmailForm.values_of(email, piece)), Edited(piece.mjml, "")


def _problems_of(form: EmailForm, edited: Edited) -> list[Problem]:
    found = [Problem(name, str(text)) for name, texts in form.errors.items() for text in texts]
    return found + [Problem("mjml", text) for text in edited.problems.values()]


def _mode(request: TenantRequest) -> str:
    """Return "source" for a writer who works on the source, "" for one who works on blocks."""
    chosen = request.POST.get("mode") or request.GET.get("mode", "")
    return "source" if chosen == "source" else ""


def _step(request: TenantRequest) -> str:
    """Return the step of a flow that the writer came from, so that there is a way back to it."""
    try:
        return str(uuid.UUID(request.GET.get("step", "")))
    except ValueError:
        return ""


def _editor(
    request: TenantRequest,
    email: Email,
    form: EmailForm,
    problems: Any,
    *,
    edited: Edited | None = None,
    status: int = 200,
) -> HttpResponse:
    hidden = hidden_flows(request.member)
    piece = piece_of(request, email)
    files = posted_files(request, email) if form.is_bound else attached_to(piece.current_id)
    edited = edited or Edited(piece.mjml, request.GET.get("block", "")[:20])
    context = {
        "email": email,
        "language": _language(piece),
        "variants": [(one.language, language_name(one.language)) for one in queries.variants_of(email.pk)],
        "own_language": language_name(email.language),
        "form": form,
        "files": attachment_lines(request, email, files),
        "problems": placed(problems, edited.source),
        "blocks": list_blocks(edited, open_path=edited.path, data=request.POST or None),
        "mode": _mode(request) or "blocks",
        **MENU,
        "saved": "saved" in request.GET,
        "step": _step(request) if email.flow_id and request.member.may(Right.FLOW_ADMINISTRATOR) else "",
        "flow_name": flow_name(request.member, email.flow_id),
        "locks": queries.locks_of(email.pk, hidden=hidden),
        "uses": queries.uses_of(email.pk, hidden=hidden),
        "groups": known_tree().groups,
        "people": find_contacts("", member=request.member),
        "test_form": TestSendForm(initial={"addresses": request.user.email}),
        "tests": recent_tests(email.pk),
    }
    return render(request, "content/edit.html", context, status=status)


@require_POST
@needs(*WRITERS)
def preview(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Compile what stands in the editor and show it as one contact would get it; saves nothing."""
    email = get_email(request.member, email_id)
    # A locked email's fields are switched off, so a browser sends none of them.
    is_locked = queries.locks_of(email.pk, hidden=hidden_flows(request.member))
    piece = piece_of(request, email)
    form, edited = _saved(email, piece) if is_locked else _posted(request)
    problems = _problems_of(form, edited)
    result = Result(problems) if problems else compile_draft(replace(form.draft(), language=piece.language))
    if result.compiled is None:
        context = {"email": email, "problems": placed(result.problems, edited.source)}
        return render(request, "content/preview.html", context)
    someone = _someone(request)
    rendered = render_preview(result.compiled, contact_id=someone.id if someone else None)
    if isinstance(rendered, RenderFailed):
        context = {"problems": placed([Problem("mjml", rendered.error)], edited.source)}
        return render(request, "content/preview.html", context)
    size = len(rendered.html.encode())
    files = attached_to(piece_of(request, email).current_id) if is_locked else posted_files(request, email)
    context = {
        "email": email,
        "rendered": rendered,
        "preheader": result.compiled.preheader,
        "frame_url": keep_preview(request, rendered.html),
        "size": size,
        "files": files,
        "is_large": size > CLIPS_AT,
        "hints": hints(
            subject=rendered.subject,
            mjml=edited.source,
            compiled=result.compiled,
            mail=rendered.html,
            text=rendered.text,
            postal_address=request.tenant.postal_address,
            preheader=result.compiled.preheader,
            our_name=request.tenant.name,
        ),
        "links": result.compiled.links,
        "someone": someone,
    }
    return render(request, "content/preview.html", context)


def _someone(request: TenantRequest) -> Any:
    """Return the contact to preview as, if one is chosen and the member may read them."""
    chosen = request.POST.get("contact", "")
    if not chosen.isdigit() or len(chosen) > 18:
        return None
    return next(iter(find_contacts("", member=request.member, only=int(chosen))), None)


@require_safe
@needs(*WRITERS)
def frame(request: TenantRequest, tenant: str, key: str) -> HttpResponse:
    """Show a preview's mail, for a frame of the editor alone."""
    html = kept_preview(request, key)
    if html is None:
        raise Http404
    return mail_response(html, framed=True)


@require_safe
@needs(*WRITERS)
def people(request: TenantRequest, tenant: str) -> HttpResponse:
    """Find contacts to preview as."""
    found = find_contacts(request.GET.get("who", "")[:100], member=request.member)
    return render(request, "content/people.html", {"people": found})


@require_POST
@needs(*WRITERS)
def test(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Send the saved version to a few addresses."""
    email = get_email(request.member, email_id)
    form = TestSendForm(request.POST)
    context: dict[str, Any] = {"email": email, "language": _language(piece_of(request, email))}
    if not form.is_valid():
        return render(request, "content/test_send.html", {**context, "test_form": form}, status=422)
    someone = _someone(request)
    try:
        send_test(
            email_id=email.pk,
            addresses=form.cleaned_data["addresses"],
            contact_id=someone.id if someone else None,
            actor=request.user,
            now=tenant_now(request.tenant.pk),
            language=_language(piece_of(request, email)),
        )
    except NothingToSend as refused:
        form.add_error(None, str(refused))
        return render(request, "content/test_send.html", {**context, "test_form": form}, status=422)
    tenant_id = request.tenant.pk
    transaction.on_commit(lambda: wake_delivery(tenant_id), robust=True)
    context |= {"test_form": form, "tests": recent_tests(email.pk)}
    return toast(render(request, "content/test_send.html", context), "The test is on its way.")


@require_safe
@needs(*WRITERS)
def tests(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Say what became of the newest tests."""
    email = get_email(request.member, email_id)
    return render(request, "content/tests.html", {"email": email, "tests": recent_tests(email.pk)})
