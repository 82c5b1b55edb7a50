"""In use: what a flow that exists names cannot be deleted (spec §5). Usage rows are written by the rooms above."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from accounts.models import Tenant
from accounts.urls_for import turl
from core.tenancy import require_tenant_id
from crm.criteria.sources import has_source, source_named
from crm.models import Usage

UNSEEN = "A flow you may not see"


class InUse(ValueError):
    """Something is used and cannot be deleted; `uses` say where, each with its URL."""

    def __init__(self, name: str, uses: Sequence[Usage]) -> None:
        places = len({(use.user_kind, use.user_id) for use in uses})
        super().__init__(
            f"{name} is used in {places} place{'' if places == 1 else 's'} and cannot be deleted."
        )
        self.name, self.uses = name, list(uses)


def uses_of(kind: str, object_id: int) -> list[Usage]:
    """Return where something is used, by name; flows that whoever looks may not see without name, place and page."""
    uses = list(
        Usage.objects.filter(used_kind=kind, used_id=object_id).order_by("user_name", "place", "id")[:50]
    )
    flows = [use.user_id for use in uses if use.user_kind == "flow"]
    unseen = set(source_named("flow").unseen(flows)) if flows and has_source("flow") else set()
    for use in uses:
        if use.user_kind == "flow" and use.user_id in unseen:
            use.user_name, use.place, use.url = UNSEEN, "", ""
    return uses


def check_unused(kind: str, object_id: int, name: str) -> None:
    """Raise InUse where something is used."""
    if uses := uses_of(kind, object_id):
        raise InUse(name, uses)


def write_uses(
    *,
    user_kind: str,
    user_id: int,
    user_name: str,
    page: str,
    references: Iterable[tuple[str, int]],
    place: str = "",
    page_has_id: bool = True,
) -> None:
    """Make these (kind, id) what the user uses; `page` is the URL name of the user's page (by its id)."""
    Usage.objects.filter(user_kind=user_kind, user_id=user_id).delete()
    wanted = list(dict.fromkeys(references))
    if not wanted:
        return
    url = turl(Tenant.objects.get(pk=require_tenant_id()), page, *([user_id] if page_has_id else []))
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
