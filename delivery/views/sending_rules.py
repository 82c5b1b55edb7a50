"""Settings: how many marketing messages one contact may get."""

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
from delivery.models import SendingRules
from delivery.operations.sending_rules import sending_rules, set_sending_rules

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


@needs(*RIGHTS)
def sending(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show and change the frequency cap."""
    rules = sending_rules()
    initial = {
        "most_a_day": rules.most_a_day if rules else None,
        "most_a_week": rules.most_a_week if rules else None,
        "when_full": rules.when_full if rules else SendingRules.WhenFull.WAIT,
    }
    form = RulesForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        set_sending_rules(
            most_a_day=form.cleaned_data["most_a_day"],
            most_a_week=form.cleaned_data["most_a_week"],
            when_full=form.cleaned_data["when_full"],
            actor=request.user,
            now=tenant_now(request.tenant.pk),
        )
        messages.success(request, "Frequency cap saved.")
        return redirect(turl(request.tenant, "connectors:sending"))
    return render(request, "delivery/sending_rules.html", {"form": form}, status=422 if form.errors else 200)
