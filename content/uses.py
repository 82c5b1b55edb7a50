"""What a piece of content uses, as crm.Usage rows: a deletion below is refused, and where-used can be shown."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Tenant
from accounts.urls_for import turl
from core.tenancy import require_tenant_id
from crm.models import Usage


def write_uses(
    *,
    user_kind: str,
    user_id: int,
    user_name: str,
    page: str,
    references: Iterable[tuple[str, int]],
    place: str = "",
) -> None:
    """Make these (kind, id) what the user uses; `page` is the URL name of the user's own page."""
    Usage.objects.filter(user_kind=user_kind, user_id=user_id).delete()
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return
    url = turl(Tenant.objects.get(pk=require_tenant_id()), page, user_id)
    Usage.objects.bulk_create(
        Usage(
            used_kind=kind, used_id=used_id, user_kind=user_kind, user_id=user_id, user_name=user_name[:200],
            place=place, url=url,
        )
        for kind, used_id in wanted
    )  # fmt: skip


def forget_uses(*, user_kind: str, user_id: int) -> None:
    """Take away what the user used: it is deleted."""
    Usage.objects.filter(user_kind=user_kind, user_id=user_id).delete()
