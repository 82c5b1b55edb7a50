"""Settings: the secrets that webhooks carry, and the key that signs them."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from crm.operations.usage import InUse
from delivery.models import WebhookSecret
from delivery.operations.webhook_secrets import SecretRefused, delete_secret, keep_secret, renew_signing_key

RIGHTS = (Right.MANAGE_CONNECTORS, Right.ADMINISTRATOR)


class SecretForm(forms.Form):
    """A secret to keep."""

    name = forms.CharField(
        max_length=40,
        help_text="Headers of webhooks name it as $name. A name that is there gets the new value.",
    )
    value = forms.CharField(
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown again.",
    )


def _page(
    request: TenantRequest,
    form: SecretForm,
    *,
    new_key: str = "",
    used: InUse | None = None,
    status: int = 200,
) -> HttpResponse:
    secrets = list(WebhookSecret.objects.order_by("name"))
    page = {
        "form": form,
        "secrets": [secret for secret in secrets if secret.name],
        "signing": next((secret for secret in secrets if not secret.name), None),
        "new_key": new_key,
        "used": used,
    }
    return render(request, "delivery/webhooks.html", page, status=status)


@needs(*RIGHTS)
def webhooks(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the secrets by name; keep one."""
    form = SecretForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            keep_secret(**form.cleaned_data, actor=request.user, now=tenant_now(request.tenant.pk))
        except SecretRefused as refused:
            form.add_error("name" if "name" in str(refused) else "value", str(refused))
        else:
            messages.success(request, f"The secret {form.cleaned_data['name']} is kept.")
            return redirect(turl(request.tenant, "connectors:webhooks"))
    return _page(request, form, status=422 if form.errors else 200)


@require_POST
@needs(*RIGHTS)
@never_cache
def signing_key(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a new signing key and show it, this once."""
    key = renew_signing_key(actor=request.user, now=tenant_now(request.tenant.pk))
    return _page(request, SecretForm(), new_key=key)


@require_POST
@needs(*RIGHTS)
def secret_delete(request: TenantRequest, tenant: str, secret_id: int) -> HttpResponse:
    """Delete a secret that no step names."""
    try:
        name = delete_secret(secret_id=secret_id, actor=request.user)
    except WebhookSecret.DoesNotExist:
        raise Http404 from None
    except InUse as used:
        return _page(request, SecretForm(), used=used, status=409)
    messages.success(request, f"The secret {name} is deleted.")
    return redirect(turl(request.tenant, "connectors:webhooks"))
