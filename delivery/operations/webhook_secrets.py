"""Secrets of webhooks: they go in and never come out, except the signing key once, when it is made."""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.secrets import seal
from crm.operations.usage import check_unused
from delivery.models import WebhookSecret
from delivery.webhooks.signing import PURPOSE, new_key

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_VALUE = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,999}")


class SecretRefused(ValueError):
    """The secret cannot be kept so; the message is for the user."""


@transaction.atomic
def keep_secret(*, name: str, value: str, actor: User, now: dt.datetime) -> WebhookSecret:
    """Keep a value under a name; a name that is there gets the new value. Raises SecretRefused."""
    if not _NAME.fullmatch(name):
        raise SecretRefused("A name has letters, digits, _ and - only.")
    if not _VALUE.fullmatch(value):
        raise SecretRefused("A value is one line of ordinary characters, at most 1,000.")
    sealed = seal(value, purpose=PURPOSE)
    secret, is_new = WebhookSecret.objects.update_or_create(
        name=name, defaults={"value": sealed, "changed_at": now}
    )
    _log(actor, "webhook_secret.created" if is_new else "webhook_secret.changed", secret)
    return secret


@transaction.atomic
def delete_secret(*, secret_id: int, actor: User) -> str:
    """Delete a secret and return its name. Raises WebhookSecret.DoesNotExist, and crm's InUse where a step names it."""
    secret = WebhookSecret.objects.select_for_update().exclude(name="").get(pk=secret_id)
    check_unused("webhook_secret", secret.pk, f"The secret {secret.name}")
    _log(actor, "webhook_secret.deleted", secret)
    name = secret.name
    secret.delete()
    return name


@transaction.atomic
def renew_signing_key(*, actor: User, now: dt.datetime) -> str:
    """Make a new signing key and return it: this once. Requests are signed with it from the next one on."""
    key = new_key()
    secret, _ = WebhookSecret.objects.update_or_create(
        name="", defaults={"value": seal(key, purpose=PURPOSE), "changed_at": now}
    )
    _log(actor, "webhook_secret.signing_key_renewed", secret)
    return key


def _log(actor: User, action: str, secret: WebhookSecret) -> None:
    write_audit(
        actor=actor,
        action=action,
        object_kind="webhook_secret",
        object_id=secret.pk,
        object_name=secret.name or "Signing key",
    )
