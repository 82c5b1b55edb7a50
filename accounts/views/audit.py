"""Settings: the audit log."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.audit import first_break
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import AuditEntry, Membership
from accounts.queries import audited_kinds
from accounts.rights import Right
from accounts.urls_for import turl
from core.paging import keyset_page


@needs(Right.ADMINISTRATOR)
def audit(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show who did what, newest first."""
    kind, who = request.GET.get("kind", ""), request.GET.get("who", "")
    entries = AuditEntry.objects.select_related("actor")
    if kind:
        entries = entries.filter(object_kind=kind)
    if who.isdecimal():
        entries = entries.filter(actor=int(who))
    page = {
        "page": keyset_page(entries, by=["-id"], query=request.GET),
        "kinds": audited_kinds(),
        "people": Membership.objects.select_related("user").order_by("user__first_name"),
        "kind": kind,
        "who": who,
    }
    return render(request, "accounts/audit.html", page)


@require_POST
@needs(Right.ADMINISTRATOR)
def audit_verify(request: TenantRequest, tenant: str) -> HttpResponse:
    """Check the chain of hashes from the first entry to the last."""
    broken = first_break()
    if broken:
        messages.error(
            request, f"The chain breaks at entry {broken.pk}: it, or one before it, was changed or removed."
        )
    else:
        messages.success(request, f"All {AuditEntry.objects.count()} entries are as they were written.")
    return redirect(turl(request.tenant, "accounts:audit"))
