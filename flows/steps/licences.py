"""Licences while a flow runs: one that has lapsed holds the step, it fails nobody."""

from __future__ import annotations

from accounts.models import Licence
from flows.steps.base import StepBroken, StepContext


def require_licence(ctx: StepContext, code: str) -> None:
    """Raise StepBroken where the tenant has no such licence in force."""
    ctx.cursor.execute(
        "SELECT 1 FROM accounts_licence WHERE tenant_id = %s::bigint AND code = %s::text "
        "AND (expires_on IS NULL OR expires_on >= %s::date)",
        [ctx.tenant_id, code, ctx.now.date()],
    )
    if ctx.cursor.fetchone() is None:
        raise StepBroken(f"The licence {Licence.Code(code).label} is not in force.")
