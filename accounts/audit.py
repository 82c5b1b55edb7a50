"""The audit log's only writer and its checker.

Each entry's hash covers the one before it and a keyed digest of what may hold personal values (payload, name of
the object, address of the caller), so those can be blanked later and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from accounts.models import AuditEntry, User
from core import clock
from core.tenancy import require_tenant_id

_ip: ContextVar[str | None] = ContextVar("millrace_audit_ip", default=None)
GENESIS = "0" * 64


@contextmanager
def acting_from(ip: str | None) -> Iterator[None]:
    """Say from where whatever happens inside is done."""
    token = _ip.set(ip)
    try:
        yield
    finally:
        _ip.reset(token)


@transaction.atomic
def write_audit(
    *,
    actor: User | None,
    action: str,
    object_kind: str,
    object_id: int | str,
    object_name: str = "",
    payload: dict[str, Any] | None = None,
    ip: str | None = None,
) -> AuditEntry:
    """Append an entry to the open tenant's chain, in the caller's transaction. `action` is `<object>.<verb>`."""
    tenant_id = require_tenant_id()
    _one_writer(tenant_id)
    entry = AuditEntry(
        tenant_id=tenant_id,
        at=clock.now(),
        actor=actor,
        action=action,
        object_kind=object_kind,
        object_id=str(object_id),
        object_name=object_name[:200],
        payload=json.loads(json.dumps(payload or {}, cls=DjangoJSONEncoder)),
        ip=ip or _ip.get(),
    )
    entry.payload_digest = digest(entry)
    entry.hash = link(entry, previous=_newest_hash())
    entry.save(force_insert=True)
    return entry


def _one_writer(tenant_id: int) -> None:
    """Writers of one tenant's chain queue here until the transaction ends: each must see the one before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('millrace audit'), %s)", [tenant_id % 2**31])


def _newest_hash() -> str:
    return AuditEntry.objects.order_by("-id").values_list("hash", flat=True).first() or GENESIS


def digest(entry: AuditEntry) -> str:
    """Return the keyed digest of the parts that may be blanked."""
    told = json.dumps([entry.payload, entry.object_name, entry.ip], sort_keys=True)
    return salted_hmac(f"millrace.audit.{entry.tenant_id}", told, algorithm="sha256").hexdigest()


def link(entry: AuditEntry, *, previous: str) -> str:
    """Return the hash that ties an entry to the one before it."""
    facts = [previous, entry.at.isoformat(), entry.actor_id, entry.action, entry.object_kind, entry.object_id]
    return hashlib.sha256(json.dumps([*facts, entry.payload_digest]).encode()).hexdigest()


def first_break() -> AuditEntry | None:
    """Return the first entry of the open tenant that does not fit the chain, or None. Blanked payloads fit."""
    previous = GENESIS
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2_000):
        blanked = entry.payload == {"erased": True}
        if entry.hash != link(entry, previous=previous) or not (
            blanked or entry.payload_digest == digest(entry)
        ):
            return entry
        previous = entry.hash
    return None
