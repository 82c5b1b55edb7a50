"""Editing a form's document: pure functions document → document, so every rule is tested without a page."""

from __future__ import annotations

import re
from typing import Any

from django.utils.text import slugify

from content.forms.document import COMPANY_NAME, KINDS, MOST_FIELDS, FieldKind, FormDocument, FormField
from crm.bulk import Target


class IllegalEdit(ValueError):
    """The edit is not possible; the message is for the user."""


def add_field(
    document: FormDocument,
    *,
    kind: FieldKind,
    label: str = "",
    target: Target | None = None,
    at: int | None = None,
    **more: Any,
) -> tuple[FormDocument, str]:
    """Add a field at a place, or at the end; return the document and the field's key.

    `target` None for a crm field: the company.
    """
    if len(document.fields) >= MOST_FIELDS:
        raise IllegalEdit(f"A form has at most {MOST_FIELDS} fields.")
    named, key_from = label.strip(), label.strip() or kind
    settings: dict[str, Any] = dict(more)
    if kind == "crm":
        settings["target"] = target.key if target else COMPANY_NAME
        if any(field.kind == "crm" and field.target == settings["target"] for field in document.fields):
            raise IllegalEdit("The form has this field already.")
        named = named or (target.label if target else "Company")
        key_from = settings["target"].rpartition(".")[2]
    key = _free_key(document, key_from)
    words = named or ("" if kind in {"page", "image"} else KINDS[kind])
    field = FormField(key=key, kind=kind, label=words[:200], **settings)
    return _placed(document, document.fields, field, at), key


def _placed(
    document: FormDocument, others: tuple[FormField, ...], field: FormField, at: int | None
) -> FormDocument:
    place = len(others) if at is None else max(0, min(at, len(others)))
    return _with(document, (*others[:place], field, *others[place:]))


def place_field(document: FormDocument, *, key: str, at: int | None) -> FormDocument:
    """Put a field where it is the `at`th one, counted from 0; beyond the end is the end."""
    position = _position(document, key)
    others = (*document.fields[:position], *document.fields[position + 1 :])
    return _placed(document, others, document.fields[position], at)


def copy_field(document: FormDocument, *, key: str) -> tuple[FormDocument, str]:
    """Put a copy behind a field, under a key of its own; a field of the contact stands in a form once."""
    position = _position(document, key)
    field = document.fields[position]
    if field.kind == "crm":
        raise IllegalEdit("The form has this field already.")
    if len(document.fields) >= MOST_FIELDS:
        raise IllegalEdit(f"A form has at most {MOST_FIELDS} fields.")
    new = field.model_copy(update={"key": _free_key(document, field.key)})
    return _placed(document, document.fields, new, position + 1), new.key


def change_field(document: FormDocument, *, key: str, **changes: Any) -> FormDocument:
    """Change a field's settings; its key, kind and target stay, because answers and flows know it by them."""
    position = _position(document, key)
    old = document.fields[position]
    new = FormField.model_validate({**old.model_dump(), **changes})
    return _with(document, (*document.fields[:position], new, *document.fields[position + 1 :]))


def move_field(document: FormDocument, *, key: str, by: int) -> FormDocument:
    """Move a field up (-1) or down (1); at the end it stays."""
    position = _position(document, key)
    other = position + by
    fields = list(document.fields)
    if 0 <= other < len(fields):
        fields[position], fields[other] = fields[other], fields[position]
    return _with(document, tuple(fields))


def remove_field(document: FormDocument, *, key: str) -> FormDocument:
    """Take a field out; what was answered to it stays in the submissions."""
    position = _position(document, key)
    return _with(document, (*document.fields[:position], *document.fields[position + 1 :]))


def _with(document: FormDocument, fields: tuple[FormField, ...]) -> FormDocument:
    return document.model_copy(update={"fields": fields})


def _position(document: FormDocument, key: str) -> int:
    for position, field in enumerate(document.fields):
        if field.key == key:
            return position
    raise IllegalEdit("This field is not in the form any more.")


def _free_key(document: FormDocument, text: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", slugify(text)).strip("_")[:30] or "field"
    stem = stem if stem[0].isalpha() else f"field_{stem}"[:30]
    taken = {field.key for field in document.fields}
    number, key = 1, stem
    while key in taken:
        number += 1
        key = f"{stem}_{number}"
    return key
