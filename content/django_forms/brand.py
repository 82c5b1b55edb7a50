"""The form of the brand: colours that can be read, addresses that can be followed."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError

from content.brand import FONTS, NETWORKS, BrandValues
from content.colours import COLOUR, contrast
from content.links import link_problem
from content.models import Image

RADII = [(0, "Square"), (4, "A little round"), (6, "Round"), (12, "Very round"), (24, "Pills")]
READABLE = 4.5


class ColourField(forms.CharField):
    """A colour as "#rrggbb", chosen in the browser's own picker."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"type": "color"}), max_length=7, **options)

    def clean(self, value: Any) -> str:
        """Return the colour in small letters."""
        colour = str(super().clean(value)).lower()
        if not COLOUR.fullmatch(colour):
            raise ValidationError("Write a colour as # and six digits, such as #0a5e49.")
        return colour


class WebField(forms.CharField):
    """An address that begins with https://, or nothing."""

    def __init__(self, **options: Any) -> None:
        widget = forms.URLInput(attrs={"placeholder": "https://"})
        super().__init__(required=False, max_length=300, widget=widget, **options)

    def clean(self, value: Any) -> str:
        """Return an address that an email may link to."""
        address = str(super().clean(value)).strip()
        problem = link_problem(address) if address else None
        if address and (problem or not address.lower().startswith(("https://", "http://")) or "{" in address):
            raise ValidationError(problem or "Write a whole address that begins with https://.")
        return address


class BrandForm(forms.Form):
    """What the brand page holds. A field for each network is added to these."""

    accent = ColourField(label="Accent", help_text="Buttons, coloured bands and links.")
    background = ColourField(label="Background", help_text="Around the mail.")
    surface = ColourField(label="Sheet", help_text="Behind the text.")
    ink = ColourField(label="Text")
    font = forms.ChoiceField(
        label="Font",
        choices=[(name, label) for name, (label, _) in FONTS.items()],
        help_text="Mail programs show only what is installed at the reader's.",
    )
    radius = forms.TypedChoiceField(label="Corners of buttons", choices=RADII, coerce=int)
    logo: forms.ModelChoiceField[Image] = forms.ModelChoiceField(
        None, label="Logo", required=False, empty_label="None", help_text="One of the images."
    )
    website = WebField(label="Website", help_text="Where a logo leads.")
    postal_address = forms.CharField(
        label="Postal address",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="In the footer of every marketing email; many countries require it.",
    )

    def __init__(self, *args: Any, may_change_address: bool, **options: Any) -> None:
        super().__init__(*args, **options)
        logo = cast("forms.ModelChoiceField[Image]", self.fields["logo"])
        logo.queryset = Image.objects.order_by("name", "pk")
        for name, (label, _) in NETWORKS.items():
            self.fields[f"on_{name}"] = WebField(label=label)
        if not may_change_address:
            self.fields["postal_address"].disabled = True
            self.fields["postal_address"].help_text = "An administrator can change it."

    @property
    def networks(self) -> list[forms.BoundField]:
        """The fields of the networks."""
        return [self[f"on_{name}"] for name in NETWORKS]

    @staticmethod
    def initial_of(values: BrandValues, postal_address: str) -> dict[str, Any]:
        """Return what the form shows for a brand."""
        own = {
            name: getattr(values, name)
            for name in ("accent", "background", "surface", "ink", "font", "radius")
        }
        social = {f"on_{name}": address for name, address in values.social}
        return {
            **own,
            **social,
            "website": values.website,
            "logo": values.logo,
            "postal_address": postal_address,
        }

    def clean(self) -> dict[str, Any]:
        """Refuse text that cannot be read on what is behind it."""
        data = super().clean() or {}
        ink = data.get("ink")
        for behind, place in (("surface", "sheet"), ("background", "background")):
            if ink and data.get(behind) and contrast(ink, data[behind]) < READABLE:
                found = contrast(ink, data[behind])
                self.add_error(
                    "ink", f"Hard to read on the {place}: contrast {found:.1f}, at least {READABLE}."
                )
        return data

    def values(self) -> BrandValues:
        """Return the brand that was chosen."""
        data = self.cleaned_data
        social = tuple((name, data[f"on_{name}"]) for name in NETWORKS if data[f"on_{name}"])
        return BrandValues(
            accent=data["accent"], background=data["background"], surface=data["surface"], ink=data["ink"],
            font=data["font"], radius=data["radius"], logo=data["logo"], website=data["website"], social=social,
        )  # fmt: skip
