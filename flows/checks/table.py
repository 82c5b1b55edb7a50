"""The checks in the order of docs/checks.md. A new check is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.checks.base import Check
from flows.checks.closed_form import ClosedForm
from flows.checks.content_twice import ContentTwice
from flows.checks.contradicting_lines import ContradictingLines
from flows.checks.does_the_same import DoesTheSame
from flows.checks.endless_wait import EndlessWait
from flows.checks.event_not_given import EventNotGiven
from flows.checks.example_address import ExampleAddress
from flows.checks.link_not_sent import LinkNotSent
from flows.checks.missing_licence import MissingLicence
from flows.checks.nobody_goes_on import NobodyGoesOn
from flows.checks.shadowed_branch import ShadowedBranch

CHECKS: KindTable[Check] = KindTable(
    "check",
    [
        ContradictingLines(),
        ShadowedBranch(),
        MissingLicence(),
        NobodyGoesOn(),
        EndlessWait(),
        ClosedForm(),
        LinkNotSent(),
        EventNotGiven(),
        ContentTwice(),
        DoesTheSame(),
        ExampleAddress(),
    ],
)
