"""Notifications: the list, and marking as read. Everybody has them, and sees only their own."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from core.paging import keyset_page
from crm.operations.notifications import mark_read
from crm.queries.notifications import notifications_of, unread_count


@require_GET
def notifications(request: TenantRequest, tenant: str) -> HttpResponse:
    """List one's own notifications, newest first."""
    page = keyset_page(notifications_of(request.user.pk), by=["-id"], query=request.GET)
    return render(request, "crm/notifications.html", {"page": page, "unread": unread_count(request.user.pk)})


@require_POST
def notifications_read(request: TenantRequest, tenant: str) -> HttpResponse:
    """Mark all as read."""
    mark_read(user=request.user, now=tenant_now(request.tenant.pk))
    return redirect(turl(request.tenant, "crm:notifications"))


@require_POST
def notification_open(request: TenantRequest, tenant: str, notification_id: int) -> HttpResponse:
    """Mark one as read and go where it leads."""
    found = notifications_of(request.user.pk).filter(pk=notification_id).first()
    if found is None:
        raise Http404
    mark_read(user=request.user, now=tenant_now(request.tenant.pk), notification_id=found.pk)
    if not found.path:
        return redirect(turl(request.tenant, "crm:notifications"))
    return redirect(turl(request.tenant, "accounts:home") + found.path)
