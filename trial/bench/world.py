"""A throw-away tenant with as many contacts as a benchmark wants, made by SQL."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection

from accounts.models import Tenant, User
from accounts.operations import create_tenant
from core.clock import now
from core.tenancy import require_tenant_id
from crm.models import ConsentPurpose, ListItem, Selection
from crm.models.consent import E_MARKETING

# Rows of one statement: on a busy machine a million would run into the limit of 60 s for a statement of the app's role.
AT_ONCE = 50_000

CONTACTS = """
WITH made AS (
    INSERT INTO crm_contact (tenant_id, first_name, last_name, name_norm, job_title, email, email_norm, mobile, phone,
        country, language, timezone, category_id, former_employee, origin, created_at, updated_at)
    SELECT %(tenant)s, 'First' || n, 'Last' || n, 'first' || n || ' last' || n, 'Engineer',
           %(mark)s || n || '@bench.test', %(mark)s || n || '@bench.test', '', '',
           (ARRAY['NO','SE','DE','GB'])[1 + n %% 4], 'en', '', %(category)s, FALSE, 'import', %(now)s, %(now)s
    FROM generate_series(%(first)s, %(last)s) n
    RETURNING id
), agreed AS (
    INSERT INTO crm_consent (tenant_id, contact_id, purpose_id, given, legal_basis, source, at)
    SELECT %(tenant)s, id, %(purpose)s, TRUE, 'Consent', 'bench', %(now)s FROM made
)
INSERT INTO crm_selectionmember (tenant_id, selection_id, contact_id, added_at)
SELECT %(tenant)s, %(selection)s, id, %(now)s FROM made
"""


def make_tenant() -> tuple[Tenant, User]:
    """Return a new tenant, with what every tenant begins with, and a user."""
    mark = uuid.uuid4().hex[:10]
    tenant = create_tenant(
        slug=f"bench-{mark}", name="Bench", postal_address="Bench", from_email="b@bench.test", now=now()
    )
    user = User.objects.create_user(email=f"{mark}@bench.test")
    return tenant, user


def make_contacts(number: int, *, name: str, mark: str = "") -> Selection:
    """Add contacts with consent, all members of a new selection, to the open tenant; return the selection.

    Their addresses begin with `mark`, else with something that no other call gives.
    """
    selection = Selection.objects.create(name=name, created_at=now())
    values: dict[str, Any] = {
        "tenant": require_tenant_id(),
        "mark": mark or uuid.uuid4().hex[:8],
        "category": ListItem.objects.filter(list=ListItem.List.CATEGORY).order_by("pk")[0].pk,
        "now": now(),
        "purpose": ConsentPurpose.objects.get(key=E_MARKETING).pk,
        "selection": selection.pk,
    }
    with connection.cursor() as cursor:
        for first in range(1, number + 1, AT_ONCE):
            last = min(number, first + AT_ONCE - 1)
            cursor.execute(CONTACTS, {**values, "first": first, "last": last})
    return selection


def analyze() -> None:
    """Refresh the planner's statistics, as autovacuum would have after such a load; needs the owner's role."""
    from django.db import connections

    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")
    connections["owner"].close()
