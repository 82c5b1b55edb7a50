"""Reading one row: its cells as typed values, what had to be left out and why, or why it is rejected. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.text import norm_email
from crm import values as readers
from crm.bulk.targets import Target
from crm.importing.catalog import Catalog, ListKey
from crm.importing.mapping import COMPANY_NAME, CONSENT_KEY, EMAIL, FULL_NAME, ImportTarget
from crm.places import country_code, language_code, timezones

LONGEST_COMPANY = 200


@dataclass(frozen=True, slots=True)
class Issue:
    """What was wrong with a row: it was rejected, or (a warning) one of its cells left out."""

    row: int
    column: str
    reason: str
    value: str
    rejected: bool
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file and what it is read into."""

    index: int
    header: str
    into: ImportTarget


@dataclass(frozen=True, slots=True)
class Plan:
    """How rows are read. Dates like 03/04/2020 are day first unless `date_order` is mdy."""

    columns: tuple[Column, ...]
    width: int
    catalog: Catalog
    date_order: str = "dmy"
    country: str = ""

    def header_of(self, key: str) -> str:
        """Return the header of the column that is read into a field."""
        return next((column.header for column in self.columns if column.into.key == key), "")


@dataclass(slots=True)
class Row:
    """One row as read: `values` by target key, only what is not empty."""

    number: int
    cells: tuple[str, ...]
    email_norm: str = ""
    company: str = ""
    consent: bool | None = None
    values: dict[str, Any] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    rejected: bool = False

    def warn(self, column: str, reason: str, value: str) -> None:
        """Note what was left out."""
        self.issues.append(Issue(self.number, column, reason, value[:500], rejected=False, cells=self.cells))

    def reject(self, column: str, reason: str, value: str) -> None:
        """Reject the row for this reason alone."""
        self.issues = [Issue(self.number, column, reason, value[:500], rejected=True, cells=self.cells)]
        self.rejected = True


def read_row(cells: Sequence[str], number: int, plan: Plan) -> Row:
    """Return a row as read."""
    row = Row(number, tuple(cells))
    given = {
        column.into.key: (column, text)
        for column in plan.columns
        if column.index < len(cells) and (text := cells[column.index].strip())
    }
    if EMAIL in given:
        column, text = given[EMAIL]
        address = readers.read_email(text)
        if address is None:
            row.reject(column.header, "Not a valid email address", text)
            return row
        row.values[EMAIL], row.email_norm = address, norm_email(address)
    if not given.keys() & {EMAIL, FULL_NAME, "contact.first_name", "contact.last_name"}:
        row.reject("", "Neither an email address nor a name", "")
        return row
    if len(cells) > plan.width and any(cell.strip() for cell in cells[plan.width :]):
        row.warn("", "More cells than columns", " | ".join(cells[plan.width :]))
    country = _country(given, plan)
    for key, (column, text) in given.items():
        if key != EMAIL:
            _read_cell(row, column, text, plan, country)
    return row


def _country(given: dict[str, tuple[Column, str]], plan: Plan) -> str:
    column_text = given.get("contact.country") or given.get("company.country")
    return (country_code(column_text[1]) if column_text else None) or plan.country


def _read_cell(row: Row, column: Column, text: str, plan: Plan, country: str) -> None:
    key, target = column.into.key, column.into.target
    if key == COMPANY_NAME:
        row.company = _shortened(row, column, " ".join(text.split()), LONGEST_COMPANY)
    elif key == CONSENT_KEY:
        row.consent = readers.read_yes_no(text)
        if row.consent is None:
            row.warn(column.header, "Neither yes nor no", text)
    elif key == FULL_NAME:
        first, _, last = " ".join(text.split()).rpartition(" ")
        for name_key, part in (("contact.first_name", first), ("contact.last_name", last)):
            if part:
                row.values.setdefault(name_key, part[:100])
    elif target is not None:
        value = _read_value(row, column, target, text, plan, country)
        if value not in (None, "", frozenset()):
            row.values[key] = value


def _read_value(row: Row, column: Column, target: Target, text: str, plan: Plan, country: str) -> Any:
    if target.type == "text":
        if target.key == "contact.timezone":
            return _found(row, column, text if text in timezones() else None, text, "Not a known timezone")
        one_line = " ".join(text.split()) if target.custom_id is None else text
        return _shortened(row, column, one_line, target.longest)
    if target.type == "items":
        return _items(row, column, target, text, plan)
    reader, reason = _READERS[target.type]
    return _found(row, column, reader(target, text, plan, country), text, reason)


def _found(row: Row, column: Column, value: Any, text: str, reason: str) -> Any:
    if value is None:
        row.warn(column.header, reason, text)
    return value


def _shortened(row: Row, column: Column, text: str, longest: int) -> str:
    if len(text) > longest:
        row.warn(column.header, f"Cut off after {longest} characters", text)
    return text[:longest].rstrip()


def _items(row: Row, column: Column, target: Target, text: str, plan: Plan) -> frozenset[int]:
    found = set()
    for name in split_items(text):
        item = plan.catalog.item(list_key(target), name)
        if item is None:
            row.warn(column.header, "Not in the list", name)
        else:
            found.add(item)
    return frozenset(found)


def split_items(text: str) -> list[str]:
    """Return the names in a cell of several: between semicolons or bars, else between commas."""
    parts = re.split(r"[;|\n]", text) if re.search(r"[;|\n]", text) else text.split(",")
    return [part.strip() for part in parts if part.strip()]


def list_key(target: Target) -> ListKey:
    """Return which list a target's values are of."""
    return target.choices, target.custom_id


_Reader = Callable[[Target, str, Plan, str], Any]
_READERS: dict[str, tuple[_Reader, str]] = {
    "phone": (lambda _t, text, _p, country: readers.read_phone(text, country), "Not a phone number"),
    "url": (lambda _t, text, _p, _c: readers.read_url(text), "Not a web address"),
    "number": (lambda _t, text, _p, _c: readers.read_decimal(text), "Not a number"),
    "date": (lambda _t, text, plan, _c: readers.read_day(text, plan.date_order), "Not a date"),
    "bool": (lambda _t, text, _p, _c: readers.read_yes_no(text), "Neither yes nor no"),
    "item": (lambda target, text, plan, _c: plan.catalog.item(list_key(target), text), "Not in the list"),
    "user": (lambda _t, text, plan, _c: plan.catalog.user(text), "No such user"),
    "code": (
        lambda target, text, _p, _c: (country_code if target.choices == "country" else language_code)(text),
        "Not a known country or language",
    ),
}
