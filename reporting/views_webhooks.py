"""View flow: what the webhooks of one step were answered, and trying failed ones again."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.paging import keyset_page
from crm.models import Contact
from delivery.models import OutgoingWebhook
from delivery.operations.webhooks import try_failed_again
from flows.models import Step
from participants.flow_page import flow_page

Status = OutgoingWebhook.Status


def _title(flow_id: int, step_id: uuid.UUID) -> str:
    title = (
        Step.objects.filter(pk=step_id, flow_id=flow_id, kind="webhook")
        .values_list("title", flat=True)
        .first()
    )
    if title is None:
        raise Http404
    return title


@require_safe
@needs(Right.FLOW_ADMINISTRATOR)
def calls(request: TenantRequest, tenant: str, flow_id: int, step_id: uuid.UUID) -> HttpResponse:
    """List the calls of a step, newest first, by status."""
    page = flow_page(request, flow_id)
    title = _title(flow_id, step_id)
    found = OutgoingWebhook.objects.filter(step_id=step_id, flow_id=flow_id)
    counts = dict(found.order_by().values_list("status").annotate(Count("pk")))
    status = request.GET.get("status", "")
    if status in Status.values:
        found = found.filter(status=status)
    listed = keyset_page(found, by=["-id"], query=request.GET)
    names = {
        contact.pk: str(contact)
        for contact in Contact.objects.filter(pk__in=[call.contact_id for call in listed.rows])
    }
    context = {
        "page": page,
        "title": title,
        "step_id": step_id,
        "status": status,
        "tabs": [(value, label, counts.get(value, 0)) for value, label in Status.choices],
        "listed": listed,
        "rows": [(call, names.get(call.contact_id, "Erased contact")) for call in listed.rows],
        "failed": counts.get(Status.FAILED, 0),
    }
    return render(request, "reporting/webhook_calls.html", context)


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def again(request: TenantRequest, tenant: str, flow_id: int, step_id: uuid.UUID) -> HttpResponse:
    """Try the failed calls of a step again."""
    flow_page(request, flow_id)
    _title(flow_id, step_id)
    count = try_failed_again(flow_id=flow_id, step_id=step_id, now=tenant_now(request.tenant.pk))
    messages.success(request, f"{count} call{'' if count == 1 else 's'} will be tried again.")
    return redirect(turl(request.tenant, "reporting:webhook_calls", flow_id, step_id))
