"""Writing emails: make, save (which compiles), copy, delete."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from accounts.audit import write_audit
from accounts.models import User
from content.brand import brand_values
from content.compile import Compiled, Result, Source, compile_email
from content.form_page import form_of_address
from content.image_urls import images_in
from content.models import Email, EmailVersion, Image, MessageLink, TrackedLink
from content.problems import Problem
from content.queries import locks_of, uses_of
from content.rendering import test_render_problem
from content.tree import known_tree
from core.tenancy import require_tenant_id
from crm.operations.usage import forget_uses, write_uses


class EmailRefused(Exception):
    """Base of what stops a change; the message is for the user."""


class EmailLocked(EmailRefused):
    """A running flow uses the email."""


class EmailChanged(EmailRefused):
    """Somebody else saved it in the meantime."""


class EmailInUse(EmailRefused):
    """A flow uses the email, so it cannot be deleted."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a writer hands in. `own_text` None means that the plain text is made from the content."""

    name: str
    subject: str
    mjml: str
    preheader: str = ""
    own_text: str | None = None

    @property
    def source(self) -> Source:
        """What is compiled."""
        return Source(self.subject, self.mjml, self.preheader, self.own_text)


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
def save_email(*, email_id: int, draft: Draft, revision: int, actor: User | None, now: dt.datetime) -> Saved:
    """Save and compile: the email's new version is immutable and becomes what is sent from now on.

    Raises EmailLocked, and EmailChanged unless `revision` is the one that the writer began with. With problems
    nothing is changed.
    """
    email = _for_change(email_id)
    if email.revision != revision:
        raise EmailChanged(
            "Somebody else saved this email while you were writing. Copy your text and reload."
        )
    if not draft.name.strip():
        return Saved(email, (Problem("name", "Give the email a name."),))
    result = compile_draft(draft)
    if result.compiled is None:
        return Saved(email, tuple(result.problems))
    email.name, email.subject = draft.name.strip()[:120], draft.subject.strip()
    email.preheader, email.mjml = draft.preheader.strip(), draft.mjml
    email.text_is_own = draft.own_text is not None
    email.text = draft.own_text if draft.own_text is not None else result.compiled.text
    email.revision += 1
    email.updated_at, email.updated_by = now, actor
    email.current = add_version(email, result.compiled, actor, now)
    email.save()
    write_audit(
        actor=actor, action="email.saved", object_kind="email", object_id=email.pk, object_name=email.name,
        payload={"version": email.revision},
    )  # fmt: skip
    return Saved(email)


def _for_change(email_id: int) -> Email:
    email = Email.objects.select_for_update(no_key=True).get(pk=email_id, deleted_at=None)
    locks = locks_of(email.pk)
    if locks:
        names = ", ".join(f"“{lock.flow_name}”" for lock in locks)
        raise EmailLocked(f"This email is locked while {names} runs. Pause the flow to change it.")
    return email


def add_version(email: Email, compiled: Compiled, actor: User | None, now: dt.datetime) -> EmailVersion:
    """Write down what was compiled, with its links, as the email's version `revision`."""
    version = EmailVersion.objects.create(
        email=email,
        number=email.revision,
        subject=compiled.subject,
        preheader=compiled.preheader,
        mjml=email.mjml,
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
    write_uses(
        user_kind="email", user_id=email.pk, user_name=email.name, page="content:edit",
        references=[
            *(("link", link.pk) for link in registered.values()), *_forms_among(compiled), *_images_in(email),
        ],
    )  # fmt: skip
    return version


def _images_in(email: Email) -> list[tuple[str, int]]:
    """Return the tenant's pictures that the email shows, among those that there are."""
    named = set(images_in(email.mjml, require_tenant_id()))
    return [
        ("image", pk) for pk in Image.objects.filter(pk__in=named).order_by("pk").values_list("pk", flat=True)
    ]


def _forms_among(compiled: Compiled) -> list[tuple[str, int]]:
    """Return the forms of ours that the email's ordinary links lead to."""
    found = (form_of_address(link.url) for link in compiled.links)
    return [("form", pk) for pk in dict.fromkeys(found) if pk is not None]


@transaction.atomic
def copy_email(
    *, email_id: int, actor: User | None, now: dt.datetime, flow_id: int | None = None, name: str = ""
) -> Email:
    """Copy an email, into a flow if one is given; a copy of what can be sent can be sent."""
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
    draft = Draft(copy.name, old.subject, old.mjml, old.preheader, old.text if old.text_is_own else None)
    return save_email(email_id=copy.pk, draft=draft, revision=0, actor=actor, now=now).email


@transaction.atomic
def delete_email(*, email_id: int, actor: User | None, now: dt.datetime) -> None:
    """Take an email out of the library; its versions stay, for what was sent. Raises EmailLocked and EmailInUse."""
    email = _for_change(email_id)
    uses = uses_of(email.pk)
    if uses:
        names = ", ".join(f"“{use.user_name}”" for use in uses)
        raise EmailInUse(f"This email is used by {names}. Take it out there first.")
    Email.objects.filter(pk=email.pk).update(deleted_at=now, revision=F("revision") + 1)
    forget_uses(user_kind="email", user_id=email.pk)
    write_audit(
        actor=actor, action="email.deleted", object_kind="email", object_id=email.pk, object_name=email.name
    )
