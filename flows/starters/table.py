"""The flow templates in the order of *New flow*. A new one is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.starters import event, lead_nurturing, onboarding, up_sell, welcome, win_back
from flows.starters.base import FlowTemplate

TEMPLATES: KindTable[FlowTemplate] = KindTable(
    "flow template",
    [
        welcome.TEMPLATE,
        lead_nurturing.TEMPLATE,
        event.TEMPLATE,
        up_sell.TEMPLATE,
        win_back.TEMPLATE,
        onboarding.TEMPLATE,
    ],
)
