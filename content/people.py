"""Contacts that an email may be previewed as: only those that the member may read."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Membership
from accounts.rights import DataObject, Reach
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.search import search_words

_LIMIT = 8
# The newest contacts where nothing is searched for; each word narrows by its prefix.
_FIND = """
SELECT c.id, btrim(c.first_name || ' ' || c.last_name), c.email, co.name
FROM crm_contact c LEFT JOIN crm_company co ON co.tenant_id = c.tenant_id AND co.id = c.company_id
WHERE c.tenant_id = %(tenant)s AND c.deleted_at IS NULL AND ({readable}) {words}
ORDER BY c.updated_at DESC, c.id DESC LIMIT %(limit)s
"""
_WORD = """ AND (EXISTS (SELECT 1 FROM crm_searchword w WHERE w.tenant_id = c.tenant_id AND w.kind = 'contact'
    AND w.object_id = c.id AND w.word ^@ %(word{n})s))"""
_OWN = "CASE WHEN co.id IS NULL THEN c.our_contact_id ELSE co.our_contact_id END = ANY(%(users)s::bigint[])"


@dataclass(frozen=True, slots=True)
class Someone:
    """A contact in the menu."""

    id: int
    name: str
    email: str
    company: str | None

    def __str__(self) -> str:
        return self.name or self.email or "A contact without a name"


def find_contacts(text: str, *, member: Membership, only: int | None = None) -> list[Someone]:
    """Return up to eight contacts whose name or address begins with every word of the text.

    `only` asks for one contact by its id: empty where there is none or the member may not read it.
    """
    reach = member.reach(DataObject.CONTACT, "read")
    if reach == Reach.NONE:
        return []
    words = search_words(text)[:5]
    parameters = {"tenant": require_tenant_id(), "limit": _LIMIT, "users": _users(member, reach)}
    parameters |= {f"word{n}": word for n, word in enumerate(words)}
    clauses = "".join(_WORD.format(n=n) for n in range(len(words)))
    if only is not None:
        clauses += " AND c.id = %(only)s"
        parameters["only"] = only
    with raw_cursor() as cursor:
        readable = "TRUE" if reach == Reach.ALL else _OWN
        cursor.execute(_FIND.format(readable=readable, words=clauses), parameters)
        return [Someone(*row) for row in cursor]


def _users(member: Membership, reach: str) -> list[int]:
    if reach == Reach.GROUP and member.group_id is not None:
        return list(Membership.objects.filter(group_id=member.group_id).values_list("user_id", flat=True))
    return [member.user_id]
