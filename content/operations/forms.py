"""Forms: make, save, open and close, copy, delete."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import Group, User
from content.forms.document import EMAIL, FormDocument, FormField, structure_problems
from content.forms.fields import Bound, problems_of_targets
from content.models import Form
from content.operations.confirmations import write_confirmation
from crm.operations.usage import check_unused, forget_uses, write_uses
from delivery.models import Stream
from delivery.operations.streams import make_stream


class FormRefused(Exception):
    """Base of what stops a change; the message is for the user."""


class FormNameTaken(FormRefused):
    """Another form has this name."""


class FormChanged(FormRefused):
    """Somebody else saved it in the meantime."""


class FormNotReady(FormRefused):
    """The form is open, or shall be opened, and something is missing; `problems` say what."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("This keeps the form from being open: " + " ".join(problems))
        self.problems = problems


STARTER = FormDocument(
    fields=(
        FormField(key="email", kind="crm", target=EMAIL, label="Email address", required=True),
        FormField(key="first_name", kind="crm", target="contact.first_name", label="First name"),
        FormField(key="last_name", kind="crm", target="contact.last_name", label="Last name"),
    )
)


def document_of(form: Form) -> FormDocument:
    """Return the form's document, typed."""
    return FormDocument.model_validate(form.document)


def form_problems(document: FormDocument) -> list[str]:
    """Return what keeps a form from being open. A few queries."""
    return [*structure_problems(document), *problems_of_targets(document, Bound.of(document))]


@transaction.atomic
def create_form(
    *,
    name: str,
    actor: User | None,
    now: dt.datetime,
    managed_by: Group | None = None,
    document: FormDocument = STARTER,
) -> Form:
    """Make a form, closed. Raises FormNameTaken."""
    _check_free(name)
    stream = make_stream(name=f"Form: {name}", state=Stream.State.OPEN)
    form = Form.objects.create(
        name=name, managed_by=managed_by, stream=stream, document=document.model_dump(mode="json"), created_at=now,
        updated_at=now, updated_by=actor,
    )  # fmt: skip
    _audit(form, actor, "created")
    _follow_up(form, document, actor, now)
    return form


@transaction.atomic
def save_form(
    *, form_id: int, document: FormDocument, revision: int, actor: User | None, now: dt.datetime
) -> Form:
    """Save the form's document; an open form may not become unready. Raises FormChanged and FormNotReady."""
    form = _for_change(form_id)
    if form.revision != revision:
        raise FormChanged(
            "Somebody else saved this form in the meantime. Reload it, then make your change again."
        )
    if form.is_open and (problems := form_problems(document)):
        raise FormNotReady(problems)
    form.document = document.model_dump(mode="json")
    form.revision += 1
    form.updated_at, form.updated_by = now, actor
    form.save(update_fields=["document", "revision", "updated_at", "updated_by"])
    _audit(form, actor, "saved")
    _follow_up(form, document, actor, now)
    return form


@transaction.atomic
def change_form(
    *,
    form_id: int,
    name: str,
    managed_by: Group | None,
    closes_at: dt.datetime | None,
    closes_after: int | None,
    actor: User,
    now: dt.datetime,
) -> Form:
    """Change name, managing group, and when the form closes by itself. Raises FormNameTaken."""
    form = _for_change(form_id)
    _check_free(name, but=form_id)
    form.name, form.managed_by = name, managed_by
    form.closes_at, form.closes_after = closes_at, closes_after
    form.updated_at, form.updated_by = now, actor
    form.save()
    _audit(form, actor, "changed", managed_by=managed_by.pk if managed_by else None)
    _follow_up(form, document_of(form), actor, now)
    return form


@transaction.atomic
def open_form(*, form_id: int, actor: User | None, now: dt.datetime) -> None:
    """Let people send it. Raises FormNotReady."""
    form = _for_change(form_id)
    if problems := form_problems(document_of(form)):
        raise FormNotReady(problems)
    _set_open(form, actor, now, is_open=True)


@transaction.atomic
def close_form(*, form_id: int, actor: User, now: dt.datetime) -> None:
    """Show the inactive page from now on; what was sent stays."""
    _set_open(_for_change(form_id), actor, now, is_open=False)


def _set_open(form: Form, actor: User | None, now: dt.datetime, *, is_open: bool) -> None:
    form.is_open, form.updated_at, form.updated_by = is_open, now, actor
    form.save(update_fields=["is_open", "updated_at", "updated_by"])
    _audit(form, actor, "opened" if is_open else "closed")


@transaction.atomic
def copy_form(*, form_id: int, actor: User, now: dt.datetime) -> Form:
    """Copy a form; the copy is closed and has no submissions."""
    old = Form.objects.get(pk=form_id, deleted_at=None)
    taken = set(Form.objects.filter(deleted_at=None).values_list("name", flat=True))
    name = next(name for name in _copies(old.name) if name not in taken)
    return create_form(name=name, actor=actor, now=now, managed_by=old.managed_by, document=document_of(old))


def _copies(name: str) -> Iterator[str]:
    yield f"{name[:100]} (copy)"
    yield from (f"{name[:100]} (copy {number})" for number in range(2, 10_000))


@transaction.atomic
def delete_form(*, form_id: int, actor: User, now: dt.datetime) -> None:
    """Delete a form that nothing uses; what was sent stays on the contacts' timelines. Raises InUse."""
    form = _for_change(form_id)
    check_unused("form", form_id, form.name)
    form.deleted_at, form.is_open = now, False
    form.save(update_fields=["deleted_at", "is_open"])
    forget_uses(user_kind="form", user_id=form_id)
    _audit(form, actor, "deleted")


@transaction.atomic
def reset_form_numbers(*, form_id: int, actor: User, now: dt.datetime) -> None:
    """Count the form's statistics from zero. The answers stay, and so do the events on the contacts' timelines."""
    form = _for_change(form_id)
    form.counted_since = now
    form.save(update_fields=["counted_since"])
    _audit(form, actor, "statistics_reset")


def _for_change(form_id: int) -> Form:
    return Form.objects.select_for_update(of=("self",), no_key=True).get(pk=form_id, deleted_at=None)


def _follow_up(form: Form, document: FormDocument, actor: User | None, now: dt.datetime) -> None:
    """Write what follows from a save: the uses, and the mail of the double opt-in."""
    targets = Bound.of(document).targets.values()
    custom = [("custom_field", target.custom_id) for target in targets if target.custom_id is not None]
    write_uses(
        user_kind="form", user_id=form.pk, user_name=form.name, page="content:form", place="Form",
        references=[*document.references(), *custom],
    )  # fmt: skip
    if document.double_opt_in:
        write_confirmation(form, document, actor, now)


def _check_free(name: str, but: int | None = None) -> None:
    if Form.objects.filter(name=name, deleted_at=None).exclude(pk=but or 0).exists():
        raise FormNameTaken(f"There is a form “{name}” already.")


def _audit(form: Form, actor: User | None, verb: str, **payload: int | None) -> None:
    write_audit(
        actor=actor, action=f"form.{verb}", object_kind="form", object_id=form.pk, object_name=form.name,
        payload=payload,
    )  # fmt: skip
