"""Erasing a person: what it does, and the confirmation."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from crm.forms.small import EraseForm
from crm.operations.erase import erase_contact
from crm.queries.reach import get_contact


@require_http_methods(["GET", "POST"])
def erase(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Ask, then erase; for those who may remove this contact."""
    contact = get_contact(request.member, contact_id, "remove")
    form = EraseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        erase_contact(contact_id=contact.pk, actor=request.user, now=tenant_now(request.tenant.pk))
        messages.success(request, "The person was erased.")
        return redirect(turl(request.tenant, "crm:contacts"))
    context = {"contact": contact, "form": form}
    return render(request, "crm/contact_erase.html", context, status=422 if form.is_bound else 200)
