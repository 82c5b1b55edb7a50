"""The two emails of the demo's welcome flow."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from django.conf import settings

from accounts.models import User
from content.models import Email
from content.operations.emails import Draft, create_email, save_email

SOURCES = Path(__file__).resolve().parent / "mjml"


def seed_email(
    *, name: str, subject: str, preheader: str, source: str, writer: User, now: dt.datetime
) -> Email:
    """Make and compile one email from a file of this folder."""
    email = create_email(name=name, actor=writer, now=now)
    mjml = (SOURCES / source).read_text().replace("SHOP", f"{settings.PUBLIC_URL}/mailbox/shop")
    draft = Draft(name=name, subject=subject, preheader=preheader, mjml=mjml)
    saved = save_email(email_id=email.pk, draft=draft, revision=email.revision, actor=writer, now=now)
    if not saved.is_saved:
        raise RuntimeError(f"{source}: {saved.problems}")
    return saved.email
