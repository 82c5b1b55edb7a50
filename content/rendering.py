"""Renders messages of immutable versions, many at once (settings.DELIVERY_RENDERER), and previews of drafts.

Templates are compiled once per version and process. Values are plain data; a missing one is empty, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.html import escape
from jinja2 import Template

from content.compile import Compiled
from content.filters import one_line
from content.forms.mail import confirm_url
from content.kept_values import KEY, kept, restored, values_named
from content.languages import variant_for
from content.models import EmailVariant, EmailVersion, MessageLink, TrackedLink
from content.notices import is_notice, render_notices
from content.queries_attachment import attached_to, pieces_of_file
from content.sandbox import HTML, LINK, TEXT, paths_of
from content.sms_rendering import render_texts
from content.values import Values, tenant_values, values_of
from core.tenancy import require_tenant_id
from delivery.files import FileSet, MailFile
from delivery.rendering import MessageLinks, Rendered, RenderFailed, RenderJob

MAX_HTML = 2_000_000
# In a message's values: the language that it must have, whatever its contact's; a test of one variant.
LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Templates:
    """A version, ready to render."""

    version_id: int
    email_id: int
    subject: Template
    html: Template
    text: Template
    paths: tuple[str, ...]
    # What its tags name: kept with each message.
    named: tuple[str, ...] = ()
    # Registered links that it names, by key, with their numbers in the message.
    registered: tuple[tuple[str, int], ...] = ()
    files: FileSet | None = None


@lru_cache(maxsize=64)
def _templates(version_id: int) -> Templates:
    """Return the compiled templates of a version: immutable, and its id is never used again."""
    version = EmailVersion.objects.only("email_id", "subject", "html", "text", "custom_keys").get(
        pk=version_id
    )
    ids = version_id, version.email_id
    ready = _prepare(ids, version.subject, version.html, version.text, version.custom_keys)
    links = MessageLink.objects.filter(version=version_id, registered__isnull=False)
    return replace(
        ready, registered=tuple(links.values_list("registered__key", "number")), files=_file_set(version_id)
    )


def _file_set(version_id: int) -> FileSet | None:
    """Return what goes with mails of a version; its bytes are read when a mail goes."""
    files = tuple(MailFile(one.name, one.kind, one.file_id, one.size) for one in attached_to(version_id))
    return FileSet(require_tenant_id(), files, pieces_of_file) if files else None


def _prepare(ids: tuple[int, int], subject: str, html: str, text: str, paths: Sequence[str]) -> Templates:
    return Templates(
        *ids, TEXT.from_string(subject), HTML.from_string(html), TEXT.from_string(text), tuple(paths),
        values_named(paths_of(source) for source in (subject, html, text)),
    )  # fmt: skip


def render_batch(jobs: Sequence[RenderJob]) -> dict[int, Rendered | RenderFailed]:
    """Render messages of the open tenant scope, each with its newest content."""
    texts = [job for job in jobs if job.channel == "sms"]
    notices = [job for job in jobs if job.channel != "sms" and is_notice(job)]
    mails = [job for job in jobs if job.channel != "sms" and not is_notice(job)]
    return {**_render_mails(mails), **render_texts(texts), **render_notices(notices)}


def _render_mails(jobs: Sequence[RenderJob]) -> dict[int, Rendered | RenderFailed]:
    if not jobs:
        return {}
    newest = _newest_versions({job.content_version_id for job in jobs})
    templates = {pk: _templates(pk) for one in newest.values() for pk in one.all()}
    paths = {path for item in templates.values() for path in item.paths}
    contacts = values_of([job.contact_id for job in jobs if job.contact_id is not None], paths=paths)
    tenant = tenant_values()
    result: dict[int, Rendered | RenderFailed] = {}
    for job in jobs:
        known = contacts.get(job.contact_id, {}) if job.contact_id is not None else {}
        versions = newest.get(job.content_version_id)
        if versions is None:
            result[job.message_id] = RenderFailed("The email no longer exists.")
            continue
        language = job.values.get(LANGUAGE) or known.get("contact", {}).get("language")
        ready = templates[versions.for_language(language)]
        context = {**known, "tenant": tenant, "event": job.values.get("event") or {}}
        result[job.message_id] = _render(ready, context, job.links, job.values.get("submission"))
    return result


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest versions of one email: the default, and by language what contacts of that language get."""

    default: int
    variants: dict[str, int]
    # What the default is written in: it is nobody's second choice there.
    language: str = ""

    def for_language(self, language: str | None) -> int:
        """Return the version that a contact of a language gets."""
        return variant_for(language, {self.language: self.default, **self.variants}, self.default)

    def all(self) -> tuple[int, ...]:
        """Return every version."""
        return self.default, *self.variants.values()


def _newest_versions(version_ids: set[int]) -> dict[int, Newest]:
    """Return the newest versions of each version's email: what is queued takes the newest content. Two queries."""
    rows = EmailVersion.objects.filter(pk__in=version_ids).values_list(
        "pk", "email_id", "email__current_id", "email__language"
    )
    known = list(rows)
    variants: dict[int, dict[str, int]] = {}
    found = EmailVariant.objects.filter(email_id__in={email_id for _, email_id, _, _ in known})
    for email_id, language, version_id in found.values_list("email_id", "language", "current_id"):
        variants.setdefault(email_id, {})[language] = version_id
    return {pk: Newest(new or pk, variants.get(email_id, {}), own) for pk, email_id, new, own in known}


def _render(
    ready: Templates, context: Values, links: MessageLinks, submission_id: int | None = None
) -> Rendered | RenderFailed:
    context["links"] = {
        "confirm": confirm_url(tenant_id=require_tenant_id(), submission_id=submission_id)
        if submission_id
        else "",
        "unsubscribe": links.unsubscribe,
        "preferences": links.preferences,
        "view_in_browser": links.view,
        **{key: f"{links.click}{number}" for key, number in ready.registered},
    }
    context["_click"], context["_open"] = links.click, links.open
    try:
        rendered = Rendered(
            version_id=ready.version_id,
            email_id=ready.email_id,
            subject=one_line(ready.subject.render(context)),
            html=ready.html.render(context),
            text=ready.text.render(context),
            kept={KEY: kept(context, ready.named)},
            files=ready.files,
        )
    except Exception as error:  # noqa: BLE001 - a writer's template: its faults are the message's, not the batch's
        return RenderFailed(f"{type(error).__name__}: {error}"[:500])
    if len(rendered.html) > MAX_HTML:
        return RenderFailed("The email is too large.")
    return rendered


def render_sent(
    *, version_id: int, contact_id: int | None, values: Values, links: MessageLinks
) -> Rendered | RenderFailed:
    """Render one message again as it was sent: exactly this version, with the values kept at its hand-over.

    A message that has none yet (it is still queued) is shown with the contact's values of today.
    """
    ready = _templates(version_id)
    if KEY in values:
        context = dict(restored(values[KEY]))
    else:
        known = values_of([contact_id], paths=ready.paths) if contact_id is not None else {}
        context = {**known.get(contact_id or 0, {}), "tenant": tenant_values()}
    context["event"] = values.get("event") or {}
    return _render(ready, context, links)


NO_LINKS = MessageLinks(
    click="#link-", open="data:,", unsubscribe="#unsubscribe", preferences="#preferences", view="#view"
)
# A preview is no message, so it has no token; what kind of address it will be can be seen.
_OURS = f"{settings.PUBLIC_URL}/m/%s/…"
PREVIEW_LINKS = replace(NO_LINKS, unsubscribe=_OURS % "u", preferences=_OURS % "p", view=_OURS % "v")
_CLICK = re.compile(r"#link-(\d+)")


def render_preview(compiled: Compiled, *, contact_id: int | None) -> Rendered | RenderFailed:
    """Render a draft as one contact would get it: each link says where it would lead, and nothing is counted."""
    ready = _draft(compiled, compiled.custom_keys)
    known = values_of([contact_id], paths=ready.paths) if contact_id is not None else {}
    context = {**known.get(contact_id or 0, {}), "tenant": tenant_values(), "event": {}}
    rendered = _render(ready, context, PREVIEW_LINKS)
    if isinstance(rendered, RenderFailed):
        return rendered
    addresses = _preview_addresses(compiled, context)

    def leads(match: re.Match[str]) -> str:
        return addresses.get(match[1], match[0])

    html = _CLICK.sub(lambda match: escape(leads(match)), rendered.html)
    return replace(rendered, html=html, text=_CLICK.sub(leads, rendered.text))


def _preview_addresses(compiled: Compiled, context: Values) -> dict[str, str]:
    """Return where each link of a draft leads, by its number; a registered one that shows a text by its name."""
    keys = [link.key for link in compiled.links if link.key]
    found = TrackedLink.objects.filter(key__in=keys) if keys else ()
    registered = {
        link.key: link.url if link.shows == TrackedLink.Shows.ADDRESS else f"[{link.name}]" for link in found
    }
    return {
        str(link.number): render_address(
            registered.get(link.key, f"[{link.key}]") if link.key else link.url, context
        )
        for link in compiled.links
    }


def _draft(compiled: Compiled, paths: Sequence[str]) -> Templates:
    ready = _prepare((0, 0), compiled.subject, compiled.html, compiled.text, paths)
    return replace(ready, registered=tuple((link.key, link.number) for link in compiled.links if link.key))


def render_address(url: str, context: Values) -> str:
    """Return a tracked link's address for one message; values are encoded, and cannot choose the site."""
    if "{" not in url:
        return url
    return one_line(LINK.from_string(url).render(context))


def test_render_problem(compiled: Compiled) -> str | None:
    """Render with no values at all and with odd ones: return the error that a recipient's mail would die of."""
    ready = _draft(compiled, ())
    odd: dict[str, Any] = {
        root: dict.fromkeys(("first_name", "name", "country", "category"), "x")
        for root in ("contact", "company", "our_contact", "service_contact", "tenant")
    }
    for context in ({}, odd):
        result = _render(ready, dict(context), NO_LINKS)
        if isinstance(result, RenderFailed):
            return result.error
    return None
