"""Finds contacts by the words of a search, to narrow participants by them."""

from __future__ import annotations

from typing import Any

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.search import search_words

MOST = 5_000

# `^@` keeps the index of search words under row-level security.
_ONE_WORD = """(
    SELECT object_id FROM crm_searchword WHERE tenant_id = %s AND kind = 'contact' AND word ^@ %s
    UNION
    SELECT c.id FROM crm_searchword s JOIN crm_contact c ON c.tenant_id = s.tenant_id AND c.company_id = s.object_id
    WHERE s.tenant_id = %s AND s.kind = 'company' AND s.word ^@ %s
)"""


def contacts_matching(search: str) -> list[int]:
    """Return the ids of contacts that every word of the search finds, by their own or their company's words.

    At most MOST of them: who searches among participants looks for somebody.
    """
    words = search_words(search)[:6]
    if not words:
        return []
    tenant_id = require_tenant_id()
    parameters: list[Any] = []
    for word in words:
        parameters += [tenant_id, word, tenant_id, word]
    sql: Any = " INTERSECT ".join([_ONE_WORD] * len(words)) + " LIMIT %s"
    with raw_cursor() as cursor:
        cursor.execute(sql, [*parameters, MOST])
        return [row[0] for row in cursor.fetchall()]
