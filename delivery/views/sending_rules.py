"""Settings: how many marketing messages one contact may get, and how fast messages go."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from delivery.models import Message, SendingRules
from delivery.operations.sending_rules import paces, sending_rules, set_paces, set_sending_rules

RIGHTS = (Right.MANAGE_CONNECTORS, Right.ADMINISTRATOR)


class RulesForm(forms.Form):
    """The frequency cap."""

    most_a_day = forms.IntegerField(
        label="At most in 24 hours", required=False, min_value=1, max_value=100, help_text="Empty: no limit."
    )
    most_a_week = forms.IntegerField(
        label="At most in seven days",
        required=False,
        min_value=1,
        max_value=500,
        help_text="Empty: no limit.",
    )
    when_full = forms.ChoiceField(
        label="When a contact has had that many",
        choices=SendingRules.WhenFull.choices,
        widget=forms.RadioSelect,
        help_text="Who waits stands at the step until there is room; consent and all else is checked again then.",
    )

    def clean(self) -> dict[str, Any]:
        """A week that allows less than a day makes the day's limit mean nothing."""
        data: dict[str, Any] = super().clean() or {}
        day, week = data.get("most_a_day"), data.get("most_a_week")
        if day and week and week < day:
            self.add_error("most_a_week", "Seven days must allow at least as many as 24 hours.")
        return data


class PaceForm(forms.Form):
    """How fast messages go."""

    email = forms.IntegerField(
        label="Emails a minute at most", required=False, min_value=1, max_value=1_000_000,
        help_text="Empty: as fast as the mail server takes them.",
    )  # fmt: skip
    sms = forms.IntegerField(
        label="SMS a minute at most", required=False, min_value=1, max_value=1_000_000,
        help_text="Empty: as fast as Twilio takes them.",
    )  # fmt: skip


@needs(*RIGHTS)
def sending(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show and change the frequency cap and the pace; `part` says which of the two forms was sent."""
    rules, pace = sending_rules(), paces()
    initial = {
        "most_a_day": rules.most_a_day if rules else None,
        "most_a_week": rules.most_a_week if rules else None,
        "when_full": rules.when_full if rules else SendingRules.WhenFull.WAIT,
    }
    sent_pace = request.method == "POST" and request.POST.get("part") == "pace"
    form = RulesForm(request.POST if request.method == "POST" and not sent_pace else None, initial=initial)
    pace_form = PaceForm(request.POST if sent_pace else None, initial=pace)
    if form.is_bound and form.is_valid():
        set_sending_rules(
            most_a_day=form.cleaned_data["most_a_day"],
            most_a_week=form.cleaned_data["most_a_week"],
            when_full=form.cleaned_data["when_full"],
            actor=request.user,
            now=tenant_now(request.tenant.pk),
        )
        messages.success(request, "Frequency cap saved.")
        return redirect(turl(request.tenant, "connectors:sending"))
    if pace_form.is_bound and pace_form.is_valid():
        channels = (Message.Channel.EMAIL.value, Message.Channel.SMS.value)
        set_paces(most={name: pace_form.cleaned_data[name] for name in channels}, actor=request.user)
        messages.success(request, "Pace saved.")
        return redirect(turl(request.tenant, "connectors:sending"))
    status = 422 if form.errors or pace_form.errors else 200
    context = {"form": form, "pace_form": pace_form}
    return render(request, "delivery/sending_rules.html", context, status=status)
