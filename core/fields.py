"""References between tenant tables.

Foreign-key checks see all tenants' rows (row-level security does not guard them), so a reference between tenant
tables is composite in the database: (tenant_id, x_id) -> x (tenant_id, id). Django's own single-column constraint
is left out; core.db.operations.SecureTenantTables adds the composite one.
"""

from __future__ import annotations

from typing import Any

from django.db import models


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A ForeignKey to a row of the same tenant. `hot=True` leaves even the composite constraint out."""

    def __init__(self, *args: Any, hot: bool = False, **kwargs: Any) -> None:
        self.hot = hot
        kwargs["db_constraint"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["db_constraint"]
        if self.hot:
            kwargs["hot"] = True
        return name, path, args, kwargs
