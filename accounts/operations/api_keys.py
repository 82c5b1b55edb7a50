"""API keys: making and revoking one, and finding out whose a key is that came with a request."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import ApiKey, ApiKeyLookup, User
from core.tenancy import require_tenant_id

BEGINS = "mr_"
PREFIX = 8
LONGEST = 100
# A key's last use is written at most this often.
USE_NOTED = dt.timedelta(minutes=1)


class KeyNameTaken(ValueError):
    """Another key in force has this name."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key that came with a request and is known."""

    tenant_id: int
    key_id: int


@transaction.atomic
def create_api_key(*, name: str, scopes: Sequence[str], actor: User, now: dt.datetime) -> tuple[ApiKey, str]:
    """Make a key; return it with its secret, which is kept nowhere. Raises KeyNameTaken."""
    if ApiKey.objects.filter(name=name, revoked_at=None).exists():
        raise KeyNameTaken(f"There is a key {name!r} already.")
    secret = f"{BEGINS}{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        prefix=secret[:PREFIX],
        scopes=[str(scope) for scope in ApiKey.Scope if scope in scopes],
        created_at=now,
        created_by=actor,
    )
    ApiKeyLookup.objects.create(digest=digest_of(secret), for_tenant_id=require_tenant_id(), key_id=key.pk)
    _log(actor, "api_key.created", key, {"scopes": key.scopes, "prefix": key.prefix})
    return key, secret


@transaction.atomic
def revoke_api_key(*, key_id: int, actor: User, now: dt.datetime) -> ApiKey:
    """Make a key worthless at once; revoking it again changes nothing. Raises ApiKey.DoesNotExist."""
    key = ApiKey.objects.select_for_update().get(pk=key_id)
    if key.revoked_at is not None:
        return key
    key.revoked_at = now
    key.save(update_fields=["revoked_at"])
    ApiKeyLookup.objects.filter(for_tenant_id=require_tenant_id(), key_id=key.pk).delete()
    _log(actor, "api_key.revoked", key, {"prefix": key.prefix})
    return key


def find_api_key(secret: str) -> KeyUse | None:
    """Return whose key this is, or None. Needs no scope: the table is global and holds hashes."""
    if not secret.startswith(BEGINS) or len(secret) > LONGEST:
        return None
    row = ApiKeyLookup.objects.filter(digest=digest_of(secret)).values_list("for_tenant_id", "key_id").first()
    return KeyUse(*row) if row else None


def note_use(*, key_id: int, now: dt.datetime) -> ApiKey | None:
    """Return the key if it is in force, in its tenant's scope, and remember that it was used."""
    key = ApiKey.objects.filter(pk=key_id, revoked_at=None).first()
    if key is not None and (key.last_used_at is None or now - key.last_used_at > USE_NOTED):
        ApiKey.objects.filter(pk=key_id).update(last_used_at=now)
    return key


def digest_of(secret: str) -> str:
    """Return what is kept of a key: it is long and random, so a plain hash gives nothing away."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _log(actor: User, action: str, key: ApiKey, payload: dict[str, object]) -> None:
    write_audit(
        actor=actor,
        action=action,
        object_kind="api_key",
        object_id=key.pk,
        object_name=key.name,
        payload=payload,
    )
