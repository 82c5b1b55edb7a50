"""Comments at the steps of a flow: for everybody who may look at it, in the designer and in View flow.

Every answer is the talk at one place, drawn anew, and tells the page how many threads are open where.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from core.htmx import tell
from flows.mentions import handles
from flows.models import Flow, FlowComment
from flows.operations import comments
from flows.panels.comments import place_of
from flows.talk import open_comments, talk_at
from flows.visibility import VIEW_RIGHTS, members_who_see, visible_flows

viewer = needs(*VIEW_RIGHTS)
NAMED_AT_ONCE = 8


@require_GET
@viewer
def talk(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """What was said at one place; `before` goes on from there."""
    before = request.GET.get("before", "")
    older_than = int(before) if before.isdigit() and len(before) < 19 else None
    return _talk(request, _flow(request, flow_id), request.GET.get("at", ""), before=older_than)


@require_GET
@viewer
def people(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Colleagues who may look at the flow and whose name or address holds the words, to be named in a comment."""
    words = request.GET.get("q", "").strip().casefold()[:60]
    members = members_who_see(_flow(request, flow_id))
    known = handles(member.user for member in members)
    found = [
        (user, name)
        for user, name in known
        if user.pk != request.user.pk and (words in name.casefold() or words in user.email.casefold())
    ]
    return render(request, "flows/comments/people.html", {"people": found[:NAMED_AT_ONCE]})


@require_POST
@viewer
def write(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Write at a place, or answer a thread (`answers`)."""
    flow, answers = _flow(request, flow_id), request.POST.get("answers", "")
    if answers and (not answers.isdigit() or len(answers) > 18):
        raise Http404
    key = request.POST.get("at", "")
    form = f"answer-{answers}" if answers else "new"
    try:
        comments.write_comment(
            flow=flow,
            step=place_of(key),
            text=request.POST.get("text", ""),
            author=request.user,
            now=tenant_now(request.tenant.pk),
            once=_once(request),
            answers=int(answers) if answers else None,
        )
    except comments.BadComment as error:
        return _talk(request, flow, key, error=str(error), form=form)
    except comments.CommentGone:
        gone = "That was deleted meanwhile; your words are here."
        return _talk(request, flow, key, error=gone, form="new")
    return _talk(
        request, flow, key, said="Answer written." if answers else "Comment written.", focus=f"comment-{form}"
    )


@require_POST
@viewer
def edit(request: TenantRequest, tenant: str, flow_id: int, comment_id: int) -> HttpResponse:
    """Change one's own words."""
    row = _comment(request, flow_id, comment_id)
    try:
        comments.edit_comment(
            comment=row,
            text=request.POST.get("text", ""),
            actor=request.user,
            now=tenant_now(request.tenant.pk),
        )
    except comments.BadComment as error:
        return _talk(request, row.flow, _key(row), error=str(error), form=f"edit-{row.pk}")
    except comments.NotYourComment:
        raise Http404 from None
    return _talk(request, row.flow, _key(row), said="Comment changed.", focus=f"comment-{row.pk}")


@require_POST
@viewer
def delete(request: TenantRequest, tenant: str, flow_id: int, comment_id: int) -> HttpResponse:
    """Delete one's own, or any as a flow administrator."""
    row = _comment(request, flow_id, comment_id)
    key = _key(row)
    try:
        comments.delete_comment(comment=row, actor=request.member, now=tenant_now(request.tenant.pk))
    except comments.NotYourComment:
        raise Http404 from None
    return _talk(request, row.flow, key, said="Comment deleted.", focus="flow-talk")


@require_POST
@viewer
def resolve(request: TenantRequest, tenant: str, flow_id: int, comment_id: int) -> HttpResponse:
    """Mark a thread as resolved, or with `open` open it again."""
    row, reopens = _comment(request, flow_id, comment_id), "open" in request.POST
    try:
        comments.resolve_thread(
            flow=row.flow,
            first=row.pk,
            resolved=not reopens,
            actor=request.user,
            now=tenant_now(request.tenant.pk),
        )
    except comments.CommentGone:
        raise Http404 from None
    said, focus = ("Opened again.", f"comment-{row.pk}") if reopens else ("Resolved.", "flow-talk")
    return _talk(request, row.flow, _key(row), said=said, focus=focus)


def _flow(request: TenantRequest, flow_id: int) -> Flow:
    return get_object_or_404(visible_flows(request.member), pk=flow_id)


def _comment(request: TenantRequest, flow_id: int, comment_id: int) -> FlowComment:
    rows = FlowComment.objects.select_related("author", "flow")
    return get_object_or_404(rows, flow=_flow(request, flow_id), pk=comment_id)


def _key(row: FlowComment) -> str:
    return "start" if row.step is None else str(row.step)


def _once(request: HttpRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("once", ""))
    except ValueError:
        return uuid.uuid4()


def _talk(
    request: TenantRequest, flow: Flow, key: str, *, before: int | None = None, **more: Any
) -> HttpResponse:
    """Draw the talk at a place. More: `said` is told aloud, `focus` is the id to go to; `error` stands at a
    `form`, with what was typed."""
    context = {
        "flow": flow,
        "talk": talk_at(flow, place_of(key), member=request.member, before=before),
        "before": before,
        "typed": request.POST.get("text", "")[: 2 * comments.LONGEST] if "error" in more else "",
        **more,
    }
    status = 422 if "error" in more else 200
    response = render(request, "flows/comments/talk.html", context, status=status)
    return tell(response, "flow:commented", {"open": open_comments(flow.pk), "said": more.get("said", "")})
