"""The fields of the CRM that a form may be bound to: which there are, and the choices that each offers.

Read once for a whole form, so a page costs the same queries however many fields it has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language

from content.forms.document import COMPANY_NAME, FormDocument, FormField, may_be_asked
from content.image_urls import image_path
from content.models import Image
from core.texts import ENGLISH, countries_in, is_speaking, languages_in, sort_key
from crm.bulk import Change, Target, targets
from crm.bulk.targets import targets_by_key
from crm.criteria.choices import list_items
from crm.places import COUNTRIES, LANGUAGES

Choices = list[tuple[str, str]]
RATING: Choices = [(str(number), str(number)) for number in range(1, 6)]


@dataclass
class Bound:
    """The targets of one form's fields, and their choices."""

    targets: dict[str, Target]
    # Addresses of the pictures that the form shows, by id.
    pictures: dict[int, str] = field(default_factory=dict)
    _lists: dict[tuple[str, int | None], Choices] = field(default_factory=dict)

    @classmethod
    def of(cls, document: FormDocument) -> Bound:
        """Return what the form's fields are bound to; targets that are gone or not for forms are left out."""
        wanted = {one.target for one in document.fields if one.kind == "crm"} - {COMPANY_NAME, ""}
        found = targets_by_key(wanted)
        shown = {one.image for one in document.fields if one.kind == "image" and one.image is not None}
        pictures = (
            {image.pk: image_path(image) for image in Image.objects.filter(pk__in=shown)} if shown else {}
        )
        return cls({key: target for key, target in found.items() if may_be_asked(target)}, pictures)

    def picture(self, one: FormField) -> str:
        """Return the address of the picture that a field shows; "" where there is none."""
        return self.pictures.get(one.image, "") if one.kind == "image" and one.image is not None else ""

    def target(self, one: FormField) -> Target | None:
        """Return the target of a bound field, or None."""
        return self.targets.get(one.target) if one.kind == "crm" else None

    def choices(self, one: FormField) -> Choices:
        """Return (value, label) of a field that offers some, in order; retired values are not offered."""
        if one.kind in {"radio", "checkboxes", "dropdown"}:
            return [(option, option) for option in one.options]
        if one.kind == "rating":
            return RATING
        target = self.target(one)
        if target is None or target.type not in {"item", "items", "code"}:
            return []
        if target.type == "code":
            return _places(target.choices)
        key = (target.choices, target.custom_id)
        if key not in self._lists:
            items = list_items(target.choices, field_id=target.custom_id)
            self._lists[key] = [(item.value, item.name) for item in items if not item.retired]
        return self._lists[key]


def _places(choices: str) -> Choices:
    """Return countries or languages, named and sorted as the reader has them; ours in English where no one reads."""
    known, names = (COUNTRIES, countries_in) if choices == "country" else (LANGUAGES, languages_in)
    if not is_speaking():
        return list(known.items())
    language = get_language() or ENGLISH
    here, key = names(language), sort_key(language)
    return sorted(
        ((code, here.get(code, name)) for code, name in known.items()), key=lambda pair: key(pair[1])
    )


def bindable() -> list[tuple[str, Choices]]:
    """Return (group, [(key, label)]) of what a form's field may be bound to."""
    groups: dict[str, Choices] = {}
    for target in targets():
        if may_be_asked(target):
            groups.setdefault(target.group, []).append((target.key, target.label))
    groups.setdefault("Company", []).insert(0, (COMPANY_NAME, "Company"))
    return list(groups.items())


def changes_for(target: Target, value: Any, *, replace: bool = False) -> list[Change]:
    """Return the changes that an answer asks for; several choices are added unless they shall replace."""
    if target.type == "bool":
        return [Change(target.key, "yes" if value else "no")]
    if target.type == "items":
        return [Change(target.key, "replace" if replace else "add", tuple(value))]
    return [Change(target.key, "set", (str(value).strip(),))]


def shown(one: FormField, value: object, bound: Bound) -> str:
    """Return an answer as people read it: names for ids, words for yes and no."""
    names = dict(bound.choices(one))
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, (list, tuple)):
        return ", ".join(names.get(str(item), str(item)) for item in value)
    return names.get(str(value), str(value)) if value is not None else ""


def problems_of_targets(document: FormDocument, bound: Bound) -> Iterable[str]:
    """Yield which fields of the form are bound to something that is gone or not for forms."""
    for one in document.fields:
        if one.kind == "crm" and one.target not in {"", COMPANY_NAME} and one.target not in bound.targets:
            yield f"“{one.label or one.target}”: its field of the contact was deleted. Choose another."
