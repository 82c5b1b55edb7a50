"""Panel of what colleagues wrote: at one step, where people enter, or the list of all places."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404

from flows.panels.base import Panel
from flows.talk import START, talk_at, talked_about


class CommentsPanel(Panel):
    """Comments; with `start` or a step's id as key those of one place. They are not part of the draft."""

    heading = "Comments"

    @property
    def template(self) -> str:  # type: ignore[override]
        """One place, or all."""
        return "flows/panel/comments.html" if self.key else "flows/panel/talked_about.html"

    def context(self) -> dict[str, Any]:
        """What was said."""
        flow = self.designer.flow
        if not self.key:
            return {"places": talked_about(flow)}
        return {"talk": talk_at(flow, place_of(self.key), member=self.designer.member)}


def place_of(key: str) -> uuid.UUID | None:
    """Return the step of a place's key, None where people enter; not found for anything else."""
    try:
        return None if key == START else uuid.UUID(key)
    except ValueError:
        raise Http404 from None
