"""Send SMS: the step's own text, queued exactly once, inside the flow's timeframe.

The engine's guards (consent, subscription, mobile number, STOP) come before. The text is kept with versions
(content.operations.texts): the newest one is sent, also to those queued before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import psycopg
from django import forms
from django.http import QueryDict

from accounts.models import Licence
from content.operations.texts import text_version
from content.queries_link import link_ids
from content.sms import expected_length, links_in, parts_text, sms_groups, text_problems
from content.tree import known_tree
from delivery.queue import NewMessage, queue_messages
from delivery.sms import sms_senders
from flows.document import ExitSettings, StepNode
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
from flows.steps.exits import exit_problems
from flows.steps.forms import StepForm, choose, offer, to_number
from flows.steps.licences import require_licence
from flows.steps.sms_languages import LanguageText, TextLines, language_problems
from flows.timeframe import next_open, outside_timeframe


class SendSmsSettings(StepSettings):
    """From whom, what, and what happens to those who cannot get it."""

    sender: str = ""
    text: str = ""
    languages: tuple[LanguageText, ...] = ()
    if_cannot: Literal["skip", "exit"] = "skip"
    exit_flow: int | None = None
    exit_selection: int | None = None


class TextForm(StepForm):
    """A form with the text of an SMS: checked at its place, counted while it is written."""

    text = forms.CharField(
        label="Text", required=False, max_length=1600, strip=False, widget=forms.Textarea(attrs={"rows": 5})
    )

    def clean_text(self) -> str:
        """Refuse a text that cannot be sent; an empty one may wait."""
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n").strip()
        for problem in text_problems(text, tree=known_tree()) if text else ():
            self.add_error("text", str(problem))
        return text

    @property
    def length(self) -> str:
        """How long the text is, in words."""
        return parts_text(expected_length(str(self["text"].value() or "")))

    @property
    def tag_groups(self) -> dict[str, Any]:
        """The merge tags, for the menu."""
        return sms_groups(known_tree())


class SendSmsForm(TextForm):
    """The settings panel."""

    sender = forms.ChoiceField(label="Sender", required=False)
    if_cannot = forms.ChoiceField(
        label="If it can't be sent",
        choices=[("skip", "Skip this SMS and go on"), ("exit", "Exit flow")],
        widget=forms.RadioSelect,
        help_text="No consent, unsubscribed, no mobile number, or replied STOP.",
    )
    exit_selection = forms.TypedChoiceField(
        label="Then add to selection", required=False, coerce=to_number, empty_value=None
    )
    exit_flow = forms.TypedChoiceField(
        label="Then suggest for flow", required=False, coerce=to_number, empty_value=None
    )
    template = "flows/steps/send_sms.html"
    field_order = ("title", "sender", "text")

    def prepare(self) -> None:
        """Offer the account's senders, selections and flows."""
        choose(self, "sender", sender_choices(self.initial.get("sender", ""), empty="The flow's"))
        offer(self, "exit_selection", "selection", empty="None")
        offer(self, "exit_flow", "flow", flow_id=self.flow_id, empty="None")
        posted = self.data if isinstance(self.data, QueryDict) and self.is_bound else None
        self.lines = TextLines(data=posted, kept=self.initial.get("languages", ()))

    def clean(self) -> dict[str, Any]:
        """Refuse texts in other languages that cannot be sent."""
        cleaned = super().clean() or self.cleaned_data
        if not self.lines.check():
            raise forms.ValidationError("Some of the texts cannot be sent.")
        cleaned["languages"] = self.lines.texts
        return cleaned


def sender_choices(chosen: str, *, empty: str) -> list[tuple[str, str]]:
    """Return the senders of the SMS account for a select; one that was taken away stays visible."""
    senders = sms_senders()
    choices = [("", empty), *((sender, sender) for sender in senders)]
    return [*choices, (chosen, f"{chosen} (taken away)")] if chosen and chosen not in senders else choices


class SendSms(StepKind):
    """See the module."""

    name = "send_sms"
    label = "Send SMS"
    description = "Send a text message to the contact's mobile."
    icon = "chat-circle-dots"
    family = "message"
    Settings = SendSmsSettings
    Form = SendSmsForm
    channel = "sms"
    licence = Licence.Code.SMS

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return how the text begins."""
        settings: SendSmsSettings = self.settings(node)
        return text_summary(settings.text)

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """There must be a text without problems, and the sender must be there."""
        settings: SendSmsSettings = self.settings(node)
        found = [*text_and_sender_problems(settings.text, settings.sender)]
        found += language_problems(settings.languages)
        if settings.if_cannot == "exit":
            found += exit_problems(
                ExitSettings(flow=settings.exit_flow, selection=settings.exit_selection), ctx
            )
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the links in the text, and where those go who cannot get it."""
        settings: SendSmsSettings = self.settings(node)
        for text in (settings.text, *(one.text for one in settings.languages)):
            yield from text_references(text)
        if settings.if_cannot == "exit" and settings.exit_flow is not None:
            yield Reference("flow", settings.exit_flow)
        if settings.if_cannot == "exit" and settings.exit_selection is not None:
            yield Reference("selection", settings.exit_selection)

    def on_failed_guard(self, node: StepNode) -> str:
        """Return what the step says for those who cannot get it."""
        settings: SendSmsSettings = self.settings(node)
        return "drop" if settings.if_cannot == "exit" else "skip"

    def failed_exit(self, node: StepNode) -> ExitSettings | None:
        """Return where those go who exit."""
        settings: SendSmsSettings = self.settings(node)
        return ExitSettings(flow=settings.exit_flow, selection=settings.exit_selection)

    def saved(self, node: StepNode, *, cursor: psycopg.Cursor[Any], tenant_id: int, now: dt.datetime) -> None:
        """Make the text's version, for what is queued already."""
        settings: SendSmsSettings = self.settings(node)
        if not language_problems(settings.languages):
            keep_text(
                settings.text, node, _by_language(settings), cursor=cursor, tenant_id=tenant_id, now=now
            )

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Queue one message each for those below the frequency cap, or hold them until the timeframe opens. Without
        the licence nothing is queued: the step holds everyone."""
        require_licence(ctx, self.licence)
        settings: SendSmsSettings = self.settings(cohort.node)
        cohort, others = within_cap(cohort, ctx)
        opens = next_open(ctx.settings.messages.timeframe, ctx.now, ctx.settings.zone, ctx.holidays)
        if opens > ctx.now:
            return Outcomes(default=outside_timeframe(ctx, opens), by_id=others)
        if not settings.text:
            raise StepBroken(f"The SMS of “{cohort.node.title}” has no text.")
        version = text_version(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            step_id=cohort.node.id,
            source=settings.text,
            now=ctx.now,
            variants=_by_language(settings),
        )
        ids = queue_messages(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            stream_id=ctx.stream_id,
            rows=_messages(cohort, ctx, version, settings.sender),
            now=ctx.now,
        )
        return Outcomes(by_id=others, messages=dict(zip(cohort.ids, ids, strict=True)))


def _by_language(settings: SendSmsSettings) -> dict[str, str]:
    return {one.language: one.text for one in settings.languages}


def _messages(cohort: Cohort, ctx: StepContext, version: int, sender: str) -> list[NewMessage]:
    ctx.cursor.execute(
        "SELECT id, mobile FROM crm_contact WHERE tenant_id = %s AND id = ANY(%s::bigint[])",
        [ctx.tenant_id, cohort.contact_ids],
    )
    numbers = dict(ctx.cursor.fetchall())
    own = {"sender": sender} if sender else {}
    return [
        NewMessage(
            enrolled_on=traveller.enrolled_on,
            contact_id=traveller.contact_id,
            flow_id=ctx.flow_id,
            step_id=cohort.node.id,
            participant_id=traveller.id,
            visit_number=traveller.visit_number,
            content_version_id=version,
            to_address=numbers[traveller.contact_id],
            channel="sms",
            values={"event": traveller.event_data or {}, **own},
        )
        for traveller in cohort
    ]


# --- what steps with a text share ---------------------------------------------------------------------------------


def text_summary(text: str) -> str:
    """Return the beginning of a text for a card."""
    words = " ".join(text.split()) or "No text yet"
    return words if len(words) <= 60 else f"{words[:59].rstrip()}…"


def text_and_sender_problems(text: str, sender: str = "") -> Iterable[Problem]:
    """Yield what is wrong with a text, and a sender that was taken away."""
    for problem in text_problems(text, tree=known_tree()):
        yield Problem(problem.message if not problem.line else str(problem), place="text")
    senders = sms_senders()
    if sender and senders and sender not in senders:
        yield Problem(f"{sender} is no sender of the SMS account any more", place="sender")


def text_references(text: str) -> Iterable[Reference]:
    """Yield the registered links that a text names."""
    keys = links_in(text)
    yield from (Reference("link", number) for number in link_ids(keys)) if keys else ()


def keep_text(
    text: str,
    node: StepNode,
    variants: Mapping[str, str] | None = None,
    *,
    cursor: psycopg.Cursor[Any],
    tenant_id: int,
    now: dt.datetime,
) -> None:
    """Make the version of a step's text if it can be sent; one that cannot stops the start anyway."""
    if text and not text_problems(text, tree=known_tree()):
        text_version(cursor, tenant_id=tenant_id, step_id=node.id, source=text, variants=variants, now=now)
