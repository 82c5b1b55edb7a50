"""What a member keeps about themself in this tenant."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.forms import MobileForm
from accounts.http import TenantRequest
from accounts.operations import set_mobile
from accounts.urls_for import turl


def mobile(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show and keep one's own mobile number."""
    initial = {"mobile": request.member.mobile}
    form = MobileForm(request.POST or None, initial=initial, country=request.tenant.country)
    if request.method == "POST" and form.is_valid():
        set_mobile(membership_id=request.member.pk, mobile=form.cleaned_data["mobile"], actor=request.member)
        messages.success(request, "Mobile number saved.")
        return redirect(turl(request.tenant, "accounts:mobile"))
    return render(request, "accounts/mobile.html", {"form": form}, status=422 if form.errors else 200)
