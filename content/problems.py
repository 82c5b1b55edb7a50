"""What is wrong with an email, and where: shown at its place, kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass

FIELDS = {
    "name": "Name",
    "subject": "Subject",
    "preheader": "Preheader",
    "mjml": "Content",
    "text": "Plain text",
    "attachments": "Attachments",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. Lines and columns count from 1; line 0 means the field as a whole."""

    field: str
    message: str
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """Return where, for people: "Content, line 3, column 12"."""
        label = FIELDS.get(self.field, self.field)
        if not self.line:
            return label
        if self.field in {"subject", "preheader", "name"}:
            return f"{label}, column {self.column}"
        return f"{label}, line {self.line}, column {self.column}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


def position(text: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 1, of an offset in text."""
    line = text.count("\n", 0, offset) + 1
    return line, offset - text.rfind("\n", 0, offset)


def problem_at(field: str, text: str, offset: int, message: str) -> Problem:
    """Return a problem at an offset of a field's text."""
    line, column = position(text, offset)
    return Problem(field=field, message=message, line=line, column=column)
