"""Flows hold the tenant's own plans: no column of theirs is about a contact."""

from __future__ import annotations

from core.erasure import Place, Room

ERASURE = Room(
    (
        Place("flows_flowfolder", ("name",)),
        Place("flows_flow", ("name", "description", "status", "visibility", "draft", "draft_label")),
        Place("flows_flowrevision", ("document", "note")),
        Place("flows_step", ("kind", "title")),
        Place("flows_savedview", ("name", "query")),
        Place("flows_flowopened", ("folded",)),
        Place("flows_draftstate", ("document", "label", "moves")),
    )
)
