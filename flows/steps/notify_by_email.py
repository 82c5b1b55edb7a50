"""Notify by email: a mail to our contact, the service contact or addresses, about the contact. Internal: nobody's
consent is asked, no timeframe holds it, and the participant goes on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import psycopg
from django import forms

from content.merge import inside_tree, text_problems
from content.notices import LONGEST, notice_values, notice_version
from crm.values import read_email
from delivery.operations.streams import stream_for_notes
from delivery.queue import NewMessage, queue_messages
from flows.document import StepNode
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
from flows.steps.forms import StepForm
from flows.steps.people import (
    ROLES,
    fallback_field,
    prepare_users,
    user_problems,
    user_references,
    users_of,
)
from flows.steps.texts import tag_problems

MOST_ADDRESSES = 20


class NotifyByEmailSettings(StepSettings):
    """To whom and what."""

    to: Literal["our_contact", "service_contact", "addresses"] = "our_contact"
    fallback_user: int | None = None
    addresses: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""


class NotifyByEmailForm(StepForm):
    """The settings panel."""

    to = forms.ChoiceField(
        label="To", choices=[*ROLES.items(), ("addresses", "These addresses")], widget=forms.RadioSelect
    )
    fallback_user = fallback_field()
    addresses = forms.CharField(
        label="Addresses",
        required=False,
        max_length=6_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line.",
    )
    subject = forms.CharField(label="Subject", required=False, max_length=400)
    text = forms.CharField(
        label="Text", required=False, max_length=LONGEST // 2, widget=forms.Textarea(attrs={"rows": 6})
    )
    template = "flows/steps/notify_by_email.html"

    def prepare(self) -> None:
        """Offer the members."""
        prepare_users(self, fallback_user="The flow's owner")
        addresses = self.initial.get("addresses")
        if isinstance(addresses, tuple):
            self.initial["addresses"] = "\n".join(addresses)

    def clean_addresses(self) -> tuple[str, ...]:
        """Return the addresses, each once."""
        lines = [line.strip() for line in str(self.cleaned_data["addresses"]).splitlines() if line.strip()]
        bad = next((line for line in lines if read_email(line) is None), None)
        if bad is not None:
            raise forms.ValidationError(f"“{bad[:60]}” is no email address.")
        if len(lines) > MOST_ADDRESSES:
            raise forms.ValidationError(f"At most {MOST_ADDRESSES} addresses.")
        return tuple(dict.fromkeys(lines))

    def clean_subject(self) -> str:
        """Refuse tags that cannot be filled in."""
        return self._checked("subject")

    def clean_text(self) -> str:
        """Refuse tags that cannot be filled in."""
        return self._checked("text")

    def _checked(self, name: str) -> str:
        text = str(self.cleaned_data[name]).replace("\r\n", "\n").strip()
        for problem in text_problems(text):
            self.add_error(name, problem)
        return text

    @property
    def tag_groups(self) -> dict[str, Any]:
        """The merge tags, for the menu."""
        return {name: items for name, items in inside_tree().groups.items() if items}


class NotifyByEmail(StepKind):
    """See the module."""

    name = "notify_by_email"
    label = "Notify by email"
    description = "Send a mail to a colleague about the contact."
    icon = "paper-plane-tilt"
    family = "data"
    Settings = NotifyByEmailSettings
    Form = NotifyByEmailForm

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return to whom, and the subject."""
        settings: NotifyByEmailSettings = self.settings(node)
        count = len(settings.addresses)
        to = ROLES.get(settings.to, f"{count} address{'' if count == 1 else 'es'}")
        return f"To {to[0].lower()}{to[1:]}: {settings.subject or 'no subject yet'}"

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """There must be somebody to write to, a subject and a text, with tags that exist."""
        settings: NotifyByEmailSettings = self.settings(node)
        found = []
        if not settings.subject:
            found.append(Problem("Write a subject", place="subject"))
        if not settings.text:
            found.append(Problem("Write a text", place="text"))
        found += tag_problems({"subject": settings.subject, "text": settings.text})
        if settings.to == "addresses" and not settings.addresses:
            found.append(Problem("Name at least one address", place="addresses"))
        found += [
            Problem(f"“{address[:60]}” is no email address", place="addresses")
            for address in settings.addresses
            if read_email(address) is None
        ]
        if settings.to != "addresses":
            found += user_problems(ctx, who=settings.to, user=None, fallback=settings.fallback_user)
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the fallback user."""
        settings: NotifyByEmailSettings = self.settings(node)
        if settings.to != "addresses":
            yield from user_references(who=settings.to, user=None, fallback=settings.fallback_user)

    def saved(self, node: StepNode, *, cursor: psycopg.Cursor[Any], tenant_id: int, now: dt.datetime) -> None:
        """Make the text's version, for what is queued already; one that cannot be sent stops the start anyway."""
        settings: NotifyByEmailSettings = self.settings(node)
        if not settings.text or any(tag_problems({"subject": settings.subject, "text": settings.text})):
            return
        notice_version(
            cursor,
            tenant_id=tenant_id,
            step_id=node.id,
            subject=settings.subject,
            text=settings.text,
            now=now,
        )

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Queue one message for each participant and address, in a handful of statements."""
        settings: NotifyByEmailSettings = self.settings(cohort.node)
        if not settings.subject or not settings.text:
            raise StepBroken(f"The mail of “{cohort.node.title}” has no subject or text.")
        version = notice_version(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            step_id=cohort.node.id,
            subject=settings.subject,
            text=settings.text,
            now=ctx.now,
        )
        addresses = self._addresses(settings, cohort, ctx)
        rows = [
            NewMessage(
                enrolled_on=traveller.enrolled_on,
                content_version_id=version,
                to_address=address,
                flow_id=ctx.flow_id,
                step_id=cohort.node.id,
                is_marketing=False,
                values=notice_values(traveller.contact_id, traveller.event_data),
            )
            for traveller in cohort
            for address in addresses[traveller.id]
        ]
        stream = stream_for_notes(of=ctx.stream_id)
        # They belong to no visit, so nobody is woken: the next tick finds them.
        queue_messages(ctx.cursor, tenant_id=ctx.tenant_id, stream_id=stream.pk, rows=rows, now=ctx.now)
        return Outcomes()

    def _addresses(
        self, settings: NotifyByEmailSettings, cohort: Cohort, ctx: StepContext
    ) -> Mapping[int, tuple[str, ...]]:
        """Return the addresses by participant id; every user has one, to sign in with."""
        if settings.to == "addresses":
            return dict.fromkeys(cohort.ids, settings.addresses)
        users = users_of(ctx, cohort, settings.to, settings.fallback_user)
        ctx.cursor.execute(
            "SELECT id, email FROM accounts_user WHERE id = ANY(%s::bigint[])", [sorted(set(users.values()))]
        )
        known = dict(ctx.cursor.fetchall())
        return {participant: (known[user],) for participant, user in users.items()}
