"""Writing emails: make, save (which compiles), delete. Languages are added in content.operations.variants."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import F

from accounts.audit import write_audit
from accounts.models import User
from content.brand import brand_values
from content.compile import Compiled, Result, Source, compile_email
from content.languages import language_name
from content.models import Email, EmailVariant
from content.operations.attachments import attach, attachment_problems
from content.operations.versions import add_version, write_email_uses
from content.problems import Problem
from content.queries import locks_of
from content.queries_attachment import Attached, attached_to
from content.rendering import test_render_problem
from content.tree import known_tree
from crm.operations.usage import InUse, check_unused, forget_uses


class EmailRefused(Exception):
    """Base of what stops a change; the message is for the user."""


class EmailLocked(EmailRefused):
    """A running flow uses the email."""


class EmailChanged(EmailRefused):
    """Somebody else saved it in the meantime."""


class EmailInUse(EmailRefused):
    """A flow uses the email, so it cannot be deleted; `refused` says where."""

    def __init__(self, refused: InUse) -> None:
        super().__init__(str(refused))
        self.refused = refused


class NoSuchVariant(EmailRefused):
    """Somebody took the language away."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a writer hands in. `own_text` None: the plain text is made from the content; `attachments` None: they stay
    as they are."""

    name: str
    subject: str
    mjml: str
    preheader: str = ""
    own_text: str | None = None
    attachments: tuple[Attached, ...] | None = None
    language: str = ""

    @classmethod
    def of(cls, piece: Email | EmailVariant, name: str) -> Draft:
        """Return what an email or one of its variants says now."""
        own = piece.text if piece.text_is_own else None
        attached = attached_to(piece.current_id)
        return cls(name, piece.subject, piece.mjml, piece.preheader, own, attached, piece.language)

    @property
    def source(self) -> Source:
        """What is compiled."""
        return Source(self.subject, self.mjml, self.preheader, self.own_text, self.language)


@dataclass(frozen=True, slots=True)
class Saved:
    """The email and its newest version, or the problems that kept it from being saved (then nothing changed)."""

    email: Email
    problems: tuple[Problem, ...] = ()

    @property
    def is_saved(self) -> bool:
        """Whether the change took place."""
        return not self.problems


def compile_draft(draft: Draft) -> Result:
    """Compile a draft with the tenant's merge tags and try it on no values at all; writes nothing."""
    result = compile_email(draft.source, tree=known_tree(), brand=brand_values())
    if result.compiled:
        error = test_render_problem(result.compiled)
        if error:
            return Result([Problem("mjml", f"A merge tag fails where a value is missing or a text: {error}")])
    return result


@transaction.atomic
def create_email(
    *,
    name: str,
    actor: User | None,
    now: dt.datetime,
    mjml: str = "",
    subject: str = "",
    flow_id: int | None = None,
) -> Email:
    """Make an email that holds a starter's source; it can be sent once it is saved without problems."""
    email = Email.objects.create(
        name=name.strip()[:120],
        mjml=mjml,
        subject=subject,
        flow_id=flow_id,
        created_at=now,
        updated_at=now,
        updated_by=actor,
    )
    write_audit(
        actor=actor, action="email.created", object_kind="email", object_id=email.pk, object_name=email.name
    )
    return email


@transaction.atomic
def save_email(
    *,
    email_id: int,
    draft: Draft,
    revision: int,
    actor: User | None,
    now: dt.datetime,
    language: str = "",
) -> Saved:
    """Save and compile: the email's new version is immutable and becomes what is sent from now on.

    `language` names the variant that is saved. Raises EmailLocked, EmailChanged unless `revision` is the one that the
    writer began with, and NoSuchVariant. With problems nothing is changed.
    """
    saved = save_texts(email_id=email_id, drafts={language: draft}, revision=revision, actor=actor, now=now)
    return saved[language]


@transaction.atomic
def save_texts(
    *, email_id: int, drafts: Mapping[str, Draft], revision: int, actor: User | None, now: dt.datetime
) -> dict[str, Saved]:
    """Save several languages of an email at once ("" is the email itself): all of them, or none if one has problems.

    Raises what save_email raises.
    """
    email = email_for_change(email_id, revision)
    pieces = pieces_of(email, list(drafts))
    results = {
        code: _judged(replace(draft, language=code or email.language)) for code, draft in drafts.items()
    }
    if not all(result.compiled for result in results.values()):
        return {language: Saved(email, tuple(result.problems)) for language, result in results.items()}
    for language, draft in drafts.items():
        compiled = results[language].compiled
        assert compiled is not None  # noqa: S101 - looked at above
        if not language:
            email.name = draft.name.strip()[:120]
        keep_draft(email, pieces[language], draft, compiled, actor, now)
    write_email_uses(email)
    write_audit(
        actor=actor, action="email.saved", object_kind="email", object_id=email.pk, object_name=email.name,
        payload={"version": email.revision, **({"languages": sorted(filter(None, drafts))} if any(drafts) else {})},
    )  # fmt: skip
    return {language: Saved(email) for language in drafts}


def _judged(draft: Draft) -> Result:
    if not draft.name.strip():
        return Result([Problem("name", "Give the email a name.")])
    if draft.attachments and (problems := attachment_problems(draft.attachments)):
        return Result(problems)
    return compile_draft(draft)


def pieces_of(email: Email, languages: Sequence[str]) -> dict[str, Email | EmailVariant]:
    """Return what is written in each of these languages. Raises NoSuchVariant."""
    found: dict[str, Email | EmailVariant] = {"": email}
    wanted = [language for language in languages if language]
    if wanted:
        found |= {one.language: one for one in EmailVariant.objects.filter(email=email, language__in=wanted)}
    if missing := set(languages) - set(found):
        raise NoSuchVariant(f"The email has no variant in {language_name(min(missing))} any more.")
    return found


def keep_draft(
    email: Email,
    piece: Email | EmailVariant,
    draft: Draft,
    compiled: Compiled,
    actor: User | None,
    now: dt.datetime,
) -> None:
    """Write a draft and its new version into the email or one of its variants."""
    piece.subject, piece.preheader, piece.mjml = draft.subject.strip(), draft.preheader.strip(), draft.mjml
    piece.text_is_own = draft.own_text is not None
    piece.text = draft.own_text if draft.own_text is not None else compiled.text
    email.revision += 1
    email.updated_at, email.updated_by = now, actor
    files = attached_to(piece.current_id) if draft.attachments is None else draft.attachments
    piece.current = add_version(email, piece, compiled, actor, now)
    attach(piece.current, files, now=now)
    piece.save()
    email.save()


def email_for_change(email_id: int, revision: int | None = None) -> Email:
    """Return an email that this transaction may change. Raises EmailLocked and EmailChanged."""
    email = Email.objects.select_for_update(no_key=True).get(pk=email_id, deleted_at=None)
    locks = locks_of(email.pk)
    if locks:
        names = ", ".join(f"“{lock.flow_name}”" for lock in locks)
        raise EmailLocked(f"This email is locked while {names} runs. Pause the flow to change it.")
    if revision is not None and email.revision != revision:
        raise EmailChanged(
            "Somebody else saved this email while you were writing. Copy your text and reload."
        )
    return email


@transaction.atomic
def delete_email(*, email_id: int, actor: User | None, now: dt.datetime) -> None:
    """Take an email out of the library; its versions stay, for what was sent. Raises EmailLocked and EmailInUse."""
    email = email_for_change(email_id)
    try:
        check_unused("email", email.pk, f"“{email.name}”")
    except InUse as refused:
        raise EmailInUse(refused) from refused
    Email.objects.filter(pk=email.pk).update(deleted_at=now, revision=F("revision") + 1)
    forget_uses(user_kind="email", user_id=email.pk)
    write_audit(
        actor=actor, action="email.deleted", object_kind="email", object_id=email.pk, object_name=email.name
    )
