"""Mails to colleagues about a contact: plain texts of a step, kept with versions, rendered when they go.

The message row marks itself by the value `notice` and names whom it is `about`; it knows no contact of its own, so
nobody's consent is asked and nothing is tracked. Beneath the text stands the way to the contact's page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.utils.html import escape, format_html, linebreaks
from jinja2 import Template
from psycopg.types.json import Jsonb

from accounts.models import Tenant
from accounts.urls_for import turl
from content.filters import one_line
from content.models import NoticeVersion
from content.sandbox import TEXT, paths_of
from content.tree import costs_a_query
from content.values import tenant_values, values_of
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.rendering import Rendered, RenderFailed, RenderJob

LONGEST = 20_000
_NEWEST = """
SELECT id, subject, text, number FROM content_noticeversion WHERE tenant_id = %s AND step_id = %s
ORDER BY number DESC LIMIT 1
"""
_NEW = """
INSERT INTO content_noticeversion (tenant_id, step_id, number, subject, text, custom_keys, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (tenant_id, step_id, number) DO NOTHING RETURNING id
"""
_NEWEST_OF = """
SELECT DISTINCT ON (v.id) v.id, n.id FROM content_noticeversion v
JOIN content_noticeversion n ON n.tenant_id = v.tenant_id AND n.step_id = v.step_id
WHERE v.tenant_id = %s AND v.id = ANY(%s::bigint[])
ORDER BY v.id, n.number DESC
"""


def notice_values(about: int, event: dict[str, Any] | None) -> dict[str, Any]:
    """Return what a message row of a notice holds."""
    return {"notice": True, "about": about, "event": event or {}}


def is_notice(job: RenderJob) -> bool:
    """Say whether a message is a mail to a colleague."""
    return job.values.get("notice") is True


def notice_version(
    cursor: psycopg.Cursor[Any], *, tenant_id: int, step_id: UUID, subject: str, text: str, now: dt.datetime
) -> int:
    """Return the id of the version that says this, which is the step's newest from now on.

    The texts must have no problems (content.merge.text_problems). One query where nothing has changed. Two at once may
    both find it new: the second one takes what the first has made.
    """
    while True:
        cursor.execute(_NEWEST, [tenant_id, step_id])
        newest = cursor.fetchone()
        if newest is not None and (newest[1], newest[2]) == (subject, text):
            return int(newest[0])
        named = paths_of(subject) | paths_of(text)
        paths = sorted({path.replace(".custom", "") for path in named if costs_a_query(path)})
        number = newest[3] + 1 if newest else 1
        cursor.execute(_NEW, [tenant_id, step_id, number, subject, text, Jsonb(paths), now])
        if row := cursor.fetchone():
            return int(row[0])


@dataclass(frozen=True, slots=True)
class _Notice:
    version_id: int
    subject: Template
    text: Template
    paths: tuple[str, ...]


@lru_cache(maxsize=256)
def _notice(version_id: int) -> _Notice:
    """Return the templates of a version: immutable, and its id is never used again."""
    version = NoticeVersion.objects.get(pk=version_id)
    subject, text = TEXT.from_string(version.subject), TEXT.from_string(version.text)
    return _Notice(version_id, subject, text, tuple(version.custom_keys))


def render_notices(jobs: Sequence[RenderJob]) -> dict[int, Rendered | RenderFailed]:
    """Render notices of the open tenant scope, each with its step's newest text, in constant queries."""
    if not jobs:
        return {}
    with raw_cursor() as cursor:
        cursor.execute(_NEWEST_OF, [require_tenant_id(), sorted({job.content_version_id for job in jobs})])
        newest = dict(cursor.fetchall())
    notices = {old: _notice(new) for old, new in newest.items()}
    paths = {path for notice in notices.values() for path in notice.paths}
    contacts = values_of(sorted({job.values["about"] for job in jobs}), paths=paths)
    us, slug = tenant_values(), Tenant.objects.values_list("slug", flat=True).get(pk=require_tenant_id())
    result: dict[int, Rendered | RenderFailed] = {}
    for job in jobs:
        notice, about = notices.get(job.content_version_id), job.values["about"]
        if notice is None:
            result[job.message_id] = RenderFailed("The text no longer exists.")
            continue
        known = contacts.get(about, {})
        context = {**known, "tenant": us, "event": job.values.get("event") or {}}
        page = f"{settings.PUBLIC_URL}{turl(slug, 'crm:contact', about)}" if known else ""
        result[job.message_id] = _render(notice, context, page)
    return result


def _render(notice: _Notice, context: dict[str, Any], page: str) -> Rendered | RenderFailed:
    try:
        subject = one_line(notice.subject.render(context))
        text = notice.text.render(context).replace("\r\n", "\n").replace("\x00", "").strip()
    except Exception as error:  # noqa: BLE001 - a writer's template: its faults are the message's, not the batch's
        return RenderFailed(f"{type(error).__name__}: {error}"[:500])
    if len(text) > LONGEST:
        return RenderFailed(f"The text is longer than {LONGEST} characters.")
    html = str(linebreaks(escape(text)))
    if page:
        html += format_html('\n<p><a href="{}">Open the contact</a></p>', page)
        text = f"{text}\n\n{page}"
    return Rendered(notice.version_id, None, subject, html, text)
