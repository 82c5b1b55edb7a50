"""SQL that puts a table behind the second wall: forced row-level security and composite references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import models

TENANT = "nullif(current_setting('app.tenant_id', true), '')::bigint"
USER = "nullif(current_setting('app.user_id', true), '')::bigint"


def policy_sql(table: str, *, also_readable: str = "") -> Iterator[str]:
    """Yield the statements that force row-level security on a table; also_readable widens SELECT only."""
    own = f"tenant_id = {TENANT}"
    yield f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'
    yield f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'
    yield f'CREATE POLICY tenant_rows ON "{table}" USING ({own}) WITH CHECK ({own})'
    if also_readable:
        yield f'CREATE POLICY also_readable ON "{table}" FOR SELECT USING ({also_readable})'


def composite_targets_sql(model: type[models.Model]) -> Iterator[str]:
    """Yield the composite foreign keys of a model, and the unique keys of their targets where still missing."""
    from core.fields import TenantForeignKey

    table = model._meta.db_table
    for field in model._meta.local_fields:
        if not isinstance(field, TenantForeignKey) or field.hot:
            continue
        target: Any = field.remote_field.model
        other = target._meta.db_table
        key = target._meta.pk.column
        yield f"""DO $$ BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_constraint
                           WHERE conrelid = '"{other}"'::regclass AND conname = '{other}_tenant_key') THEN
                ALTER TABLE "{other}" ADD CONSTRAINT "{other}_tenant_key" UNIQUE (tenant_id, "{key}");
            END IF; END $$"""
        name = f"{table}_{field.column}_same_tenant"[-63:]
        # An app's later migration runs over all its models again, those that have their keys already too.
        yield f"""DO $$ BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_constraint
                           WHERE conrelid = '"{table}"'::regclass AND conname = '{name}') THEN
                ALTER TABLE "{table}" ADD CONSTRAINT "{name}" FOREIGN KEY (tenant_id, "{field.column}")
                REFERENCES "{other}" (tenant_id, "{key}") DEFERRABLE INITIALLY DEFERRED;
            END IF; END $$"""
