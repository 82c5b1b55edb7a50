"""Noting who looks at a form's page and how far they come. A note that cannot be written never costs an answer."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from urllib.parse import urlsplit

from content.forms.document import FormDocument
from content.models import Form, FormVisit
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id

Place = FormVisit.Place
# Loaded before anybody sees them: the script on the site says when it shows them.
_UNSEEN = frozenset({Place.POPUP, Place.TAB})
_HOST = re.compile(r"[a-z0-9.-]{1,120}")
_NEW = """
INSERT INTO content_formvisit (tenant_id, form_id, key, at, place, site, is_machine, is_seen, page, field)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0, '') ON CONFLICT (tenant_id, form_id, key) DO NOTHING
"""
_PROGRESS = """
UPDATE content_formvisit SET is_seen = TRUE, is_machine = is_machine OR %(machine)s,
    started_at = CASE WHEN %(started)s THEN coalesce(started_at, %(now)s) ELSE started_at END,
    page = greatest(page, %(page)s), field = CASE WHEN %(field)s = '' THEN field ELSE %(field)s END
WHERE tenant_id = %(tenant)s AND form_id = %(form)s AND key = %(key)s
"""


def place_of(*, embed: str | None, by_message: bool) -> str:
    """Return where a page stands: `embed` is what its address says, None where it says nothing."""
    if embed is None:
        return Place.MESSAGE if by_message else Place.LINK
    return embed if embed in {Place.INLINE, Place.POPUP, Place.TAB} else Place.FRAME


def site_of(referrer: str, *, own_host: str) -> str:
    """Return the host that a browser names as the one it came from; "" for ours and for what is none."""
    try:
        host = (urlsplit(referrer).hostname or "").lower()
    except ValueError:
        return ""
    return host if _HOST.fullmatch(host) and host != own_host.partition(":")[0].lower() else ""


def note_visit(
    *, form: Form, key: uuid.UUID, place: str, site: str, is_machine: bool, now: dt.datetime
) -> None:
    """Note that the page was handed out. The same page twice is one."""
    values = [require_tenant_id(), form.pk, key, now, place, site, is_machine, place not in _UNSEEN]
    with raw_cursor() as cursor:
        cursor.execute(_NEW, values)


def note_progress(
    *,
    form: Form,
    key: uuid.UUID,
    document: FormDocument,
    now: dt.datetime,
    field: str = "",
    page: int = 0,
    started: bool = False,
    is_machine: bool = False,
) -> None:
    """Note that the page was seen and, with a field, a later page or `started`, that somebody began to fill it in.

    What the form does not have is left out; a visit that nobody noted stays unnoted.
    """
    known = field if document.field(field) is not None else ""
    pages = sum(one.kind == "page" for one in document.fields)
    reached = page if 0 <= page <= pages else 0
    values = {
        "tenant": require_tenant_id(), "form": form.pk, "key": key, "now": now, "field": known, "page": reached,
        "started": started or bool(known) or reached > 0, "machine": is_machine,
    }  # fmt: skip
    with raw_cursor() as cursor:
        cursor.execute(_PROGRESS, values)
