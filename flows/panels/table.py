"""The panels by the kind of part that they open for."""

from __future__ import annotations

from django.http import Http404

from flows.designer import Designer
from flows.panels.base import Panel
from flows.panels.comments import CommentsPanel
from flows.panels.ends import FilterPanel, FinishPanel, StartPanel, SuccessPanel, TriggerPanel
from flows.panels.look import FindPanel, PalettePanel, ProblemsPanel, RevisionsPanel
from flows.panels.notes import NotePanel
from flows.panels.settings import DetailsPanel, EnrolmentPanel, MessagesPanel
from flows.panels.steps import BranchPanel, StepPanel

PANELS: dict[str, type[Panel]] = {
    "": PalettePanel,
    "step": StepPanel,
    "branch": BranchPanel,
    "note": NotePanel,
    "start": StartPanel,
    "trigger": TriggerPanel,
    "filter": FilterPanel,
    "finish": FinishPanel,
    "success": SuccessPanel,
    "details": DetailsPanel,
    "settings": EnrolmentPanel,
    "messages": MessagesPanel,
    "comments": CommentsPanel,
    "find": FindPanel,
    "problems": ProblemsPanel,
    "revisions": RevisionsPanel,
}


def panel_for(designer: Designer, part: str) -> Panel:
    """Return the panel of a part; not found where there is none."""
    kind, _, key = part.partition(":")
    if kind not in PANELS:
        raise Http404
    return PANELS[kind](designer, key)
