"""Settings: API keys. The secret of a new one is on the page that answers its making, and nowhere else."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.forms_api import ApiKeyForm
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import ApiKey
from accounts.operations.api_keys import KeyNameTaken, create_api_key, revoke_api_key
from accounts.rights import Right
from accounts.urls_for import turl
from core import clock


@never_cache
@needs(Right.ADMINISTRATOR)
def api_keys(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the keys; make a new one and show its secret once."""
    form = ApiKeyForm(request.POST or None)
    secret, made = "", None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made, secret = create_api_key(
                name=given["name"], scopes=given["scopes"], actor=request.user, now=clock.now()
            )
        except KeyNameTaken as refusal:
            form.add_error("name", str(refusal))
        else:
            form = ApiKeyForm()
    context = {
        "keys": ApiKey.objects.select_related("created_by"),
        "form": form,
        "secret": secret,
        "made": made,
        "api_url": f"{settings.PUBLIC_URL}/api/v1/",
    }
    return render(request, "accounts/api_keys.html", context, status=422 if form.is_bound else 200)


@require_POST
@needs(Right.ADMINISTRATOR)
def api_key_revoke(request: TenantRequest, tenant: str, key_id: int) -> HttpResponse:
    """Revoke a key."""
    try:
        key = revoke_api_key(key_id=key_id, actor=request.user, now=clock.now())
    except ApiKey.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"The key {key} no longer works.")
    return redirect(turl(request.tenant, "accounts:api_keys"))
