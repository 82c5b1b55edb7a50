"""Panels of the flow's settings: general (on the flow itself), enrolment and messages (in its document)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Q
from django.http import QueryDict

from accounts.models import Membership
from accounts.rights import Right
from core.localtime import moment
from crm.models import SubscriptionType
from crm.places import timezones
from flows.document import FlowDocument, FlowSettings, MessageSettings, ReplyTo, Sender, Timeframe
from flows.editing.frame import with_settings
from flows.models import Flow, FlowGroupPermission, FlowUserPermission
from flows.operations.drafts import Change
from flows.panels.base import Panel
from flows.panels.choices import folder_choices
from flows.steps.forms import choose, make_beside, number_choices, offer, offer_many, to_number
from flows.steps.send_sms import sender_choices
from flows.visibility import would_see

DAYS = [("0", "Mon"), ("1", "Tue"), ("2", "Wed"), ("3", "Thu"), ("4", "Fri"), ("5", "Sat"), ("6", "Sun")]
_LOCAL = "%Y-%m-%dT%H:%M"


def _ids(values: list[str]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


class DetailsForm(forms.Form):
    """Name, place, owner and who sees the flow."""

    name = forms.CharField(label="Name", max_length=120)
    description = forms.CharField(
        label="Description", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )
    folder = forms.TypedChoiceField(label="Folder", required=False, coerce=to_number, empty_value=None)
    owner = forms.TypedChoiceField(label="Owner", coerce=int)
    visibility = forms.ChoiceField(
        label="Visible for", choices=Flow.Visibility.choices, widget=forms.RadioSelect
    )
    users = forms.MultipleChoiceField(label="Users", required=False, widget=forms.CheckboxSelectMultiple)
    groups = forms.MultipleChoiceField(label="Groups", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *, flow: Flow, member: Membership, data: QueryDict | None = None) -> None:
        self.member = member
        users = FlowUserPermission.objects.filter(content_object=flow).values_list("user_id", flat=True)
        groups = FlowGroupPermission.objects.filter(content_object=flow).values_list("group_id", flat=True)
        initial = {
            "name": flow.name,
            "description": flow.description,
            "folder": flow.folder_id,
            "owner": flow.owner_id,
            "visibility": flow.visibility,
            "users": list(users),
            "groups": list(groups),
        }
        super().__init__(data, initial=initial)
        choose(self, "folder", folder_choices())
        offer(self, "owner", "user", empty=None, gone=str(flow.owner))
        offer_many(self, "users", "user")
        offer_many(self, "groups", "auth_group")

    def clean(self) -> dict[str, Any]:
        """Nobody shuts themselves out: only somebody else could let them in again."""
        given = super().clean() or {}
        if not {"owner", "visibility", "users", "groups"} <= given.keys():
            return given
        sees = would_see(
            self.member,
            owner_id=given["owner"],
            visibility=given["visibility"],
            user_ids=_ids(given["users"]),
            auth_group_ids=_ids(given["groups"]),
        )
        if not sees:
            self.add_error("visibility", "You would not see this flow any more. Include yourself too.")
        return given


class DetailsPanel(Panel):
    """General settings: saved at once, also while the flow runs; not part of a revision."""

    template = "flows/panel/details.html"
    heading = "Flow settings"

    def form(self, data: QueryDict | None = None) -> DetailsForm:
        """The form of the flow's own row."""
        return DetailsForm(flow=self.designer.flow, member=self.designer.member, data=data)


class EnrolmentForm(forms.Form):
    """Who may enter, and when."""

    timezone = forms.ChoiceField(
        label="Timezone", help_text="For dates, clock times and the timeframe of messages."
    )
    starts_at = forms.DateTimeField(
        label="Start time",
        required=False,
        help_text="People may be enrolled before it, but all wait.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
    )
    enrolment_ends_at = forms.DateTimeField(
        label="Enrolment ends",
        required=False,
        help_text="Nobody is enrolled from then on.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_LOCAL),
    )
    once_only = forms.BooleanField(label="A contact may start this flow only once", required=False)
    exclusions = forms.MultipleChoiceField(
        label="Exclusion list",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Members do not enter, and drop out if they become members later.",
    )
    remove_from_flows = forms.MultipleChoiceField(
        label="When enrolled, remove from these flows", required=False, widget=forms.CheckboxSelectMultiple
    )
    control_share = forms.IntegerField(
        label="Control group (%)",
        min_value=0,
        max_value=99,
        help_text="This share of the contacts is held out, to compare with.",
    )

    def __init__(self, *, settings: FlowSettings, flow_id: int, data: QueryDict | None = None) -> None:
        zone = settings.zone
        initial = {
            "timezone": settings.timezone,
            "starts_at": _shown(settings.starts_at, zone),
            "enrolment_ends_at": _shown(settings.enrolment_ends_at, zone),
            "once_only": settings.once_only,
            "exclusions": settings.exclusions,
            "remove_from_flows": settings.remove_from_flows,
            "control_share": settings.control_share,
        }
        super().__init__(data, initial=initial)
        zones = sorted({*timezones(), settings.timezone})
        choose(self, "timezone", [(name, name.replace("_", " ")) for name in zones])
        offer_many(self, "exclusions", "selection")
        offer_many(self, "remove_from_flows", "flow", flow_id=flow_id)

    def clean(self) -> dict[str, Any]:
        """Enrolment cannot end before the start."""
        given = super().clean() or {}
        start, end = given.get("starts_at"), given.get("enrolment_ends_at")
        if start and end and end <= start:
            self.add_error("enrolment_ends_at", "Enrolment must end after the start time.")
        return given

    def settings(self, old: FlowSettings) -> FlowSettings:
        """Return the settings with what this form holds."""
        given = self.cleaned_data
        zone = ZoneInfo(given["timezone"])
        return old.model_copy(
            update={
                "timezone": given["timezone"],
                "starts_at": _moment(given["starts_at"], zone),
                "enrolment_ends_at": _moment(given["enrolment_ends_at"], zone),
                "once_only": given["once_only"],
                "exclusions": _ids(given["exclusions"]),
                "remove_from_flows": _ids(given["remove_from_flows"]),
                "control_share": given["control_share"],
            }
        )


def _shown(at: dt.datetime | None, zone: ZoneInfo) -> dt.datetime | None:
    return at.astimezone(zone).replace(tzinfo=None) if at else None


def _moment(local: dt.datetime | None, zone: ZoneInfo) -> dt.datetime | None:
    return moment(local.date(), local.time(), zone) if local else None


class EnrolmentPanel(Panel):
    """Enrolment settings."""

    template = "flows/panel/enrolment.html"
    heading = "Enrolment settings"

    def form(self, data: QueryDict | None = None) -> EnrolmentForm:
        """The form."""
        return EnrolmentForm(
            settings=self.designer.document.settings, flow_id=self.designer.flow.pk, data=data
        )

    def change(self, form: EnrolmentForm) -> Change:
        """Store them."""
        return lambda document: with_settings(document, settings=form.settings(document.settings))


class MessagesForm(forms.Form):
    """What all messages of the flow share."""

    SOURCES = [
        ("fixed", "Always this address"),
        ("our_contact", "The contact's sales contact"),
        ("service_contact", "The contact's support contact"),
    ]

    subscription_type = forms.TypedChoiceField(
        label="Subscription type",
        required=False,
        coerce=to_number,
        empty_value=None,
        help_text="Whoever opted out of it gets none of the messages.",
    )
    sender_source = forms.ChoiceField(label="From", choices=SOURCES)
    sender_name = forms.CharField(label="Name", required=False, max_length=120)
    sender_email = forms.EmailField(label="Address", required=False)
    reply_source = forms.ChoiceField(
        label="Replies go to",
        choices=[("same", "Same as from"), ("none", "Nobody"), ("fixed", "This address"), *SOURCES[1:]],
    )
    reply_name = forms.CharField(label="Reply name", required=False, max_length=120)
    reply_email = forms.EmailField(
        label="Reply address",
        required=False,
        help_text="For a sales or support contact, both stand in where the contact has nobody.",
    )
    sms_sender = forms.ChoiceField(
        label="SMS sender", required=False, help_text="Where a step names none of its own."
    )
    override_consent = forms.BooleanField(
        label="Send without consent and in spite of unsubscriptions",
        required=False,
        help_text="Only for messages that the law lets you send to everyone.",
    )
    limits = forms.BooleanField(label="Only send at certain times", required=False)
    weekdays = forms.MultipleChoiceField(
        label="Days", choices=DAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    workdays_only = forms.BooleanField(label="Not on holidays", required=False)
    start = forms.TimeField(
        label="From", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    to = forms.TimeField(
        label="Until", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    utm_source = forms.CharField(label="UTM source", required=False, max_length=100)
    utm_campaign = forms.CharField(label="UTM campaign", required=False, max_length=100)

    def __init__(
        self, *, messages: MessageSettings, member: Membership, data: QueryDict | None = None
    ) -> None:
        frame = messages.timeframe or Timeframe()
        initial = {
            "subscription_type": messages.subscription_type,
            "sender_source": messages.sender.source,
            "sender_name": messages.sender.name,
            "sender_email": messages.sender.email,
            "reply_source": messages.reply_to.source,
            "reply_name": messages.reply_to.name,
            "reply_email": messages.reply_to.email,
            "sms_sender": messages.sms_sender,
            "override_consent": messages.override_consent,
            "limits": messages.timeframe is not None,
            "weekdays": [str(day) for day in frame.weekdays],
            "workdays_only": frame.workdays_only,
            "start": frame.start,
            "to": frame.to,
            "utm_source": messages.utm_source,
            "utm_campaign": messages.utm_campaign,
        }
        super().__init__(data, initial=initial)
        offered = SubscriptionType.objects.filter(Q(retired=False) | Q(pk=messages.subscription_type))
        types = list(offered.values_list("id", "name"))
        choose(
            self,
            "subscription_type",
            number_choices(types, messages.subscription_type, "A type that was deleted"),
        )
        make_beside(self, "subscription_type", "subscription_type")
        choose(self, "sms_sender", sender_choices(messages.sms_sender, empty="The account's first"))
        if not member.may(Right.OVERRIDE_CONSENT):
            del self.fields["override_consent"]

    def clean(self) -> dict[str, Any]:
        """A timeframe needs days and two different times."""
        given = super().clean() or {}
        if given.get("limits"):
            if not given.get("weekdays"):
                self.add_error("weekdays", "Choose at least one day.")
            if not given.get("start") or not given.get("to"):
                self.add_error("start", "Say from when until when.")
            elif given["start"] == given["to"]:
                self.add_error("to", "The two times must differ.")
        return given

    def messages(self, old: MessageSettings) -> MessageSettings:
        """Return the message settings; who may not override consent leaves that as it is."""
        given = self.cleaned_data
        frame = None
        if given["limits"]:
            frame = Timeframe(
                weekdays=_ids(given["weekdays"]),
                start=given["start"],
                to=given["to"],
                workdays_only=given["workdays_only"],
            )
        return old.model_copy(
            update={
                "subscription_type": given["subscription_type"],
                "sender": Sender(
                    source=given["sender_source"], name=given["sender_name"], email=given["sender_email"]
                ),
                "reply_to": ReplyTo(
                    source=given["reply_source"], name=given["reply_name"], email=given["reply_email"]
                ),
                "sms_sender": given["sms_sender"],
                "override_consent": given.get("override_consent", old.override_consent),
                "timeframe": frame,
                "utm_source": given["utm_source"],
                "utm_campaign": given["utm_campaign"],
            }
        )


class MessagesPanel(Panel):
    """Message settings."""

    template = "flows/panel/messages.html"
    heading = "Message settings"

    def form(self, data: QueryDict | None = None) -> MessagesForm:
        """The form."""
        messages = self.designer.document.settings.messages
        return MessagesForm(messages=messages, member=self.designer.member, data=data)

    def change(self, form: MessagesForm) -> Change:
        """Store them."""

        def changed(document: FlowDocument) -> FlowDocument:
            messages = form.messages(document.settings.messages)
            settings = document.settings.model_copy(update={"messages": messages})
            return with_settings(document, settings=settings)

        return changed
