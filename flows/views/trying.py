"""Trying the SMS of a step: as a contact would get it, and sent to a few numbers. Nothing of the draft is changed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Licence
from accounts.rights import Right
from content.operations.test_sends import recent_text_tests, send_text_test
from content.people import find_contacts
from content.sms import length_of, parts_text, text_problems
from content.sms_rendering import preview_text
from content.tree import known_tree
from core.htmx import toast
from core.phones import read_phone
from delivery.rendering import RenderFailed
from delivery.sms import sms_account
from delivery.tasks import wake_delivery
from flows.designer import Designer
from flows.document import StepNode
from flows.editing.tree import IllegalEdit, find_step
from flows.steps.sms_languages import TextLines, language_problems
from flows.steps.table import STEP_KINDS
from flows.views.answers import designer_of

MOST_NUMBERS = 5
KINDS = ("send_sms", "notify_by_sms")


@dataclass(frozen=True, slots=True)
class Text:
    """The text of a step as it stands in the panel, or as the step has it where the panel is locked."""

    source: str
    variants: dict[str, str]
    sender: str
    problems: tuple[str, ...]


def _step(request: TenantRequest, flow_id: int, step_id: uuid.UUID) -> tuple[Designer, StepNode]:
    designer = designer_of(request, flow_id)
    try:
        node = find_step(designer.document, step_id)
    except IllegalEdit:
        raise Http404 from None
    if node.kind not in KINDS:
        raise Http404
    return designer, node


def _text(request: TenantRequest, designer: Designer, node: StepNode) -> Text:
    settings: Any = STEP_KINDS[node.kind].settings(node)
    posted = "text" in request.POST
    source = request.POST["text"] if posted else settings.text
    sender = request.POST.get("sender", "") if posted else settings.sender
    lines = TextLines(data=request.POST if posted else None, kept=getattr(settings, "languages", ()))
    languages = [one for one in lines.texts if one.language and one.text]
    source = source.replace("\r\n", "\n").strip()
    found = [str(problem) for problem in text_problems(source, tree=known_tree())]
    found += [problem.message for problem in language_problems(languages)]
    sender = sender or designer.document.settings.messages.sms_sender
    return Text(source, {one.language: one.text for one in languages}, sender, tuple(found))


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def try_sms(request: TenantRequest, tenant: str, flow_id: int, step_id: uuid.UUID) -> HttpResponse:
    """Open the dialog, with the text as it stands in the panel."""
    designer, node = _step(request, flow_id, step_id)
    kept = {name: value for name, value in request.POST.items() if name in {"text", "sender"}}
    kept |= {name: value for name, value in request.POST.items() if name.startswith("language-")}
    context = {
        "flow": designer.flow,
        "node": node,
        "kept": kept.items(),
        "people": find_contacts("", member=request.member),
        "numbers": request.member.mobile,
        "tests": recent_text_tests(node.id),
        "cannot": _cannot_send(request),
    }
    return render(request, "flows/designer/try_sms.html", context)


def _cannot_send(request: TenantRequest) -> str:
    if Licence.Code.SMS not in request.member.licences:
        return "Your company has no licence for SMS, so no test can be sent."
    if sms_account() is None:
        return "No SMS account is connected, so no test can be sent. An administrator connects it under Settings."
    return ""


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def preview_sms(request: TenantRequest, tenant: str, flow_id: int, step_id: uuid.UUID) -> HttpResponse:
    """Show the text as the chosen contact would get it, and how long it is then."""
    designer, node = _step(request, flow_id, step_id)
    text, someone = _text(request, designer, node), _someone(request)
    account = sms_account()
    senders = account.senders if account else ()
    context: dict[str, Any] = {"problems": text.problems, "someone": someone}
    if not text.problems:
        shown = preview_text(text.source, text.variants, contact_id=someone.id if someone else None)
        if isinstance(shown, RenderFailed):
            context["problems"] = (shown.error,)
        else:
            sender = text.sender if text.sender in senders else next(iter(senders), "")
            context |= {"shown": shown.text, "length": parts_text(length_of(shown.text)), "sender": sender}
    return render(request, "flows/designer/try_sms_preview.html", context)


def _someone(request: TenantRequest) -> Any:
    chosen = request.POST.get("contact", "")
    if not chosen.isdecimal() or len(chosen) > 18:
        return None
    return next(iter(find_contacts("", member=request.member, only=int(chosen))), None)


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def test_sms(request: TenantRequest, tenant: str, flow_id: int, step_id: uuid.UUID) -> HttpResponse:
    """Send the text to a few numbers, filled in for the chosen contact."""
    designer, node = _step(request, flow_id, step_id)
    text, someone = _text(request, designer, node), _someone(request)
    typed = request.POST.get("numbers", "")
    numbers, problem = _numbers(typed, request.tenant.country)
    problem = _cannot_send(request) or problem or (text.problems[0] if text.problems else "")
    context: dict[str, Any] = {"flow": designer.flow, "node": node, "numbers": typed, "problem": problem}
    if problem:
        context["tests"] = recent_text_tests(node.id)
        return render(request, "flows/designer/try_sms_send.html", context, status=422)
    send_text_test(
        step_id=node.id,
        step_name=node.title,
        source=text.source,
        variants=text.variants,
        sender=text.sender,
        numbers=numbers,
        contact_id=someone.id if someone else None,
        actor=request.user,
        now=designer.now,
    )
    tenant_id = request.tenant.pk
    transaction.on_commit(lambda: wake_delivery(tenant_id), robust=True)
    context["tests"] = recent_text_tests(node.id)
    return toast(render(request, "flows/designer/try_sms_send.html", context), "The test is on its way.")


def _numbers(typed: str, country: str) -> tuple[list[str], str]:
    """Return the numbers in E.164, each once, and what is wrong with them."""
    parts = [part.strip() for part in typed.replace(";", ",").replace("\n", ",").split(",") if part.strip()]
    if not parts:
        return [], "Write at least one number."
    if len(parts) > MOST_NUMBERS:
        return [], f"At most {MOST_NUMBERS} numbers."
    found = []
    for part in parts:
        number = read_phone(part, country)
        if number is None:
            return [], f"“{part[:40]}” is no phone number (with its country code)."
        found.append(number)
    return list(dict.fromkeys(found)), ""


@require_safe
@needs(Right.FLOW_ADMINISTRATOR)
def sms_tests(request: TenantRequest, tenant: str, flow_id: int, step_id: uuid.UUID) -> HttpResponse:
    """Say what became of the newest tests."""
    designer, node = _step(request, flow_id, step_id)
    context = {"flow": designer.flow, "node": node, "tests": recent_text_tests(node.id)}
    return render(request, "flows/designer/try_sms_tests.html", context)
