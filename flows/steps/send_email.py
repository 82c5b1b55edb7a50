"""Send email: the newest sendable version of an email, queued exactly once, inside the flow's timeframe.

The engine's guards (consent, subscription, address) come before; what the email says is content's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from django import forms

from content.models import Email
from content.queries import sendable_version
from delivery.queue import NewMessage, queue_messages
from flows.document import StepNode
from flows.frequency import within_cap
from flows.steps.base import (
    CheckContext,
    Cohort,
    Outcomes,
    Problem,
    Reference,
    StepBroken,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.forms import StepForm, offer, to_number
from flows.timeframe import next_open, outside_timeframe


class SendEmailSettings(StepSettings):
    """Which email, and what happens to those who cannot get it."""

    email: int | None = None
    if_cannot: Literal["drop", "skip"] = "drop"


class SendEmailForm(StepForm):
    """The settings panel."""

    email = forms.TypedChoiceField(label="Email", required=False, coerce=to_number, empty_value=None)
    if_cannot = forms.ChoiceField(
        label="If it can't be sent",
        choices=[("drop", "Drop out of the flow"), ("skip", "Skip this email and go on")],
        widget=forms.RadioSelect,
        help_text="No consent, unsubscribed, no address, a blocked one, or one that is in the flow already.",
    )
    template = "flows/steps/send_email.html"

    def prepare(self) -> None:
        """Offer the flow's own emails and those that belong to no flow."""
        offer(self, "email", "email", flow_id=self.flow_id)

    @property
    def opened(self) -> int | None:
        """The chosen email, where there is one to open."""
        chosen = str(self["email"].value() or "")
        number = int(chosen) if chosen.isdecimal() and len(chosen) < 19 else None
        return number if number and Email.objects.filter(pk=number, deleted_at=None).exists() else None


class SendEmail(StepKind):
    """See the module."""

    name = "send_email"
    label = "Send email"
    description = "Send one of the flow's emails."
    icon = "envelope-simple"
    family = "message"
    Settings = SendEmailSettings
    Form = SendEmailForm
    channel = "email"

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return the email's name."""
        settings: SendEmailSettings = self.settings(node)
        return names.name("email", settings.email) or "No email chosen"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """An email must be chosen, exist and be compiled."""
        settings: SendEmailSettings = self.settings(node)
        if settings.email is None:
            return [Problem("Choose an email", place="email")]
        if ctx.name("email", settings.email) is None:
            return [Problem("The email was deleted: choose another", place="email")]
        if ctx.name("sendable_email", settings.email) is None:
            return [Problem("The email is not ready: write and save its content", place="email")]
        return []

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the email."""
        settings: SendEmailSettings = self.settings(node)
        if settings.email is not None:
            yield Reference("email", settings.email)

    def on_failed_guard(self, node: StepNode) -> str:
        """Return what the step says for those who cannot get it."""
        settings: SendEmailSettings = self.settings(node)
        return settings.if_cannot

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Queue one message each for those below the frequency cap, or hold them until the timeframe opens."""
        settings: SendEmailSettings = self.settings(cohort.node)
        cohort, others = within_cap(cohort, ctx)
        opens = next_open(ctx.settings.messages.timeframe, ctx.now, ctx.settings.zone, ctx.holidays)
        if opens > ctx.now:
            return Outcomes(default=outside_timeframe(ctx, opens), by_id=others)
        version = sendable_version(settings.email) if settings.email is not None else None
        if version is None:
            raise StepBroken(f"The email of “{cohort.node.title}” has no content that can be sent.")
        ids = queue_messages(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            stream_id=ctx.stream_id,
            rows=self._messages(cohort, ctx, version),
            now=ctx.now,
        )
        return Outcomes(by_id=others, messages=dict(zip(cohort.ids, ids, strict=True)))

    def _messages(self, cohort: Cohort, ctx: StepContext, version: int) -> list[NewMessage]:
        ctx.cursor.execute(
            "SELECT id, email FROM crm_contact WHERE tenant_id = %s AND id = ANY(%s::bigint[])",
            [ctx.tenant_id, cohort.contact_ids],
        )
        addresses = dict(ctx.cursor.fetchall())
        return [
            NewMessage(
                enrolled_on=traveller.enrolled_on,
                contact_id=traveller.contact_id,
                flow_id=ctx.flow_id,
                step_id=cohort.node.id,
                participant_id=traveller.id,
                visit_number=traveller.visit_number,
                content_version_id=version,
                to_address=addresses[traveller.contact_id],
                values={"event": traveller.event_data or {}},
            )
            for traveller in cohort
        ]
