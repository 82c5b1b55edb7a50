"""Renders the texts of SMS, many at once. Values are plain data; a missing one is empty, never an error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from jinja2 import Template

from content.kept_values import KEY
from content.languages import variant_for
from content.models import SmsVersion
from content.sandbox import TEXT
from content.sms import LONGEST, TOKEN_LENGTH, compile_text, short_length
from content.values import tenant_values, values_of
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from delivery.rendering import MessageLinks, Rendered, RenderFailed, RenderJob, short_links
from delivery.short_tokens import UNSUBSCRIBE

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_NEWEST = """
SELECT DISTINCT ON (v.id) v.id, n.id FROM content_smsversion v
JOIN content_smsversion n ON n.tenant_id = v.tenant_id AND n.step_id = v.step_id
WHERE v.tenant_id = %s AND v.id = ANY(%s::bigint[])
ORDER BY v.id, n.number DESC
"""


@dataclass(frozen=True, slots=True)
class _Text:
    version_id: int
    template: Template
    variants: dict[str, Template]
    paths: tuple[str, ...]
    registered: tuple[tuple[str, int], ...]


@lru_cache(maxsize=256)
def _text(version_id: int) -> _Text:
    """Return the template of a version: immutable, and its id is never used again."""
    version = SmsVersion.objects.only("text", "variants", "custom_keys", "links").get(pk=version_id)
    numbers = tuple((link["key"], number) for number, link in enumerate(version.links, 1) if link["key"])
    variants = {one["language"]: TEXT.from_string(one["text"]) for one in version.variants}
    return _Text(version_id, TEXT.from_string(version.text), variants, tuple(version.custom_keys), numbers)


def render_texts(jobs: Sequence[RenderJob]) -> dict[int, Rendered | RenderFailed]:
    """Render the SMS of the open tenant scope, each with its step's newest text."""
    if not jobs:
        return {}
    newest = _newest_versions({job.content_version_id for job in jobs})
    texts = {old: _text(new) for old, new in newest.items()}
    paths = {path for text in texts.values() for path in text.paths}
    # `about` is the contact that a message to a colleague speaks of; it is not the one who gets it.
    about = {job.message_id: job.contact_id or job.values.get("about") for job in jobs}
    contacts = values_of([number for number in about.values() if number is not None], paths=paths)
    us = tenant_values()
    result: dict[int, Rendered | RenderFailed] = {}
    for job in jobs:
        text = texts.get(job.content_version_id)
        if text is None:
            result[job.message_id] = RenderFailed("The text no longer exists.")
            continue
        context = {
            **contacts.get(about[job.message_id] or 0, {}), "tenant": us, "event": job.values.get("event") or {}
        }  # fmt: skip
        result[job.message_id] = _render(text, context, short_links(job.links))
    return result


def preview_text(
    source: str, variants: Mapping[str, str], *, contact_id: int | None
) -> Rendered | RenderFailed:
    """Render a text without problems as one contact would get it; its links are as long as real ones."""
    made = compile_text(source, variants)
    text = _Text(
        0,
        TEXT.from_string(made.text),
        {language: TEXT.from_string(one) for language, one in made.variants.items()},
        made.custom_keys,
        tuple((link.key, number) for number, link in enumerate(made.links, 1) if link.key),
    )
    known = values_of([contact_id], paths=set(text.paths)) if contact_id is not None else {}
    context = {**known.get(contact_id or 0, {}), "tenant": tenant_values(), "event": {}}
    return _render(text, context, _sample_links())


def _sample_links() -> MessageLinks:
    """Return addresses that lead nowhere and are as long as real ones."""
    click = f"{settings.PUBLIC_URL}/{'x' * short_length()}"
    preferences = f"{settings.PUBLIC_URL}/m/p/{'x' * TOKEN_LENGTH}"
    return MessageLinks(click, "", f"{click}{UNSUBSCRIBE}", preferences, "")


def _newest_versions(version_ids: set[int]) -> dict[int, int]:
    with raw_cursor() as cursor:
        cursor.execute(_NEWEST, [require_tenant_id(), sorted(version_ids)])
        return dict(cursor.fetchall())


def _render(text: _Text, context: dict[str, Any], links: MessageLinks) -> Rendered | RenderFailed:
    context["links"] = {
        "unsubscribe": links.unsubscribe,
        "preferences": links.preferences,
        **{key: f"{links.click}{number}" for key, number in text.registered},
    }
    context["_click"] = links.click
    try:
        template = variant_for(context.get("contact", {}).get("language"), text.variants, text.template)
        written = _CONTROL.sub("", template.render(context).replace("\r\n", "\n")).strip()
    except Exception as error:  # noqa: BLE001 - a writer's template: its faults are the message's, not the batch's
        return RenderFailed(f"{type(error).__name__}: {error}"[:500])
    if not written:
        return RenderFailed("The text is empty for this contact.")
    if len(written) > LONGEST:
        return RenderFailed(f"The text is longer than {LONGEST} characters.")
    return Rendered(text.version_id, None, "", "", written, {KEY: {"text": written}})
