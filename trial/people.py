"""Who signs in to the demo tenant. Plain data: the runner prints it, the seed makes it. Must not import Django."""

from __future__ import annotations

from dataclasses import dataclass

TENANT_SLUG = "northwind"
TENANT_NAME = "Northwind Outdoor"
# The trial listens on this machine only; these are no secrets.
PASSWORD = "try-millrace-now"  # noqa: S105


@dataclass(frozen=True)
class Person:
    """One sign-in and what it is there to show."""

    first_name: str
    last_name: str
    role: str
    shows: str

    @property
    def email(self) -> str:
        """Return the sign-in."""
        return f"{self.first_name.lower()}@northwind.example"


ADMINISTRATOR = Person("Alice", "Berg", "Administrator", "everything: users, roles, lists, import")
MARKETER = Person("Mona", "Keller", "Flow administrator", "the marketer: plans, builds and runs flows")
WRITER = Person("Will", "Moreau", "Content writer", "writes the emails of flows")
REP = Person("Rita", "Santos", "Sales rep", "sees what her contacts got")
PEOPLE = (ADMINISTRATOR, MARKETER, WRITER, REP)
