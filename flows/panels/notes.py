"""Panel of a sticky note: what it says, its colour, where it is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, QueryDict

from flows.document import FlowDocument, Note
from flows.editing.notes import find_note, update_note
from flows.editing.tree import IllegalEdit
from flows.operations.drafts import Change
from flows.panels.base import Panel
from flows.steps.forms import choose

COLOURS = [("yellow", "Yellow"), ("green", "Green"), ("blue", "Blue"), ("pink", "Pink")]


class NoteForm(forms.Form):
    """A note."""

    text = forms.CharField(label="Note", max_length=500, widget=forms.Textarea(attrs={"rows": 6}))
    colour = forms.ChoiceField(label="Colour", choices=COLOURS, widget=forms.RadioSelect)
    step = forms.ChoiceField(label="Where", required=False)

    def __init__(self, *, note: Note, document: FlowDocument, data: QueryDict | None = None) -> None:
        at = str(note.step) if note.step else ""
        super().__init__(data, initial={"text": note.text, "colour": note.colour, "step": at})
        # A new note is written at once; one that was applied leaves the focus where it is.
        self.fields["text"].widget.attrs["autofocus"] = not note.text
        steps = [(str(node.id), f"At “{node.title}”") for node in document.walk()]
        choose(self, "step", [("", "At the start of the flow"), *steps])


class NotePanel(Panel):
    """Settings of a note."""

    template = "flows/panel/note.html"
    heading = "Note"

    @property
    def note(self) -> Note:
        """The note; not found where it is gone."""
        try:
            return find_note(self.designer.document, self.id)
        except IllegalEdit:
            raise Http404 from None

    def form(self, data: QueryDict | None = None) -> NoteForm:
        """The note's form."""
        return NoteForm(note=self.note, document=self.designer.document, data=data)

    def context(self) -> dict[str, Any]:
        """The note."""
        return {"note": self.note}

    def change(self, form: NoteForm) -> Change:
        """Store text, colour and place."""
        given = form.cleaned_data
        step = next((n.id for n in self.designer.document.walk() if str(n.id) == given["step"]), None)
        return lambda document: update_note(
            document, note_id=self.id, text=given["text"], colour=given["colour"], step=step
        )

    def label(self, form: NoteForm) -> str:
        """Say that it was written."""
        return "wrote a note"
