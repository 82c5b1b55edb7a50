"""What a split may be based on, in menu order. A new basis is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.steps.split.base import Basis
from flows.steps.split.contact import ContactData
from flows.steps.split.did import Clicked, Opened, Submitted
from flows.steps.split.form_data import FormData
from flows.steps.split.membership import ProjectMembership, SelectionMembership
from flows.steps.split.randomly import Randomly

BASES: KindTable[Basis] = KindTable(
    "basis of splits",
    [
        ContactData(),
        Submitted(),
        FormData(),
        Clicked(),
        Opened(),
        SelectionMembership(),
        ProjectMembership(),
        Randomly(),
    ],
)
