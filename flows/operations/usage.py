"""What a flow uses, as rows that keep it from being deleted: what the newest revision uses, and beside it what only the
draft does, named as such."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import Tenant
from accounts.urls_for import turl
from core.tenancy import require_tenant_id
from crm.models import Usage
from flows.document import FlowDocument
from flows.models import Flow
from flows.references import Use, uses

Key = tuple[str, int, str]


def refresh_usage(flow: Flow, document: FlowDocument) -> None:
    """Write what the flow uses from this save on; its draft uses nothing else."""
    Usage.objects.filter(user_kind="flow", user_id=flow.pk).delete()
    _write(flow, uses(document), in_draft=False)


def note_draft_usage(flow: Flow, document: FlowDocument) -> None:
    """Write what the draft uses and the newest revision does not. Rows that are right already stay: an edit seldom
    changes what is used, and then this is one query."""
    saved: set[tuple[str, int]] = set()
    noted: dict[Key, int] = {}
    for row in Usage.objects.filter(user_kind="flow", user_id=flow.pk):
        if row.in_draft:
            noted[row.used_kind, row.used_id, row.place] = row.pk
        else:
            saved.add((row.used_kind, row.used_id))
    wanted = {key: use for use in uses(document) if (key := _key(use))[:2] not in saved}
    if gone := [pk for key, pk in noted.items() if key not in wanted]:
        Usage.objects.filter(pk__in=gone).delete()
    _write(flow, [use for key, use in wanted.items() if key not in noted], in_draft=True)


def rename_in_usage(flow: Flow) -> None:
    """Write the flow's name anew wherever it stands as the one that uses something. Two queries."""
    mine = Usage.objects.filter(user_kind="flow", user_id=flow.pk)
    for in_draft in (False, True):
        mine.filter(in_draft=in_draft).update(user_name=_called(flow, in_draft=in_draft))


def _called(flow: Flow, *, in_draft: bool) -> str:
    return f"{flow.name} (in a draft)" if in_draft else flow.name


def _key(use: Use) -> Key:
    return use.reference.kind, use.reference.id, use.place[:200]


def _write(flow: Flow, found: Iterable[Use], *, in_draft: bool) -> None:
    wanted = {_key(use): use for use in found}
    if not wanted:
        return
    base = turl(Tenant.objects.get(pk=require_tenant_id()), "flows:edit", flow.pk)
    Usage.objects.bulk_create(
        Usage(
            used_kind=kind,
            used_id=used_id,
            user_kind="flow",
            user_id=flow.pk,
            user_name=_called(flow, in_draft=in_draft),
            place=place,
            url=f"{base}?part={use.part}",
            in_draft=in_draft,
        )
        for (kind, used_id, place), use in wanted.items()
    )
