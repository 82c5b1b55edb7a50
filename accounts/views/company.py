"""Settings: the tenant itself."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.forms import CompanyForm
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Licence
from accounts.operations import change_tenant, switch_consent_checking
from accounts.rights import Right
from accounts.settings_pages import settings_links
from accounts.urls_for import turl


def settings(request: TenantRequest, tenant: str) -> HttpResponse:
    """Lead to the first settings page that is open to the member."""
    links = settings_links(request.member, request.path)
    if not links:
        raise Http404
    return redirect(links[0].url)


@needs(Right.ADMINISTRATOR)
def company(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show and change name, timezone, address and sender."""
    form = CompanyForm(request.POST or None, initial=CompanyForm.initial_of(request.tenant))
    if request.method == "POST" and form.is_valid():
        change_tenant(tenant=request.tenant, actor=request.user, changes=form.cleaned_data)
        messages.success(request, "Company settings saved.")
        return redirect(turl(request.tenant, "accounts:company"))
    bought = {licence.code: licence for licence in Licence.objects.all()}
    licences = [
        (label, bought.get(code), code in request.member.licences) for code, label in Licence.Code.choices
    ]
    page = {"form": form, "licences": licences}
    return render(request, "accounts/company.html", page, status=422 if form.is_bound else 200)


@require_POST
@needs(Right.ADMINISTRATOR)
def consent_checking(request: TenantRequest, tenant: str) -> HttpResponse:
    """Switch the check of consent on or off."""
    required = request.POST.get("required") == "on"
    switch_consent_checking(tenant=request.tenant, actor=request.user, required=required)
    messages.success(
        request, "Consent is checked before every message." if required else "Consent is no longer checked."
    )
    return redirect(turl(request.tenant, "accounts:company"))
