"""Layouts to begin an email with. Files of this folder; a test compiles each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.kinds import KindTable

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Starter:
    """A layout with its name in the menu."""

    name: str
    label: str
    description: str
    subject: str

    @cached_property
    def mjml(self) -> str:
        """The source."""
        return (_FOLDER / f"{self.name}.mjml").read_text()


STARTERS: KindTable[Starter] = KindTable(
    "starter",
    [
        Starter("letter", "Letter", "Plain text from one person to another", "A word from {{ tenant.name }}"),
        Starter(
            "welcome", "Welcome", "A coloured head, two steps and a button",
            'Welcome, {{ contact.first_name|default("good to see you") }}',
        ),
        Starter("news", "Newsletter", "One story ahead, two beside each other", "{{ tenant.name }} news"),
        Starter("invitation", "Invitation", "When and where, and a button to sign up", "You are invited"),
        Starter("reminder", "Reminder", "How to join, the day before", "Tomorrow: name of your event"),
        Starter("offer", "Offer", "A coloured head and two products with prices", "Twenty per cent off until Sunday"),
        Starter("announcement", "Announcement", "What is new, and three reasons", "What is new, in one line"),
        Starter("thanks", "Thank you", "A thank-you and one question", "Thank you"),
    ],
)  # fmt: skip
