"""The languages of an email: add one, take one away, say what the email itself is written in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from content.direction import direction_of, mirrored
from content.languages import language_name
from content.models import Email, EmailVariant
from content.operations.emails import (
    Draft,
    EmailRefused,
    compile_draft,
    create_email,
    email_for_change,
    keep_draft,
    save_email,
)
from content.operations.versions import write_email_uses

MOST_VARIANTS = 30


class CannotAdd(EmailRefused):
    """There is nothing to begin with, or the language is there already."""


@transaction.atomic
def add_variant(
    *, email_id: int, language: str, revision: int, actor: User | None, now: dt.datetime
) -> EmailVariant:
    """Begin a variant as a copy of the email; from now on contacts of that language get it.

    Raises EmailLocked, EmailChanged and CannotAdd.
    """
    email = email_for_change(email_id, revision)
    if email.current_id is None:
        raise CannotAdd("Save the email without problems first: a new language begins as a copy of it.")
    there = set(EmailVariant.objects.filter(email=email).values_list("language", flat=True))
    if language in there | {email.language}:
        raise CannotAdd(f"This email is there in {language_name(language)} already.")
    if len(there) >= MOST_VARIANTS:
        raise CannotAdd(f"An email has at most {MOST_VARIANTS} languages beside its own.")
    draft = _turned(Draft.of(email, email.name), email.language, language)
    variant = _write(email, language, draft, actor, now)
    write_email_uses(email)
    _audit(email, actor, "added", language)
    return variant


def _turned(draft: Draft, old: str, new: str) -> Draft:
    """Return a draft whose layout begins at the side that the new language is read from."""
    turns = (direction_of(old) or "ltr") != (direction_of(new) or "ltr")
    return replace(draft, mjml=mirrored(draft.mjml)) if turns else draft


def _write(email: Email, language: str, draft: Draft, actor: User | None, now: dt.datetime) -> EmailVariant:
    result = compile_draft(replace(draft, language=language))
    if result.compiled is None:
        raise CannotAdd(f"{language_name(language)}: {result.problems[0]}")
    variant = EmailVariant(email=email, language=language)
    keep_draft(email, variant, draft, result.compiled, actor, now)
    return variant


@transaction.atomic
def remove_variant(
    *, email_id: int, language: str, revision: int, actor: User | None, now: dt.datetime
) -> None:
    """Take a language away: its contacts get the email itself from now on, and so do messages that wait.

    What was sent stays as it was. Raises EmailLocked and EmailChanged.
    """
    email = email_for_change(email_id, revision)
    if EmailVariant.objects.filter(email=email, language=language).delete()[0]:
        email.revision += 1
        email.updated_at, email.updated_by = now, actor
        email.save()
        write_email_uses(email)
        _audit(email, actor, "removed", language)


@transaction.atomic
def set_language(
    *, email_id: int, language: str, revision: int, actor: User | None, now: dt.datetime
) -> None:
    """Say which language the email itself is written in: its mails say so too, from the new version on.

    Raises EmailLocked, EmailChanged and CannotAdd.
    """
    email = email_for_change(email_id, revision)
    if EmailVariant.objects.filter(email=email, language=language).exists():
        raise CannotAdd(f"There is a variant in {language_name(language)}: take that away first.")
    turned = _turned(Draft.of(email, email.name), email.language, language)
    email.language, email.updated_at, email.updated_by = language, now, actor
    email.mjml = turned.mjml
    email.save(update_fields=["language", "mjml", "updated_at", "updated_by"])
    if email.current_id is None:
        return
    draft = Draft.of(email, email.name)
    if compiled := compile_draft(draft).compiled:
        keep_draft(email, email, draft, compiled, actor, now)


def write_languages(
    email_id: int, drafts: Mapping[str, Draft], *, language: str, actor: User | None, now: dt.datetime
) -> Email:
    """Fill a new email in all its languages ("" is the email itself); what does not compile is left out.

    `language` is that of the email itself.
    """
    if language:
        Email.objects.filter(pk=email_id).update(language=language)
    saved = save_email(email_id=email_id, draft=drafts[""], revision=0, actor=actor, now=now)
    email = saved.email
    if saved.is_saved:
        for code, draft in drafts.items():
            if code and compile_draft(draft).compiled:
                _write(email, code, draft, actor, now)
        write_email_uses(email)
    return email


@transaction.atomic
def copy_email(
    *, email_id: int, actor: User | None, now: dt.datetime, flow_id: int | None = None, name: str = ""
) -> Email:
    """Copy an email, into a flow if one is given; a copy of what can be sent can be sent, in every language."""
    old = Email.objects.get(pk=email_id, deleted_at=None)
    copy = create_email(
        name=name or f"{old.name[:112]} (copy)",
        actor=actor,
        now=now,
        mjml=old.mjml,
        subject=old.subject,
        flow_id=flow_id,
    )
    if old.current_id is None:
        return copy
    variants = EmailVariant.objects.filter(email=old).order_by("language")
    drafts = {"": Draft.of(old, copy.name), **{one.language: Draft.of(one, copy.name) for one in variants}}
    return write_languages(copy.pk, drafts, language=old.language, actor=actor, now=now)


def _audit(email: Email, actor: User | None, verb: str, language: str) -> None:
    write_audit(
        actor=actor, action=f"email.language_{verb}", object_kind="email", object_id=email.pk,
        object_name=email.name, payload={"language": language},
    )  # fmt: skip
