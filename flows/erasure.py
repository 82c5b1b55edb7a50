"""Flows hold the tenant's own plans: no column of theirs is about a contact, but what colleagues write to each other
at a step may name one."""

from __future__ import annotations

from core.erasure import EMPTY, Place, Room

_NAMES_THEM = """
    t.text ILIKE ANY(%(mentions)s::text[])
    OR (%(name)s::text <> '' AND strpos(lower(t.text), lower(%(name)s::text)) > 0)
"""

ERASURE = Room(
    (
        Place("flows_flowfolder", ("name",)),
        Place("flows_flow", ("name", "description", "status", "visibility", "draft", "draft_label")),
        Place("flows_flowrevision", ("document", "note")),
        Place("flows_step", ("kind", "title")),
        Place("flows_savedview", ("name", "place", "query")),
        Place("flows_flowopened", ("folded",)),
        Place("flows_flowcomment", ("step_title", "mentions"), {"text": EMPTY}, _NAMES_THEM),
        Place("flows_draftstate", ("document", "label", "moves")),
    )
)
