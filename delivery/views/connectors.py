"""Settings: the SMS account, and the numbers that replied STOP."""

from __future__ import annotations

from typing import Any

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
from delivery.operations.connectors import (
    ANSWERED,
    ConnectorRefused,
    TokenMissing,
    connect_sms,
    disconnect_sms,
    set_sms_answers,
)
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


class AnswersForm(forms.Form):
    """Who answers STOP, START and HELP, and what Millrace would say."""

    who = forms.ChoiceField(
        label="Who answers STOP, START and HELP",
        choices=[("twilio", "Twilio"), ("millrace", "Millrace, with the texts below")],
        widget=forms.RadioSelect,
        help_text="Twilio does unless you had its default opt-out handling switched off. With both on, people get "
        "two answers.",
    )
    stop = forms.CharField(label="Answer to STOP", max_length=320, required=False)
    start = forms.CharField(label="Answer to START", max_length=320, required=False)
    help = forms.CharField(
        label="Answer to HELP",
        max_length=320,
        required=False,
        help_text="Say who you are, where to reach you, and that STOP ends it. INFO is answered likewise.",
    )

    def clean(self) -> dict[str, str]:
        """Ask for every text where Millrace answers."""
        data: dict[str, str] = super().clean() or {}
        if data.get("who") == "millrace":
            for name in ANSWERED:
                if not data.get(name, "").strip() and name not in self.errors:
                    self.add_error(name, "Millrace needs a text to answer with.")
        return data

    def texts(self) -> dict[str, str]:
        """Return what Millrace answers; empty where Twilio does."""
        data = self.cleaned_data
        return {name: data[name] for name in ANSWERED} if data["who"] == "millrace" else {}


def _answers_form(connector: SmsConnector | None, data: Any, company: str) -> AnswersForm:
    kept = connector.answers if connector else {}
    begin = {
        "stop": f"{company}: you get no more messages from us. Reply START to get them again.",
        "start": f"{company}: you get our messages again. Reply STOP to end them, HELP for help.",
        "help": f"{company}: reply STOP to get no more messages.",
    }
    return AnswersForm(data, initial={"who": "millrace" if kept else "twilio", **begin, **kept})


@needs(*RIGHTS)
def sms(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show, connect and change the SMS account."""
    connector = SmsConnector.objects.first()
    initial = (
        {"account_sid": connector.account_sid, "senders": "\n".join(connector.senders)} if connector else {}
    )
    of_answers = request.POST.get("part") == "answers"
    form = SmsForm(None if of_answers else request.POST or None, initial=initial)
    answers = _answers_form(connector, request.POST if of_answers else None, request.tenant.name)
    if of_answers and connector and answers.is_valid():
        set_sms_answers(answers=answers.texts(), actor=request.user)
        messages.success(request, "Answers saved.")
        return redirect(turl(request.tenant, "connectors:sms"))
    if request.method == "POST" and not of_answers and form.is_valid():
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
        "answers_form": answers,
        "connector": connector,
        "licensed": Licence.Code.SMS in request.member.licences,
        "reply_address": reply_address(request.tenant.pk) if connector else "",
        "opted_out": SmsOptOut.objects.count(),
    }
    return render(request, "delivery/sms.html", page, status=422 if form.errors or answers.errors else 200)


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
