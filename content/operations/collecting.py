"""Collecting files that nothing holds any more: uploads that were never attached, and what only versions carry that
were replaced before they were sent to anybody. Versions that were sent keep their files for ever.

The job looks at a tenant's messages once, so it runs once a day at most; the tick asks every hour (`collect_soon`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from content.models import StoredFile
from core.db.cursors import raw_cursor
from core.jobs import Slice, start_job
from core.models import Job
from core.tenancy import require_tenant_id

JOB: Final = "collect_files"
# How long an editor may stay open with a file that is not saved yet.
KEPT: Final = dt.timedelta(days=1)
AT_ONCE: Final = 100
_UNSENT: Final = """
WITH old AS (
    SELECT v.id FROM content_emailversion v
    WHERE v.tenant_id = %(tenant)s AND v.created_at < %(before)s
      AND EXISTS (SELECT 1 FROM content_attachment a WHERE a.tenant_id = v.tenant_id AND a.version_id = v.id)
      AND NOT EXISTS (
        SELECT 1 FROM content_email e WHERE e.tenant_id = v.tenant_id AND e.current_id = v.id AND e.deleted_at IS NULL)
      AND NOT EXISTS (
        SELECT 1 FROM content_emailvariant o JOIN content_email e ON e.tenant_id = o.tenant_id AND e.id = o.email_id
        WHERE o.tenant_id = v.tenant_id AND o.current_id = v.id AND e.deleted_at IS NULL)
), sent AS (
    SELECT DISTINCT m.content_version_id AS id FROM delivery_message m
    WHERE m.tenant_id = %(tenant)s AND m.content_version_id IN (SELECT id FROM old)
)
DELETE FROM content_attachment a
WHERE a.tenant_id = %(tenant)s AND a.version_id IN (SELECT id FROM old) AND a.version_id NOT IN (SELECT id FROM sent)
"""
# Whoever saves an email holds its files' rows: those are left alone, and touched by then.
_UNHELD: Final = """
SELECT f.id FROM content_storedfile f
WHERE f.tenant_id = %(tenant)s AND f.touched_at < %(before)s
  AND NOT EXISTS (SELECT 1 FROM content_attachment a WHERE a.tenant_id = f.tenant_id AND a.file_id = f.id)
ORDER BY f.id LIMIT %(limit)s FOR UPDATE OF f SKIP LOCKED
"""
_PIECES: Final = (
    "DELETE FROM content_storedpiece WHERE tenant_id = %(tenant)s AND file_id = ANY(%(ids)s::bigint[])"
)
_FILES: Final = "DELETE FROM content_storedfile WHERE tenant_id = %(tenant)s AND id = ANY(%(ids)s::bigint[])"


def collect_soon(*, now: dt.datetime) -> None:
    """Begin the job, unless it ran within a day or there is nothing that it could look at."""
    before = now - KEPT
    if Job.objects.filter(kind=JOB, created_at__gt=before).exists():
        return
    if StoredFile.objects.filter(touched_at__lt=before).exists():
        start_job(kind=JOB, now=now, arguments={}, title="Files that nothing holds")


@dataclass(frozen=True)
class CollectFiles:
    """The job."""

    name: str = JOB

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Collect the next files; versions are looked at first, once."""
        tenant, before = require_tenant_id(), now - KEPT
        with raw_cursor() as cursor:
            if not job.cursor.get("versions"):
                cursor.execute(_UNSENT, {"tenant": tenant, "before": before})
            cursor.execute(_UNHELD, {"tenant": tenant, "before": before, "limit": AT_ONCE})
            ids = [row[0] for row in cursor.fetchall()]
            cursor.execute(_PIECES, {"tenant": tenant, "ids": ids})
            cursor.execute(_FILES, {"tenant": tenant, "ids": ids})
        done = job.done + len(ids)
        return Slice({"versions": True}, done, done, finished=len(ids) < AT_ONCE, result={"files": done})
