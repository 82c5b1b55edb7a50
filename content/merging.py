"""What people sent by forms moves with them."""

from __future__ import annotations

from core.merging import Move, Room

MERGING = Room(
    (
        Move("content_formsubmission", label=("form submission", "form submissions")),
        Move("content_scriptfailure"),
    )
)
