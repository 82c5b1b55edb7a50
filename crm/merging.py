"""What of the CRM moves when contacts are merged. Of two consents for a purpose the newest record counts, whoever's it
was; an opt-out on either side stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

from core.merging import Move, Pair, Room

# The newest wins; of two at one moment the withdrawal.
_OLDER_CONSENTS = """
DELETE FROM crm_consent t USING crm_consent o
WHERE t.tenant_id = %(tenant)s::bigint AND o.tenant_id = t.tenant_id AND o.purpose_id = t.purpose_id
  AND ((t.contact_id = %(kept)s::bigint AND o.contact_id = %(gone)s::bigint
        AND (o.at > t.at OR (o.at = t.at AND NOT o.given AND t.given)))
    OR (t.contact_id = %(gone)s::bigint AND o.contact_id = %(kept)s::bigint
        AND (o.at > t.at OR (o.at = t.at AND (NOT o.given OR t.given)))))
"""
_CONSENTS = """
SELECT p.name, k.given, g.given, g.at > k.at OR (g.at = k.at AND NOT g.given)
FROM crm_consent k
JOIN crm_consent g ON g.tenant_id = k.tenant_id AND g.purpose_id = k.purpose_id AND g.contact_id = %(gone)s::bigint
JOIN crm_consentpurpose p ON p.tenant_id = k.tenant_id AND p.id = k.purpose_id
WHERE k.tenant_id = %(tenant)s::bigint AND k.contact_id = %(kept)s::bigint AND k.given <> g.given
ORDER BY p.id
"""


def _keep_newest(cursor: psycopg.Cursor[Any], pair: Pair) -> None:
    cursor.execute(_OLDER_CONSENTS, pair.parameters())


def _losses(cursor: psycopg.Cursor[Any], pair: Pair) -> Sequence[str]:
    cursor.execute(_CONSENTS, pair.parameters())
    lines = []
    for name, kept, gone, newer in cursor.fetchall():
        counts = gone if newer else kept
        said = "given" if counts else "withdrawn"
        lines.append(f"Consent for {name}: the newest record counts, which says {said}.")
    return lines


MERGING = Room(
    (
        Move("crm_contactfieldvalue", drop=True),
        Move("crm_contactinterest", drop=True),
        Move("crm_selectionmember", once_by=("selection_id",), label=("selection", "selections")),
        Move("crm_projectmember", once_by=("project_id",), label=("project", "projects")),
        Move("crm_consent"),
        Move("crm_consentchange", label=("record of consent", "records of consent")),
        Move("crm_subscriptionoptout", once_by=("type_id",), label=("opt-out", "opt-outs")),
        Move("crm_sale", label=("sale", "sales")),
        Move("crm_request", label=("request", "requests")),
        Move("crm_followup", label=("follow-up", "follow-ups")),
        Move("crm_notification"),
        Move("crm_event", label=("line of the timeline", "lines of the timeline")),
        Move("crm_eventinbox"),
        Move("crm_mergedcontact"),
    ),
    first=_keep_newest,
    losses=_losses,
)
