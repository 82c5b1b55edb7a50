"""Operations on sticky notes. A note at a step moves with it and goes with it (rules.checked sees to that)."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from flows.document import FlowDocument, Note, NoteColour
from flows.editing.rules import checked
from flows.editing.tree import IllegalEdit, find_step


def add_note(document: FlowDocument, *, note: Note) -> FlowDocument:
    """Add a note, at a step or (step None) at the start."""
    if note.step is not None:
        find_step(document, note.step)
    return checked(document.model_copy(update={"notes": (*document.notes, note)}))


def update_note(
    document: FlowDocument, *, note_id: uuid.UUID, text: str, colour: NoteColour, step: uuid.UUID | None
) -> FlowDocument:
    """Change what a note says, its colour, and the step that it is at."""
    if step is not None:
        find_step(document, step)
    change = {"text": text, "colour": colour, "step": step}
    return _changed(document, note_id, lambda note: (note.model_copy(update=change),))


def remove_note(document: FlowDocument, *, note_id: uuid.UUID) -> FlowDocument:
    """Take a note off."""
    return _changed(document, note_id, lambda _: ())


def find_note(document: FlowDocument, note_id: uuid.UUID) -> Note:
    """Return a note; raise IllegalEdit where it is gone."""
    for note in document.notes:
        if note.id == note_id:
            return note
    raise IllegalEdit("That note is no longer in the flow.")


def _changed(
    document: FlowDocument, note_id: uuid.UUID, change: Callable[[Note], tuple[Note, ...]]
) -> FlowDocument:
    find_note(document, note_id)
    notes = tuple(new for note in document.notes for new in (change(note) if note.id == note_id else (note,)))
    return checked(document.model_copy(update={"notes": notes}))
