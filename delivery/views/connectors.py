"""Settings: the SMS account, and the numbers that replied STOP."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Licence
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.paging import keyset_page
from delivery.models import SmsConnector, SmsOptOut
from delivery.operations.connectors import ConnectorRefused, TokenMissing, connect_sms, disconnect_sms
from delivery.sms import reply_address

RIGHTS = (Right.MANAGE_CONNECTORS, Right.ADMINISTRATOR)


class SmsForm(forms.Form):
    """The account at Twilio."""

    account_sid = forms.RegexField(
        r"^AC[0-9a-f]{32}$",
        label="Account SID",
        max_length=34,
        error_messages={"invalid": "An account SID is AC and 32 letters a–f and digits."},
    )
    auth_token = forms.CharField(
        label="Auth token",
        required=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown again. Leave it empty to keep the one that is there.",
    )
    senders = forms.CharField(
        label="Senders",
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line: a number such as +4759440000, a name of up to 11 letters, or a messaging service "
        "(MG…). The first is used where flow and step name none.",
    )

    def lines(self) -> list[str]:
        """Return the senders."""
        return str(self.cleaned_data["senders"]).splitlines()


@needs(*RIGHTS)
def sms(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show, connect and change the SMS account."""
    connector = SmsConnector.objects.first()
    initial = (
        {"account_sid": connector.account_sid, "senders": "\n".join(connector.senders)} if connector else {}
    )
    form = SmsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            connect_sms(
                account_sid=form.cleaned_data["account_sid"],
                auth_token=form.cleaned_data["auth_token"].strip(),
                senders=form.lines(),
                actor=request.user,
                now=tenant_now(request.tenant.pk),
            )
        except ConnectorRefused as refused:
            form.add_error("auth_token" if isinstance(refused, TokenMissing) else "senders", str(refused))
        else:
            messages.success(request, "SMS account saved.")
            return redirect(turl(request.tenant, "connectors:sms"))
    page = {
        "form": form,
        "connector": connector,
        "licensed": Licence.Code.SMS in request.member.licences,
        "reply_address": reply_address(request.tenant.pk) if connector else "",
        "opted_out": SmsOptOut.objects.count(),
    }
    return render(request, "delivery/sms.html", page, status=422 if form.errors else 200)


@require_POST
@needs(*RIGHTS)
def sms_disconnect(request: TenantRequest, tenant: str) -> HttpResponse:
    """Take the SMS account away."""
    disconnect_sms(actor=request.user)
    messages.success(request, "SMS account disconnected. Queued SMS wait for another one.")
    return redirect(turl(request.tenant, "connectors:sms"))


@require_safe
@needs(*RIGHTS)
def sms_opt_outs(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the numbers that get no SMS, newest first; a search finds the beginning of a number."""
    search = request.GET.get("q", "").strip()[:20]
    found = SmsOptOut.objects.all()
    if search:
        found = found.filter(number__startswith=search if search.startswith("+") else f"+{search}")
    page = keyset_page(found, by=["-at", "-id"], query=request.GET)
    return render(request, "delivery/sms_opt_outs.html", {"page": page, "search": search})
