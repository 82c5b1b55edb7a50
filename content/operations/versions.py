"""Versions of emails, and what an email uses: written at each save, in one transaction with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import F, Q

from accounts.models import User
from content.compile import Compiled
from content.forms.page import form_of_address
from content.image_urls import images_in
from content.models import Email, EmailVariant, EmailVersion, Image, MessageLink, TrackedLink
from core.tenancy import require_tenant_id
from crm.operations.usage import write_uses


def add_version(
    email: Email, piece: Email | EmailVariant, compiled: Compiled, actor: User | None, now: dt.datetime
) -> EmailVersion:
    """Write down what was compiled of an email or a variant, with its links, as the email's version `revision`."""
    version = EmailVersion.objects.create(
        email=email,
        number=email.revision,
        language=piece.language if isinstance(piece, EmailVariant) else "",
        subject=compiled.subject,
        preheader=compiled.preheader,
        mjml=piece.mjml,
        html=compiled.html,
        text=compiled.text,
        custom_keys=list(compiled.custom_keys),
        created_at=now,
        created_by=actor,
    )
    keys = [link.key for link in compiled.links if link.key]
    registered = {link.key: link for link in TrackedLink.objects.filter(key__in=keys)} if keys else {}
    MessageLink.objects.bulk_create(
        MessageLink(
            version=version, number=link.number, url=link.url, label=link.label, registered=registered.get(link.key)
        )
        for link in compiled.links
    )  # fmt: skip
    return version


def write_email_uses(email: Email) -> None:
    """Write what the newest versions of an email, in every language, lead to and show. Four queries."""
    sources = dict(
        EmailVersion.objects.filter(
            Q(pk=email.current_id) | Q(pk__in=EmailVariant.objects.filter(email=email).values("current_id"))
        ).values_list("pk", "mjml")
    )
    links = MessageLink.objects.filter(version_id__in=sources).order_by("version_id", "number")
    forms: list[tuple[str, int]] = []
    registered: list[tuple[str, int]] = []
    for url, link_id in links.values_list("url", F("registered_id")):
        if link_id is not None:
            registered.append(("link", link_id))
        elif (form_id := form_of_address(url)) is not None:
            forms.append(("form", form_id))
    write_uses(
        user_kind="email", user_id=email.pk, user_name=email.name, page="content:edit",
        references=[*dict.fromkeys(registered), *dict.fromkeys(forms), *_images_in(sources.values())],
    )  # fmt: skip


def _images_in(sources: Iterable[str]) -> list[tuple[str, int]]:
    """Return the tenant's pictures that sources show, among those that there are."""
    named = {pk for source in sources for pk in images_in(source, require_tenant_id())}
    return [
        ("image", pk) for pk in Image.objects.filter(pk__in=named).order_by("pk").values_list("pk", flat=True)
    ]
