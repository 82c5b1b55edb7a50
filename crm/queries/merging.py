"""What the page that asks about merging two contacts shows: their fields side by side, what moves and what is lost."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.db.cursors import raw_cursor
from core.merging import Pair, counts, losses
from core.tenancy import require_tenant_id
from crm.bulk.state import load
from crm.bulk.targets import Target, targets
from crm.criteria.choices import names_of
from crm.models import Contact, MergedContact
from crm.places import COUNTRIES, LANGUAGES

COMPANY = "company"
INTERESTS = "contact.interests"


def comparable_targets() -> list[Target]:
    """Return the fields of a contact, its company's category, business and our contact among them. One query."""
    return [target for target in targets() if not target.is_company]


def seen_mark(*contacts: Contact) -> str:
    """Return what a page keeps of the two as it showed them, for merge_contacts to compare."""
    return " ".join(one.updated_at.isoformat() for one in contacts)


def pair_of(kept: Contact, gone: Contact, now: dt.datetime) -> Pair:
    """Return the two as the rooms want them."""
    return Pair(
        require_tenant_id(),
        kept.pk,
        gone.pk,
        now,
        tuple(sorted({kept.email_norm, gone.email_norm} - {""})),
        tuple(sorted({kept.mobile, gone.mobile} - {""})),
    )


@dataclass(frozen=True, slots=True)
class FieldPair:
    """A field in which the two differ: key, words for both values; `from_gone` where only the other has one."""

    key: str
    label: str
    kept: str
    gone: str
    from_gone: bool


@dataclass(frozen=True, slots=True)
class MergeView:
    """The two side by side."""

    differing: Sequence[FieldPair]
    alike: Sequence[tuple[str, str]]
    moves: Mapping[str, int]
    losses: Sequence[str]


def merge_view(kept: Contact, gone: Contact, now: dt.datetime) -> MergeView:
    """Return what differs, moves and is lost. A constant number of queries."""
    wanted = [target for target in comparable_targets() if _is_chosen(target, kept, gone)]
    pair = pair_of(kept, gone, now)
    with raw_cursor() as cursor:
        ids = sorted((kept.pk, gone.pk))
        state = load(cursor, tenant_id=pair.tenant_id, contact_ids=ids, targets=wanted, lock=False)
        moves, lost = counts(cursor, pair), losses(cursor, pair)
    one, other = state.contacts[kept.pk], state.contacts[gone.pk]
    words = _Words(wanted, [owner.get(target.key) for owner in (one, other) for target in wanted])
    differing, alike = [], []
    for key, label, mine, theirs in [
        (COMPANY, "Company", str(kept.company or ""), str(gone.company or "")),
        *((t.key, t.label, words.of(t, one.get(t.key)), words.of(t, other.get(t.key))) for t in wanted),
    ]:
        if mine == theirs:
            alike += [(label, mine)] if mine else []
        else:
            differing.append(FieldPair(key, label, mine, theirs, from_gone=not mine))
    return MergeView(differing, alike, moves, lost)


def _is_chosen(target: Target, kept: Contact, gone: Contact) -> bool:
    """Interests of both are kept; what belongs to a company follows the company."""
    if target.key == INTERESTS:
        return False
    return target.place != "shared" or (kept.company_id is None and gone.company_id is None)


class _Words:
    """Names for the ids among the values: two queries."""

    def __init__(self, wanted: Sequence[Target], values: Sequence[Any]) -> None:
        by_type: dict[str, set[int]] = {"item": set(), "user": set()}
        for target, value in zip([*wanted, *wanted], values, strict=True):
            if target.type in by_type and isinstance(value, int):
                by_type[target.type].add(value)
        self._names = names_of(by_type)

    def of(self, target: Target, value: Any) -> str:
        """Return the words for a value of a field."""
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if target.type in {"item", "user"}:
            return self._names.get(target.type, {}).get(value, "a value that is gone")
        if target.type == "code":
            return (COUNTRIES if target.choices == "country" else LANGUAGES).get(value, str(value))
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        return str(value)


def merged_into(contact_id: int) -> int | None:
    """Return the contact that this one was merged into, or None."""
    return MergedContact.objects.filter(merged_id=contact_id).values_list("contact_id", flat=True).first()
