"""What a field of criteria is: a value of the contact, or rows about it that are counted, summed or looked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

FieldType = Literal["text", "number", "date", "bool", "list", "count"]
# What a list field's values are: where crm.criteria.choices finds their names.
Choices = Literal[
    "",
    "category",
    "business",
    "interest",
    "custom",
    "user",
    "country",
    "language",
    "selection",
    "project",
    "email",
    "form",
    "link",
    "flow",
    "sale_type",
    "request_type",
    "request_category",
    "follow_up_type",
]

CONTACT, COMPANY, MEMBERSHIP, CONSENT = "Contact", "Company", "Membership", "Consent and subscription"
ENGAGEMENT, HISTORY = "Engagement", "Flow history"
SALES, REQUESTS, FOLLOW_UPS = "Sales", "Requests", "Follow-ups"
GROUPS = (CONTACT, COMPANY, MEMBERSHIP, CONSENT, SALES, REQUESTS, FOLLOW_UPS, ENGAGEMENT, HISTORY)

# The events after which a value of the contact or its company may be another.
CHANGED = frozenset({"contact.created", "contact.updated"})


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows about the contact: `sql` is their FROM … WHERE over the aliases `c` and `co`, with its params.

    `which` is the column that a line's chosen things narrow ("" where nothing can be chosen), `at` the moment that
    a period looks at ("" where it cannot be asked), `day` the UTC day that partitions the table by it, `currency` the
    column that says what kind of money a sum is of.
    What is made of them: `any` (yes/no), `count`, or `sum` and `max` of the column `value`.
    """

    sql: str
    make: Literal["any", "count", "sum", "max"]
    params: tuple[Any, ...] = ()
    which: str = ""
    at: str = ""
    day: str = ""
    value: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `sql` is its value over the aliases; how that value compares is its `shape`.

    Shapes: row (text as it was typed), norm (text already normalised), email (normalised as an address), number,
    date, moment (timestamptz, judged as a day of the flow's zone), bool, ref (bigint), code (short text), members
    (sql is the FROM … WHERE of the contact's values, `member` the column that holds the value), rows (see Rows;
    `choices` are then the things that a line may narrow it to).

    `stored` are the columns of a value that has rows of its own: FROM … WHERE and the column, so that a line can ask
    for the row instead of reading the value of every contact. `kinds` are the events that may change the value.
    """

    key: str
    label: str
    group: str
    type: FieldType
    shape: str
    sql: str
    params: tuple[Any, ...] = ()
    choices: Choices = ""
    member: str = ""
    custom_id: int | None = None
    money: bool = False
    rows: Rows | None = None
    stored: tuple[str, str] | None = None
    kinds: frozenset[str] = CHANGED

    @property
    def is_multiple(self) -> bool:
        """Whether a contact may have several values."""
        return self.shape == "members"

    @property
    def asks_which(self) -> bool:
        """Whether a line may name the things that count; none named means any."""
        return self.rows is not None and bool(self.rows.which)

    @property
    def asks_days(self) -> bool:
        """Whether a line may look at the rows of a period only."""
        return self.rows is not None and bool(self.rows.at)

    @property
    def asks_currency(self) -> bool:
        """Whether a line must say the sums of which currency it means."""
        return self.rows is not None and bool(self.rows.currency)
