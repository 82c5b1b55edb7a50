"""Notify by SMS: a text to our contact, the service contact or numbers, about the contact. Internal: nobody's consent
is asked, no timeframe holds it, and the participant goes on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import psycopg
from django import forms

from accounts.models import Licence, Tenant
from content.operations.texts import text_version
from core.phones import read_phone
from core.tenancy import require_tenant_id
from delivery.operations.streams import stream_for_notes
from delivery.queue import NewMessage, queue_messages
from flows.document import StepNode
from flows.steps.base import (
    Advance,
    CheckContext,
    Cohort,
    Outcome,
    Outcomes,
    Problem,
    Reference,
    StepBroken,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.forms import choose
from flows.steps.licences import require_licence
from flows.steps.people import (
    ROLES,
    fallback_field,
    prepare_users,
    user_problems,
    user_references,
    users_of,
)
from flows.steps.send_sms import (
    TextForm,
    keep_text,
    sender_choices,
    text_and_sender_problems,
    text_references,
    text_summary,
)

MOST_NUMBERS = 20
NO_NUMBER = "Nothing was sent: the colleague has no mobile number."


class NotifyBySmsSettings(StepSettings):
    """To whom and what."""

    to: Literal["our_contact", "service_contact", "numbers"] = "our_contact"
    fallback_user: int | None = None
    numbers: tuple[str, ...] = ()
    sender: str = ""
    text: str = ""


class NotifyBySmsForm(TextForm):
    """The settings panel."""

    to = forms.ChoiceField(
        label="To", choices=[*ROLES.items(), ("numbers", "These numbers")], widget=forms.RadioSelect
    )
    fallback_user = fallback_field()
    numbers = forms.CharField(
        label="Numbers",
        required=False,
        max_length=800,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, with country code.",
    )
    sender = forms.ChoiceField(label="Sender", required=False)
    template = "flows/steps/notify_by_sms.html"

    def prepare(self) -> None:
        """Offer the members and the account's senders."""
        prepare_users(self, fallback_user="The flow's owner")
        choose(self, "sender", sender_choices(self.initial.get("sender", ""), empty="The flow's"))
        numbers = self.initial.get("numbers")
        if isinstance(numbers, tuple):
            self.initial["numbers"] = "\n".join(numbers)

    def clean_numbers(self) -> tuple[str, ...]:
        """Return the numbers in E.164."""
        lines = [line.strip() for line in str(self.cleaned_data["numbers"]).splitlines() if line.strip()]
        country = Tenant.objects.values_list("country", flat=True).get(pk=require_tenant_id())
        read = {line: read_phone(line, country) for line in lines}
        bad = next((line for line, number in read.items() if number is None), None)
        if bad is not None:
            raise forms.ValidationError(f"“{bad[:40]}” is no phone number (with its country code).")
        if len(read) > MOST_NUMBERS:
            raise forms.ValidationError(f"At most {MOST_NUMBERS} numbers.")
        return tuple(dict.fromkeys(number for number in read.values() if number))


class NotifyBySms(StepKind):
    """See the module."""

    name = "notify_by_sms"
    label = "Notify by SMS"
    description = "Send a text message to a colleague about the contact."
    icon = "device-mobile"
    family = "data"
    Settings = NotifyBySmsSettings
    Form = NotifyBySmsForm
    licence = Licence.Code.SMS

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return to whom, and how the text begins."""
        settings: NotifyBySmsSettings = self.settings(node)
        count = len(settings.numbers)
        to = f"{count} number{'' if count == 1 else 's'}" if settings.to == "numbers" else ROLES[settings.to]
        return f"To {to[0].lower()}{to[1:]}: {text_summary(settings.text)}"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """There must be somebody to write to, a text, and an account that sends it."""
        settings: NotifyBySmsSettings = self.settings(node)
        found = [*text_and_sender_problems(settings.text, settings.sender)]
        if settings.to == "numbers" and not settings.numbers:
            found.append(Problem("Name at least one number", place="numbers"))
        if settings.to != "numbers":
            found += user_problems(ctx, who=settings.to, user=None, fallback=settings.fallback_user)
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the links in the text and the fallback user."""
        settings: NotifyBySmsSettings = self.settings(node)
        yield from text_references(settings.text)
        if settings.to != "numbers":
            yield from user_references(who=settings.to, user=None, fallback=settings.fallback_user)

    def saved(self, node: StepNode, *, cursor: psycopg.Cursor[Any], tenant_id: int, now: dt.datetime) -> None:
        """Make the text's version, for what is queued already."""
        settings: NotifyBySmsSettings = self.settings(node)
        keep_text(settings.text, node, cursor=cursor, tenant_id=tenant_id, now=now)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Queue one message for each participant and number; whose colleague has no number is noted on the visit.
        Without the licence nothing is queued: the step holds everyone."""
        require_licence(ctx, self.licence)
        settings: NotifyBySmsSettings = self.settings(cohort.node)
        if not settings.text:
            raise StepBroken(f"The SMS of “{cohort.node.title}” has no text.")
        version = text_version(
            ctx.cursor, tenant_id=ctx.tenant_id, step_id=cohort.node.id, source=settings.text, now=ctx.now
        )
        numbers = self._numbers(settings, cohort, ctx)
        sender = settings.sender or ctx.settings.messages.sms_sender
        own = {"sender": sender} if sender else {}
        rows = [
            NewMessage(
                enrolled_on=traveller.enrolled_on,
                content_version_id=version,
                to_address=number,
                channel="sms",
                flow_id=ctx.flow_id,
                step_id=cohort.node.id,
                is_marketing=False,
                values={"event": traveller.event_data or {}, "about": traveller.contact_id, **own},
            )
            for traveller in cohort
            for number in numbers[traveller.id]
        ]
        stream = stream_for_notes(of=ctx.stream_id)
        # They belong to no visit, so nobody is woken: the next tick finds them.
        queue_messages(ctx.cursor, tenant_id=ctx.tenant_id, stream_id=stream.pk, rows=rows, now=ctx.now)
        without: dict[int, Outcome] = {
            number: Advance(values={"note": NO_NUMBER}) for number, found in numbers.items() if not found
        }
        return Outcomes(by_id=without)

    def _numbers(
        self, settings: NotifyBySmsSettings, cohort: Cohort, ctx: StepContext
    ) -> Mapping[int, tuple[str, ...]]:
        """Return the numbers by participant id; nobody's number is an empty tuple."""
        if settings.to == "numbers":
            return dict.fromkeys(cohort.ids, settings.numbers)
        users = users_of(ctx, cohort, settings.to, settings.fallback_user)
        ctx.cursor.execute(
            "SELECT user_id, mobile FROM accounts_membership"
            " WHERE tenant_id = %s AND mobile <> '' AND user_id = ANY(%s::bigint[])",
            [ctx.tenant_id, sorted(set(users.values()))],
        )
        mobiles = dict(ctx.cursor.fetchall())
        return {
            participant: (mobiles[user],) if user in mobiles else () for participant, user in users.items()
        }
