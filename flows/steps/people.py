"""Users that steps name: our contact or service contact of a contact, or one user, with a fallback.

A step never fails for want of a user: whoever is missing or inactive gives way to the step's fallback user, and that
one (none chosen, or inactive too) to the flow's owner. A user whom the step itself names and who left is represented by
their successor (accounts.stand_ins).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from django import forms

from accounts.stand_ins import CHAIN, stand_ins
from flows.steps.base import CheckContext, Cohort, Problem, Reference, StepContext
from flows.steps.forms import offer, to_number

Role = Literal["our_contact", "service_contact"]
Who = Literal["our_contact", "service_contact", "named"]

ROLES: dict[str, str] = {"our_contact": "Our contact", "service_contact": "Service contact"}
WHO: dict[str, str] = {**ROLES, "named": "One user"}

# Our contact belongs to the company where there is one (spec §7); the service contact to the contact itself.
_COLUMN: dict[str, str] = {
    "our_contact": "CASE WHEN c.company_id IS NULL THEN c.our_contact_id ELSE co.our_contact_id END",
    "service_contact": "c.service_contact_id",
}
_ACTIVE = (
    "FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id "
    "WHERE m.tenant_id = %s::bigint AND m.is_active AND u.is_active"
)


def users_of(ctx: StepContext, cohort: Cohort, role: Role, fallback: int | None) -> dict[int, int]:
    """Return the user of each participant of the cohort by participant id, in one statement."""
    ctx.cursor.execute(
        f"""
        SELECT c.id, coalesce(
            (SELECT w.who WHERE EXISTS (SELECT 1 {_ACTIVE} AND m.user_id = w.who)), f.who, %s::bigint)
        FROM crm_contact c
        LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
        CROSS JOIN LATERAL (SELECT {_COLUMN[role]} AS who) w
        CROSS JOIN (SELECT (SELECT there.who FROM ({CHAIN}) there) AS who) f
        WHERE c.tenant_id = %s::bigint AND c.id = ANY(%s::bigint[])
        """,
        [
            ctx.tenant_id,
            ctx.owner_id,
            *(ctx.tenant_id, [] if fallback is None else [fallback], ctx.tenant_id),
            *(ctx.tenant_id, cohort.contact_ids),
        ],
    )
    found = dict(ctx.cursor.fetchall())
    return {traveller.id: found.get(traveller.contact_id, ctx.owner_id) for traveller in cohort}


def chosen_users(
    ctx: StepContext, cohort: Cohort, *, who: Who, user: int | None, fallback: int | None
) -> dict[int, int]:
    """Return the user of each participant where a step may also name one user. One statement."""
    if who != "named":
        return users_of(ctx, cohort, who, fallback)
    there = stand_ins(ctx.cursor, tenant_id=ctx.tenant_id, user_ids=[user, fallback])
    taken = next((there[one] for one in (user, fallback) if one in there), ctx.owner_id)
    return {traveller.id: taken for traveller in cohort}


def active_or_owner(ctx: StepContext, user: int | None) -> int:
    """Return a user where active here, or who stands in, else the flow's owner."""
    there = stand_ins(ctx.cursor, tenant_id=ctx.tenant_id, user_ids=[user])
    return ctx.owner_id if user is None else there.get(user, ctx.owner_id)


# --- settings, forms, checks --------------------------------------------------------------------------------------


def who_field(label: str = "Assign to", *, named: bool = True) -> forms.ChoiceField:
    """Return the form field `who`."""
    return forms.ChoiceField(label=label, choices=list((WHO if named else ROLES).items()))


def user_field(label: str = "User", *, help_text: str = "") -> forms.TypedChoiceField:
    """Return a form field for one user; `prepare_users` fills it in."""
    return forms.TypedChoiceField(
        label=label, required=False, coerce=to_number, empty_value=None, help_text=help_text
    )


def fallback_field() -> forms.TypedChoiceField:
    """Return the form field `fallback_user`."""
    return user_field(
        "If there is nobody", help_text="Or that user is inactive. Left empty: the flow's owner."
    )


def prepare_users(form: forms.Form, **empty: str) -> None:
    """Give user fields of a form the active members: prepare_users(form, user="Choose…")."""
    for name, first in empty.items():
        offer(form, name, "user", empty=first)


def user_problems(
    ctx: CheckContext, *, who: str, user: int | None, fallback: int | None, place: str = "user"
) -> list[Problem]:
    """A named user must be chosen and active; an inactive fallback gives way to the owner, so it is a warning."""
    found = []
    if who == "named" and user is None:
        found.append(Problem("Choose a user", place=place))
    elif who == "named" and ctx.name("user", user) is None:
        found.append(Problem("The user is not active any more: choose another", place=place))
    if fallback is not None and ctx.name("user", fallback) is None:
        text = "The fallback user is not active any more: the flow's owner is used"
        found.append(Problem(text, place="fallback_user", is_warning=True))
    return found


def user_references(*, who: str, user: int | None, fallback: int | None) -> Iterable[Reference]:
    """Yield the users that a step names."""
    if who == "named" and user is not None:
        yield Reference("user", user)
    if fallback is not None:
        yield Reference("user", fallback)


def who_text(ctx: CheckContext, *, who: str, user: int | None) -> str:
    """Return whom a step names, for its card: `our contact`, `Alice Wong`."""
    if who != "named":
        return WHO[who].lower()
    return ctx.name("user", user) or "nobody chosen"
