"""The email of a form's double opt-in: the form's own words in the tenant's brand, written at each save of either.

It belongs to the form: no library shows it, and nobody edits it.
"""

from __future__ import annotations

import datetime as dt

from accounts.models import Tenant, User
from content.brand import BrandValues, brand_values
from content.compile import Compiled, Source
from content.forms.document import FormDocument
from content.forms.mail import compiled_confirmation, confirmation_source
from content.models import Email, Form
from content.operations.versions import add_version, write_email_uses
from core.tenancy import require_tenant_id


def write_confirmation(
    form: Form,
    document: FormDocument,
    actor: User | None,
    now: dt.datetime,
    *,
    brand: BrandValues | None = None,
) -> bool:
    """Write the form's mail where it says or looks something else than before, and tell whether it did.

    Runs in the caller's transaction. Raises ValueError where the form's words cannot be compiled.
    """
    language = Tenant.objects.values_list("language", flat=True).get(pk=require_tenant_id())
    source = confirmation_source(document, tenant_language=language)
    compiled = compiled_confirmation(source, brand=brand or brand_values())
    email = _mail_of(form, now)
    if _is_the_same(email, source, compiled):
        return False
    email.subject, email.mjml, email.language = source.subject, source.mjml, source.language
    email.text, email.text_is_own = compiled.text, True
    email.revision += 1
    email.updated_at, email.updated_by = now, actor
    email.save()
    email.current = add_version(email, email, compiled, actor, now)
    email.save(update_fields=["current"])
    write_email_uses(email)
    if form.confirmation_id is None:
        form.confirmation = email
        form.save(update_fields=["confirmation"])
    return True


def _mail_of(form: Form, now: dt.datetime) -> Email:
    """Return the form's mail, locked: a save of the form and a new brand may come at once."""
    if form.confirmation_id is None:
        name = f"Confirmation of “{form.name}”"[:120]
        return Email(name=name, created_at=now, is_internal=True)
    rows = Email.objects.select_related("current").select_for_update(of=("self",), no_key=True)
    return rows.get(pk=form.confirmation_id)


def _is_the_same(email: Email, source: Source, compiled: Compiled) -> bool:
    now = email.current
    return (
        now is not None
        and email.language == source.language
        and (now.subject, now.mjml, now.html, now.text)
        == (compiled.subject, source.mjml, compiled.html, compiled.text)
    )
