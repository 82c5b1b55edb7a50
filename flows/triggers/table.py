"""The trigger kinds in menu order. A new kind is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.triggers.added_to_project import AddedToProject
from flows.triggers.added_to_selection import AddedToSelection
from flows.triggers.base import TriggerKind
from flows.triggers.contact_created import ContactCreated
from flows.triggers.contact_updated import ContactUpdated
from flows.triggers.date_in_field import DateInField
from flows.triggers.form_submitted import FormSubmitted
from flows.triggers.link_clicked import LinkClicked
from flows.triggers.outside_event import OutsideEventTrigger
from flows.triggers.request_created import RequestCreated
from flows.triggers.sale_created import SaleCreated
from flows.triggers.sale_lost import SaleLost
from flows.triggers.sale_sold import SaleSold
from flows.triggers.schedule import Schedule

TRIGGER_KINDS: KindTable[TriggerKind] = KindTable(
    "trigger kind",
    [
        ContactCreated(),
        ContactUpdated(),
        AddedToSelection(),
        AddedToProject(),
        SaleCreated(),
        SaleSold(),
        SaleLost(),
        RequestCreated(),
        DateInField(),
        FormSubmitted(),
        LinkClicked(),
        OutsideEventTrigger(),
        Schedule(),
    ],
)
