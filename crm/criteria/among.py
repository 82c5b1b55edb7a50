"""Expressions of criteria asked of contacts with given ids, at one cost whatever the planner knows of their tenant.

Must not know what is asked.
"""

from __future__ import annotations

import re

# Contacts by their ids: takes the ids, each once, and the tenant, in this order. Each row comes by a look-up of its own
# key, which OFFSET 0 keeps from becoming a join: the planner expects one row in a tenant that its statistics do not
# know, and would go through all contacts, or companies, once for each id.
_THESE = """unnest(%s::bigint[]) AS asked(contact_id)
JOIN LATERAL (SELECT * FROM crm_contact WHERE id = asked.contact_id AND tenant_id = %s OFFSET 0) c ON TRUE"""
_THEIR_COMPANY = """
LEFT JOIN LATERAL (
    SELECT * FROM crm_company WHERE id = c.company_id AND tenant_id = c.tenant_id OFFSET 0
) co ON TRUE"""


def these(expressions: str) -> str:
    """Return what to select such expressions over `c` and `co` from for contacts with given ids, whatever the planner
    knows of their tenant. Takes the ids, each once, and the tenant."""
    return _THESE + (_THEIR_COMPANY if re.search(r"\bco\.", expressions) else "")


def those_who(expression: str) -> str:
    """Return a SELECT of the contacts among given ids for whom an expression of `compile_criteria` holds. Takes the
    ids, each once, the tenant, and the expression's parameters."""
    # In a CASE an EXISTS stays a question for each contact, or one hashed answer; joined it has the same trouble.
    return f"SELECT c.id FROM {these(expression)} WHERE CASE WHEN {expression} THEN TRUE ELSE FALSE END"
