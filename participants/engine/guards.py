"""The checks before every step, in their order, one SQL for a whole cohort (docs/state-machines.md).

Everyone: still active (the claim), success met, former employee or erased, on the exclusion list.
Email also: consent, subscription, an address, not the same address twice, address not blocked.
Each verdict keeps the values it saw.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from crm.criteria.among import those_who
from crm.models.consent import E_MARKETING
from flows.document import FlowDocument
from participants.engine.guards_address import Held, addresses_held
from participants.engine.moving import Moving
from participants.models import Participant
from participants.success import NEVER, success_sql
from participants.success_events import Happened, Inside, event_rules, met_already

Reason = Participant.DropReason


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why one participant may not act, with the values seen."""

    reason: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class GuardResult:
    """Who failed why (by participant id), and who has met the success criterion, and when."""

    failed: dict[int, Verdict] = field(default_factory=dict)
    succeeded: dict[int, dt.datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GuardContext:
    """What the guards of one batch need beside the cohort."""

    tenant_id: int
    flow_id: int
    document: FlowDocument
    now: dt.datetime
    consent_required: bool

    @property
    def override(self) -> bool:
        """Whether consent and subscription are lifted."""
        return self.document.settings.messages.override_consent

    @property
    def asks_consent(self) -> bool:
        """Whether there must be a valid consent."""
        return self.consent_required and not self.override

    def moment(self, at: dt.datetime | None) -> str | None:
        """Return a moment as verdicts keep it: in the flow's timezone."""
        return (
            None if at is None else at.astimezone(self.document.settings.zone).isoformat(timespec="minutes")
        )


_GONE = """
SELECT id, former_employee, deleted_at FROM crm_contact
WHERE tenant_id = %s AND id = ANY(%s::bigint[]) AND (former_employee OR deleted_at IS NOT NULL)
"""
_EXCLUDED = """
SELECT DISTINCT ON (contact_id) contact_id, selection_id, added_at FROM crm_selectionmember
WHERE tenant_id = %s AND selection_id = ANY(%s::bigint[]) AND contact_id = ANY(%s::bigint[])
ORDER BY contact_id, selection_id
"""


def check_everyone(
    cursor: psycopg.Cursor[Any],
    cohort: Sequence[Moving],
    ctx: GuardContext,
    *,
    caused: Callable[[], Iterable[Happened]],
) -> GuardResult:
    """Judge checks 2 to 4 for a cohort; those who pass are not named. A query for each check that the flow needs,
    whatever the cohort's size. `caused` gives the events of this batch that are not written yet."""
    contacts = [m.contact_id for m in cohort]
    result = GuardResult(
        succeeded=_succeeded(cursor, [m for m in cohort if m.success_at is None], ctx, caused)
    )
    failed: dict[int, Verdict] = {}
    if ctx.document.settings.exclusions:
        cursor.execute(_EXCLUDED, [ctx.tenant_id, list(ctx.document.settings.exclusions), contacts])
        failed |= {
            row[0]: Verdict(Reason.EXCLUDED, {"selection": row[1], "at": ctx.moment(row[2])})
            for row in cursor
        }
    cursor.execute(_GONE, [ctx.tenant_id, contacts])
    for contact_id, former, deleted_at in cursor:
        failed[contact_id] = (
            Verdict(Reason.FORMER_EMPLOYEE, {"former_employee": True})
            if former
            else Verdict(Reason.CONTACT_DELETED, {"deleted": True, "at": ctx.moment(deleted_at)})
        )
    if failed:
        result.failed = {m.id: failed[m.contact_id] for m in cohort if m.contact_id in failed}
    return result


def _succeeded(
    cursor: psycopg.Cursor[Any],
    cohort: Sequence[Moving],
    ctx: GuardContext,
    caused: Callable[[], Iterable[Happened]],
) -> dict[int, dt.datetime]:
    """Return who of those without the mark has met a criterion: an event as it happened, a state now."""
    if not cohort:
        return {}
    met: dict[int, dt.datetime] = {}
    success, params = success_sql(ctx.document, now=ctx.now)
    if success != NEVER:
        sql: Any = those_who(success)
        cursor.execute(sql, [[m.contact_id for m in cohort], ctx.tenant_id, *params])
        holds = {row[0] for row in cursor}
        met = {m.id: ctx.now for m in cohort if m.contact_id in holds}
    rules = event_rules(ctx.document)
    if rules:
        people = [
            Inside(m.id, m.contact_id, m.company_id, m.enrolled_at, (m.event_data or {}).get("event_id"))
            for m in cohort
        ]
        met |= met_already(cursor, rules, people, caused())
    return met


# Each row by a look-up of its own key (OFFSET 0 keeps it one), as in crm.criteria.among; `+ 0` keeps out the
# indexes that would find everybody with that purpose or type.
_EMAIL = """
SELECT t.participant_id, c.email_norm, shares.address, consent.given, consent.at, optout.type_id, optout.at,
       blocked.reason, blocked.at
FROM unnest(%(ids)s::bigint[], %(contacts)s::bigint[], %(enrolled)s::timestamptz[])
     AS t(participant_id, contact_id, enrolled_at)
JOIN LATERAL (
    SELECT id, tenant_id, email_norm FROM crm_contact WHERE id = t.contact_id AND tenant_id = %(tenant)s OFFSET 0
) c ON TRUE
LEFT JOIN LATERAL (
    SELECT given, at FROM crm_consent
    WHERE tenant_id = c.tenant_id AND contact_id = c.id AND purpose_id + 0 = %(purpose)s OFFSET 0
) consent ON TRUE
LEFT JOIN LATERAL (
    SELECT id, type_id, at FROM crm_subscriptionoptout
    WHERE tenant_id = c.tenant_id AND contact_id = c.id AND type_id + 0 = %(type)s OFFSET 0
) optout ON TRUE
LEFT JOIN LATERAL (
    SELECT id, reason, at FROM delivery_blockedaddress
    WHERE tenant_id = c.tenant_id AND address_norm = c.email_norm OFFSET 0
) blocked ON TRUE
LEFT JOIN LATERAL (
    SELECT TRUE AS address FROM crm_contact
    WHERE tenant_id = c.tenant_id AND email_norm = c.email_norm AND email_norm <> '' AND id <> c.id LIMIT 1
) shares ON TRUE
WHERE (%(ask_consent)s AND consent.given IS NOT TRUE) OR (NOT %(override)s AND consent.given IS FALSE)
   OR (NOT %(override)s AND optout.id IS NOT NULL)
   OR c.email_norm = '' OR blocked.id IS NOT NULL OR shares.address IS NOT NULL
ORDER BY t.enrolled_at, t.participant_id
"""


def unwanted_verdict(
    consent: tuple[bool | None, dt.datetime | None],
    opted_out: tuple[int | None, dt.datetime | None],
    ctx: GuardContext,
) -> Verdict | None:
    """Judge checks 5 and 6, an email's and an SMS's alike: consent as it is now and when it was given or withdrawn,
    and the type that the contact opted out of, and when. A withdrawal counts also where consent is not asked for: only
    an override lifts it (docs/adr/0008)."""
    if ctx.override:
        return None
    given, at = consent
    if given is False or (ctx.asks_consent and not given):
        seen = {"consent": None if given is None else "withdrawn", "at": ctx.moment(at)}
        return Verdict(Reason.NO_CONSENT, seen)
    type_id, at = opted_out
    if type_id is not None:
        return Verdict(Reason.UNSUBSCRIBED, {"subscription_type": type_id, "at": ctx.moment(at)})
    return None


@dataclass(slots=True)
class EmailResult:
    """Who failed why (by participant id), and who is to be looked at again in a moment."""

    failed: dict[int, Verdict] = field(default_factory=dict)
    put_off: set[int] = field(default_factory=set)


def check_email(
    cursor: psycopg.Cursor[Any],
    cohort: Sequence[Moving],
    ctx: GuardContext,
    *,
    gone: Callable[[], set[int]],
    drops: bool,
) -> EmailResult:
    """Judge checks 5 to 9 for a cohort. `gone` gives the participants that have left in this batch, `drops` says
    whether the step drops who fails: neither counts as holding an address any more."""
    messages = ctx.document.settings.messages
    cursor.execute(
        "SELECT id FROM crm_consentpurpose WHERE tenant_id = %s AND key = %s", [ctx.tenant_id, E_MARKETING]
    )
    purpose = cursor.fetchone()
    cursor.execute(
        _EMAIL,
        {
            "ids": [m.id for m in cohort],
            "contacts": [m.contact_id for m in cohort],
            "enrolled": [m.enrolled_at for m in cohort],
            "tenant": ctx.tenant_id,
            "flow": ctx.flow_id,
            "purpose": purpose[0] if purpose else None,
            "type": messages.subscription_type,
            "ask_consent": ctx.asks_consent,
            "override": ctx.override,
        },
    )
    rows = cursor.fetchall()
    sharing = {row[0] for row in rows if row[2]}
    shared = [mover for mover in cohort if mover.id in sharing] if sharing else []
    held = addresses_held(cursor, shared, tenant_id=ctx.tenant_id, flow_id=ctx.flow_id)
    result, no_longer = EmailResult(), gone() if held else set()
    for row in rows:
        verdict = _email_verdict(row, ctx, held=held.get(row[0], Held()), gone=no_longer)
        if verdict is PUT_OFF:
            result.put_off.add(row[0])
        elif verdict is not None:
            result.failed[row[0]] = verdict
            if drops:
                no_longer.add(row[0])
    return result


# Not a verdict yet: another batch is moving somebody with the same address.
PUT_OFF: Final = Verdict("put_off", {})


def _email_verdict(row: Any, ctx: GuardContext, *, held: Held, gone: set[int]) -> Verdict | None:
    _, address, _, given, at, type_id, opted_out_at, blocked, blocked_at = row
    unwanted = unwanted_verdict((given, at), (type_id, opted_out_at), ctx)
    if unwanted is not None:
        return unwanted
    if not address:
        return Verdict(Reason.NO_EMAIL, {"email": ""})
    if held.unsettled:
        return PUT_OFF
    holder = held.holder(gone)
    if holder is not None:
        seen = {"participant": holder, "email": address, "got": held.got_by is not None}
        return Verdict(Reason.DUPLICATE_ADDRESS, seen)
    if blocked is not None:
        return Verdict(
            Reason.ADDRESS_BLOCKED, {"blocked": blocked, "email": address, "at": ctx.moment(blocked_at)}
        )
    return None
