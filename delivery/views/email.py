"""Settings: the provider that a tenant's emails go by, and a mail to try it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs, outside_transaction
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.secrets import SecretLost
from core.tenancy import tenant_scope
from delivery.channels.base import HandOver, Outcome
from delivery.channels.providers import PROVIDERS, Field, Provider
from delivery.email_account import events_address, topic_of
from delivery.mime import BadAddress
from delivery.models import EmailConnector
from delivery.operations.email_connector import (
    FieldRefused,
    NoConnector,
    connect_provider,
    disconnect_provider,
    has_key,
    trial_mail,
    try_provider,
)

RIGHTS = (Right.MANAGE_CONNECTORS, Right.ADMINISTRATOR)
_KEPT = "Kept encrypted and never shown again."
# What a trial send that did not go means, in words.
_WORDS: Mapping[Outcome, str] = {
    Outcome.REFUSED: "{name} refuses the recipient’s address",
    Outcome.SENDER: "{name} refuses the sender’s address: set it up there, or change the company’s own",
    Outcome.FAILED: "{name} refuses the mail",
    Outcome.UNKNOWN: "{name} did not say whether it took the mail",
}
_CAUSES: Mapping[str, str] = {
    "sign_in": "{name} refuses the account or its key",
    "suspended": "{name} says that the account may not send at the moment",
    "busy": "{name} takes nothing at the moment",
}


class ProviderForm(forms.Form):
    """What one provider asks for."""

    def __init__(self, data: Any, *, provider: Provider, kept: Mapping[str, Any] | None) -> None:
        super().__init__(data, initial=dict(kept or {}))
        for field in provider.fields:
            self.fields[field.name] = _field(field, has_secret=kept is not None)
        self.fields["connections"] = forms.IntegerField(
            label="Connections", min_value=1, max_value=10, initial=4,
            help_text="How many mails each worker hands over at the same time, 1 to 10.",
        )  # fmt: skip
        self.fields["most_a_second"] = forms.IntegerField(
            label="Emails a second at most", required=False, min_value=1, max_value=1000,
            help_text="As your plan allows, over all workers. Empty: as fast as the provider takes them.",
        )  # fmt: skip


def _kept(connector: EmailConnector | None) -> dict[str, Any] | None:
    """Return what the form shows of an account that is there."""
    if connector is None:
        return None
    speed = {"connections": connector.connections, "most_a_second": connector.most_a_second}
    return {**connector.options, **speed}


def _field(field: Field, *, has_secret: bool) -> forms.Field:
    if field.choices:
        return forms.ChoiceField(label=field.label, help_text=field.help, choices=field.choices)
    if not field.secret:
        return forms.CharField(
            label=field.label, help_text=field.help, required=field.required, max_length=250
        )
    told = f"{field.help} {_KEPT}".strip()
    return forms.CharField(
        label=field.label,
        help_text=f"{told} Leave it empty to keep the one that is there." if has_secret else told,
        required=field.required and not has_secret,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class TestForm(forms.Form):
    """Where to send a mail to try the account."""

    __test__ = False
    to = forms.EmailField(label="Send a test mail to", max_length=254)


@require_safe
@needs(*RIGHTS)
def email(request: TenantRequest, tenant: str) -> HttpResponse:
    """Say what the tenant's emails go by, and list what else they could."""
    connector = EmailConnector.objects.first()
    page = {
        "connector": connector,
        "address": events_address(connector) if connector else "",
        "signed": connector is not None and has_key(connector),
        "provider": PROVIDERS[connector.provider] if connector else None,
        "topic": topic_of(connector) if connector else "",
        "providers": list(PROVIDERS.values()),
        "test_form": TestForm(initial={"to": request.user.email}),
        "trial": settings.TRIAL,
    }
    return render(request, "delivery/email.html", page)


@needs(*RIGHTS)
def provider(request: TenantRequest, tenant: str, key: str) -> HttpResponse:
    """Show and take what one provider asks for."""
    if key not in PROVIDERS or settings.TRIAL:
        raise Http404
    chosen, connector = PROVIDERS[key], EmailConnector.objects.first()
    mine = connector if connector and connector.provider == key else None
    form = ProviderForm(request.POST or None, provider=chosen, kept=_kept(mine))
    if request.method == "POST" and form.is_valid():
        now = tenant_now(request.tenant.pk)
        try:
            given = dict(form.cleaned_data)
            speed = {name: given.pop(name) for name in ("connections", "most_a_second")}
            connect_provider(provider=key, given=given, **speed, actor=request.user, now=now)
        except FieldRefused as refused:
            form.add_error(refused.name, str(refused))
        else:
            messages.success(request, f"Emails go by {chosen.name} from now on. Send a test mail to try it.")
            return redirect(turl(request.tenant, "connectors:email"))
    other = PROVIDERS[connector.provider] if connector and not mine else None
    page = {"form": form, "provider": chosen, "mine": mine, "other": other}
    return render(request, "delivery/email_provider.html", page, status=422 if form.errors else 200)


@require_POST
@needs(*RIGHTS)
def disconnect(request: TenantRequest, tenant: str) -> HttpResponse:
    """Take the account away."""
    disconnect_provider(actor=request.user, now=tenant_now(request.tenant.pk))
    messages.success(request, "Disconnected. Emails go by this installation’s mail server.")
    return redirect(turl(request.tenant, "connectors:email"))


@outside_transaction
@require_POST
@needs(*RIGHTS)
def test(request: TenantRequest, tenant: str) -> HttpResponse:
    """Send a mail by the connected account and say what came of it."""
    form, home = TestForm(request.POST), redirect(turl(request.tenant, "connectors:email"))
    if not form.is_valid():
        messages.error(request, "This is not an email address to send a test mail to.")
        return home
    to = form.cleaned_data["to"]
    try:
        with tenant_scope(request.tenant.pk):
            made = EmailConnector.objects.first()
            channel, mail = trial_mail(tenant=request.tenant, to=to, now=tenant_now(request.tenant.pk))
    except NoConnector:
        raise Http404 from None
    except SecretLost as lost:
        messages.error(request, str(lost))
        return home
    except BadAddress as bad:
        messages.error(request, f"{bad} Check the company’s own address too.")
        return home
    result = try_provider(channel, mail)
    name = PROVIDERS[made.provider].name if made else ""
    if result.outcome is Outcome.SENT:
        messages.success(request, f"{name} took the mail to {to}.")
    else:
        # What the provider itself answered is for whoever looks closer.
        messages.error(request, _told(name, result), extra_tags=result.said)
    return home


def _told(name: str, result: HandOver) -> str:
    words = _WORDS.get(result.outcome) or _CAUSES.get(result.cause) or "{name} cannot be reached"
    return f"{words.format(name=name)}."
