"""Writing, changing, deleting, resolving comments at the steps of a flow; whoever is named or answered is notified.

Who may look at the flow may write; the views ask. What is written stays when its step is removed, and goes with the
flow.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from django.db import IntegrityError, transaction

from accounts.audit import write_audit
from accounts.models import Membership, User
from accounts.rights import Right
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.bulk.notifications import NewNotification, notify
from flows.mentions import Mention, mentioned
from flows.models import Flow, FlowComment
from flows.talk import place_key, steps_of
from flows.visibility import members_who_see

LONGEST = 2_000


class BadComment(ValueError):
    """The text is empty or too long; says so."""


class CommentGone(LookupError):
    """The comment, or the place where it was to stand, is not there (any more)."""


class NotYourComment(PermissionError):
    """Somebody else's comment."""


@transaction.atomic
def write_comment(
    *,
    flow: Flow,
    step: uuid.UUID | None,
    text: str,
    author: User,
    now: dt.datetime,
    once: uuid.UUID,
    answers: int | None = None,
) -> FlowComment:
    """Write at a step (None: where people enter), or answer a thread: `answers` is its first comment, which it opens
    again where it was resolved. Sent twice with one `once`, it is written once. Raises BadComment, CommentGone."""
    said = _worded(text)
    first = _first_of(flow, answers) if answers is not None else None
    place = first.step if first else step
    title = "" if place is None else _title(flow, place)
    named = _named(flow, said)
    row = FlowComment(
        flow=flow,
        step=place,
        step_title=title[:200],
        thread=first,
        author=author,
        text=said,
        mentions=named,
        once=once,
        created_at=now,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # Sent twice, perhaps at the same moment: whoever wrote it has told everybody.
        return FlowComment.objects.get(author=author, once=once)
    if first and first.resolved_at:
        first.resolved_at = first.resolved_by = None
        first.save(update_fields=["resolved_at", "resolved_by"])
    _tell(row, author, now, named=[one["user"] for one in named], answered=_in_thread(first))
    return row


@transaction.atomic
def edit_comment(*, comment: FlowComment, text: str, actor: User, now: dt.datetime) -> None:
    """Change one's own words; who is named only now is notified. Raises BadComment, NotYourComment."""
    if comment.author_id != actor.pk or comment.deleted_at:
        raise NotYourComment
    said = _worded(text)
    if said == comment.text:
        return
    before = {one["user"] for one in comment.mentions}
    named = _named(comment.flow, said)
    comment.text, comment.mentions, comment.edited_at = said, named, now
    comment.save(update_fields=["text", "mentions", "edited_at"])
    _tell(comment, actor, now, named=[one["user"] for one in named if one["user"] not in before], answered=())


@transaction.atomic
def delete_comment(*, comment: FlowComment, actor: Membership, now: dt.datetime) -> None:
    """Delete one's own comment, or as a flow administrator any (audited). One that was answered stays as "deleted",
    with the answers, until these are gone too. Raises NotYourComment."""
    is_own = comment.author_id == actor.user_id
    if not is_own and not actor.may(Right.FLOW_ADMINISTRATOR):
        raise NotYourComment
    first = _first_of(comment.flow, comment.thread_id or comment.pk)
    if not is_own:
        write_audit(
            actor=actor.user,
            action="flow.delete_comment",
            object_kind="flow",
            object_id=comment.flow_id,
            object_name=comment.flow.name,
            payload={"author": str(comment.author), "step": place_key(comment.step)},
        )
    if comment.thread_id is None and first.answers.exists():
        first.text, first.mentions, first.deleted_at = "", [], now
        first.save(update_fields=["text", "mentions", "deleted_at"])
        return
    comment.delete()
    if first.deleted_at and not first.answers.exists():
        first.delete()


@transaction.atomic
def resolve_thread(*, flow: Flow, first: int, resolved: bool, actor: User, now: dt.datetime) -> None:
    """Mark a thread as resolved, or open it again; as it is already: nothing happens. Raises CommentGone."""
    row = _first_of(flow, first)
    if bool(row.resolved_at) == resolved:
        return
    row.resolved_at, row.resolved_by = (now, actor) if resolved else (None, None)
    row.save(update_fields=["resolved_at", "resolved_by"])


def _worded(text: str) -> str:
    said = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not said:
        raise BadComment("Write something first.")
    if len(said) > LONGEST:
        raise BadComment(f"At most {LONGEST:,} characters: these are {len(said):,}.")
    return said


def _first_of(flow: Flow, number: int) -> FlowComment:
    """Return the first comment of a thread, locked: an answer and its removal do not cross."""
    rows = FlowComment.objects.select_for_update(no_key=True, of=("self",))
    row = rows.filter(flow=flow, pk=number, thread=None).first()
    if row is None:
        raise CommentGone
    return row


def _title(flow: Flow, step: uuid.UUID) -> str:
    """Return what a step is called; one that is removed has its name from what was said before."""
    if node := steps_of(flow).get(step):
        return node.title
    said = FlowComment.objects.filter(flow=flow, step=step).order_by("-pk")
    title = said.values_list("step_title", flat=True).first()
    if title is None:
        raise CommentGone
    return title


def _named(flow: Flow, text: str) -> list[Mention]:
    return mentioned(text, [member.user for member in members_who_see(flow)]) if "@" in text else []


def _in_thread(first: FlowComment | None) -> Collection[int]:
    if first is None:
        return ()
    rows = FlowComment.objects.filter(thread=first).order_by().values_list("author_id", flat=True).distinct()
    return {first.author_id, *rows}


def _tell(
    row: FlowComment, author: User, now: dt.datetime, *, named: Collection[int], answered: Collection[int]
) -> None:
    """Notify those who are named, and those in the thread who still see the flow. The comment itself is not quoted: it
    may be deleted."""
    told = {*named, *answered} - {author.pk}
    if not told:
        return
    sees = {*members_who_see(row.flow).filter(user_id__in=told).values_list("user_id", flat=True)}
    who = author.get_full_name() or author.email
    place = f"“{row.step_title}” in {row.flow.name}" if row.step else f"the start of {row.flow.name}"
    path = f"flows/{row.flow_id}/canvas/?comments={place_key(row.step)}"
    rows = [
        NewNotification(
            user, "comment", f"{who} {'mentioned you' if user in named else 'answered'} at {place}", path
        )
        for user in sorted(sees)
    ]
    with raw_cursor() as cursor:
        notify(cursor, tenant_id=require_tenant_id(), rows=rows, now=now)
