"""The checks before an SMS step, in their order: consent, subscription, a valid mobile number, no STOP.

One SQL for a whole cohort; each verdict keeps the values it saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from crm.models.consent import E_MARKETING
from delivery.recheck import MOBILE
from participants.engine.guards import GuardContext, Verdict, unwanted_verdict
from participants.engine.moving import Moving
from participants.models import Participant

Reason = Participant.DropReason

# Each row by a look-up of its own key (OFFSET 0 keeps it one), as in crm.criteria.among; `+ 0` keeps out the
# indexes that would find everybody with that purpose or type.
_SMS = """
SELECT c.id, c.mobile, c.mobile ~ %(mobile)s, consent.given, consent.at, optout.type_id, optout.at, stop.at
FROM unnest(%(contacts)s::bigint[]) AS asked(contact_id)
JOIN LATERAL (
    SELECT id, tenant_id, mobile FROM crm_contact WHERE id = asked.contact_id AND tenant_id = %(tenant)s OFFSET 0
) c ON TRUE
LEFT JOIN LATERAL (
    SELECT given, at FROM crm_consent
    WHERE tenant_id = c.tenant_id AND contact_id = c.id
      AND purpose_id + 0 = (SELECT id FROM crm_consentpurpose WHERE tenant_id = %(tenant)s AND key = %(purpose)s)
    OFFSET 0
) consent ON TRUE
LEFT JOIN LATERAL (
    SELECT id, type_id, at FROM crm_subscriptionoptout
    WHERE tenant_id = c.tenant_id AND contact_id = c.id AND type_id + 0 = %(type)s OFFSET 0
) optout ON TRUE
LEFT JOIN LATERAL (
    SELECT id, at FROM delivery_smsoptout WHERE tenant_id = c.tenant_id AND number = c.mobile OFFSET 0
) stop ON TRUE
WHERE ((%(ask_consent)s AND consent.given IS NOT TRUE)
       OR (NOT %(override)s AND (consent.given IS FALSE OR optout.id IS NOT NULL))
       OR c.mobile !~ %(mobile)s OR stop.id IS NOT NULL)
"""


def check_sms(cursor: psycopg.Cursor[Any], cohort: Sequence[Moving], ctx: GuardContext) -> dict[int, Verdict]:
    """Judge the SMS checks for a cohort; those who pass are not named. STOP and a missing number no override lifts."""
    messages = ctx.document.settings.messages
    cursor.execute(
        _SMS,
        {
            "contacts": [mover.contact_id for mover in cohort],
            "tenant": ctx.tenant_id,
            "purpose": E_MARKETING,
            "type": messages.subscription_type,
            "mobile": MOBILE,
            "ask_consent": ctx.asks_consent,
            "override": ctx.override,
        },
    )
    found = {row[0]: _verdict(row, ctx) for row in cursor.fetchall()}
    return {mover.id: found[mover.contact_id] for mover in cohort if mover.contact_id in found}


def _verdict(row: Any, ctx: GuardContext) -> Verdict:
    _, mobile, is_mobile, given, at, type_id, opted_out_at, stopped_at = row
    unwanted = unwanted_verdict((given, at), (type_id, opted_out_at), ctx)
    if unwanted is not None:
        return unwanted
    if not is_mobile:
        return Verdict(Reason.NO_MOBILE, {"mobile": mobile})
    return Verdict(Reason.SMS_OPT_OUT, {"number": mobile, "at": ctx.moment(stopped_at)})
