"""The tenant scope: the first wall between tenants (the second is row-level security, core/db/security.py).

A scope is a context variable plus a transaction-local PostgreSQL setting, so it opens a transaction. Queries on
tenant models outside a scope raise; looking across tenants is `unscoped(reason=...)`, which under row-level
security still shows no tenant's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import structlog
from django.db import connections, transaction

from core.db.cursors import one_trip


class TenantScopeError(RuntimeError):
    """A query on a tenant's table outside that tenant's scope, or a scope inside another tenant's."""


_UNSCOPED: Final = 0
_scope: ContextVar[int | None] = ContextVar("millrace_tenant", default=None)


def current_tenant_id() -> int | None:
    """Return the tenant id of the open scope, or None (also when explicitly unscoped)."""
    return _scope.get() or None


def require_tenant_id() -> int:
    """Return the tenant id of the open scope; raise TenantScopeError outside one."""
    tenant_id = _scope.get()
    if not tenant_id:
        raise TenantScopeError("No tenant scope is open: wrap the work in tenant_scope(tenant_id).")
    return tenant_id


def is_unscoped() -> bool:
    """Say whether `unscoped` is open."""
    return _scope.get() == _UNSCOPED


def _tell_database(tenant_id: int | None, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [str(tenant_id or "")])


@contextmanager
def tenant_scope(
    tenant_id: int, *, using: str = "default", first: Callable[[], object] | None = None
) -> Iterator[None]:
    """Open the scope of one tenant, in a transaction of its own or a savepoint of the open one.

    `first` sends statements that go to the server together with the scope: fetch inside it. The transaction has begun
    then; begun among them, psycopg would ask the server first whether it may, which is a trip of its own.

    The same tenant again is a no-op, so operations may call each other. Raises TenantScopeError when another
    tenant's scope is open. RELEASE SAVEPOINT does not undo a transaction-local setting, so leaving restores it.
    """
    previous = _scope.get()
    if previous == tenant_id:
        if first:
            with one_trip(using=using):
                first()
        yield
        return
    if previous:
        raise TenantScopeError(f"Tenant {tenant_id}'s scope cannot open inside tenant {previous}'s.")
    token = _scope.set(tenant_id)
    try:
        with structlog.contextvars.bound_contextvars(tenant=tenant_id), transaction.atomic(using=using):
            if first:
                with one_trip(using=using):
                    _tell_database(tenant_id, using)
                    first()
            else:
                _tell_database(tenant_id, using)
            yield
        connection = connections[using]
        if connection.in_atomic_block and not connection.needs_rollback:
            _tell_database(None, using)
    finally:
        _scope.reset(token)


@contextmanager
def unscoped(*, reason: str) -> Iterator[None]:
    """Allow queries on tenant models without a tenant filter; the database still shows what its policies allow."""
    if not reason:
        raise TenantScopeError("unscoped() needs a reason.")
    if _scope.get():
        raise TenantScopeError("unscoped() cannot open inside a tenant's scope.")
    token = _scope.set(_UNSCOPED)
    try:
        yield
    finally:
        _scope.reset(token)
