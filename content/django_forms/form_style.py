"""The look of a form's page: the brand's, our own, or colours that can be read on each other."""

from __future__ import annotations

from typing import Any

from django import forms

from content.brand import FONTS
from content.colours import contrast
from content.django_forms.brand import RADII, READABLE, ColourField
from content.forms.document import FormStyle


class StyleForm(forms.Form):
    """Look, colours, font and corners. Colours count where the look is one's own."""

    look = forms.ChoiceField(
        label="Look",
        choices=[("brand", "Our brand"), ("own", "Colours of its own"), ("house", "Plain, light or dark")],
        widget=forms.RadioSelect,
    )
    accent = ColourField(label="Accent", help_text="The button and links.")
    background = ColourField(label="Background", help_text="Around the form.")
    surface = ColourField(label="Sheet", help_text="Behind the fields.")
    ink = ColourField(label="Text")
    font = forms.ChoiceField(label="Font", choices=[(name, label) for name, (label, _) in FONTS.items()])
    radius = forms.TypedChoiceField(label="Corners", choices=RADII, coerce=int)

    def clean(self) -> dict[str, Any]:
        """Refuse text that nobody could read."""
        given = super().clean() or self.cleaned_data
        if given.get("look") == "own":
            for ground in ("surface", "background"):
                if {"ink", ground} <= given.keys() and contrast(given["ink"], given[ground]) < READABLE:
                    self.add_error("ink", f"This cannot be read on the {self.fields[ground].label.lower()}.")  # type: ignore[union-attr]
        return given

    def style(self) -> FormStyle:
        """Return what the valid form says."""
        return FormStyle.model_validate(self.cleaned_data)
