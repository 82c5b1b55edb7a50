"""What the CRM keeps of a person. The contact stays as an empty tombstone; what hangs on it goes or is blanked."""

from __future__ import annotations

from core.erasure import EMPTY, NO_DATA, NO_LIST, NOTHING, Place, Room

ERASED = "'Erased'"
_OWN = "t.contact_id = %(contact)s::bigint"
_TYPED = {"value_text": NOTHING, "value_norm": NOTHING}
_WORDS = (
    "first_name", "last_name", "name_norm", "job_title", "email", "email_norm", "mobile", "phone", "country",
    "language", "timezone",
)  # fmt: skip
_CONTACT = dict.fromkeys(_WORDS, EMPTY)
_NO_LINKS = dict.fromkeys(
    ("company_id", "date_of_birth", "category_id", "business_id", "our_contact_id", "service_contact_id"),
    NOTHING,
)
_DATED = {
    "former_employee": "FALSE",
    "deleted_at": "%(now)s::timestamptz",
    "updated_at": "%(now)s::timestamptz",
}
_LISTED = """
    t.cells::text ILIKE ANY(%(mentions)s::text[]) OR t.value ILIKE ANY(%(mentions)s::text[])
    OR (%(name)s::text <> '' AND (t.cells ? %(name)s::text OR t.cells ?& %(names)s::text[]))
"""

# The words of a contact, and those of its sales' and requests' titles.
_FOUND_BY = """
    (t.kind = 'contact' AND t.object_id = %(contact)s::bigint)
    OR (t.kind = 'sale' AND t.object_id IN (SELECT s.id FROM crm_sale s
        WHERE s.tenant_id = t.tenant_id AND s.contact_id = %(contact)s::bigint))
    OR (t.kind = 'request' AND t.object_id IN (SELECT r.id FROM crm_request r
        WHERE r.tenant_id = t.tenant_id AND r.contact_id = %(contact)s::bigint))
"""

# Merging makes the same of the contact that goes.
TOMBSTONE = Place(
    "crm_contact", ("origin",), {**_CONTACT, **_NO_LINKS, **_DATED}, "t.id = %(contact)s::bigint"
)

ERASURE = Room(
    (
        TOMBSTONE,
        Place(
            "crm_mergedcontact",
            (),
            dict.fromkeys(("first_name", "last_name", "email", "email_norm", "mobile", "phone"), EMPTY),
            _OWN,
            delete=True,
        ),
        Place("crm_contactfieldvalue", (), _TYPED, _OWN, delete=True),
        Place("crm_contactinterest", (), {}, _OWN, delete=True),
        Place("crm_selectionmember", (), {}, _OWN, delete=True),
        Place("crm_projectmember", (), {}, _OWN, delete=True),
        Place("crm_subscriptionoptout", (), {"source": EMPTY}, _OWN, delete=True),
        Place("crm_consent", ("legal_basis",), {"source": EMPTY}, _OWN, delete=True),
        # That there was consent, and when, must stay provable.
        Place("crm_consentchange", ("legal_basis", "wording"), {"source": EMPTY}, _OWN),
        Place(
            "crm_searchword",
            ("kind",),
            {"word": EMPTY},
            _FOUND_BY,
            delete=True,
        ),
        Place("crm_event", ("kind", "origin", "object_key"), {"data": NO_DATA}, _OWN),
        Place("crm_eventinbox", ("kind",)),
        Place("crm_outsidename", ("name",)),
        # Other systems make up their keys: some will have an address in them.
        Place(
            "crm_outsidekey", ("digest",), {"key": EMPTY}, "t.key ILIKE ANY(%(mentions)s::text[])", delete=True
        ),
        Place(
            "crm_importissue",
            ("column", "reason"),
            {"value": EMPTY, "cells": NO_LIST},
            _LISTED,
        ),
        Place(
            "crm_contactimport",
            (
                "file_name", "path", "format", "encoding", "delimiter", "headers", "mapping", "options", "legal_basis",
                "source",
            ),
        ),
        # Amounts, types and dates stay for the sums; what was written about the person goes.
        Place(
            "crm_sale",
            ("currency", "status", "origin"),
            {"title": ERASED, "description": EMPTY, "reason": EMPTY},
            _OWN,
        ),
        Place("crm_request", ("status", "origin"), {"title": ERASED}, _OWN),
        Place(
            "crm_requestmessage",
            ("kind", "origin"),
            {"body": EMPTY},
            "t.request_id IN (SELECT r.id FROM crm_request r "
            "WHERE r.tenant_id = t.tenant_id AND r.contact_id = %(contact)s::bigint)",
        ),
        Place("crm_followup", ("kind", "status"), {"title": ERASED, "agenda": EMPTY}, _OWN),
        Place("crm_notification", ("kind",), {"text": EMPTY, "path": EMPTY}, _OWN, delete=True),
        Place("crm_saletype", ("name",)),
        Place("crm_salestage", ("name",)),
        Place("crm_requesttype", ("name",)),
        Place("crm_requestcategory", ("name", "rule")),
        Place("crm_requestpriority", ("name",)),
        Place("crm_diary", ("timezone", "hours")),
        Place("crm_awayperiod", ("note",)),
        Place("crm_company", ("name", "name_norm", "phone", "website", "country")),
        Place("crm_companyfieldvalue", ("value_text", "value_norm")),
        Place("crm_consentpurpose", ("key", "name")),
        Place("crm_subscriptiontype", ("name", "description")),
        Place("crm_customfield", ("key", "name", "on", "type")),
        Place("crm_listitem", ("list", "name", "name_norm")),
        Place("crm_selectionfolder", ("name",)),
        Place("crm_selection", ("name", "description", "kind", "criteria", "combine")),
        Place("crm_project", ("name", "description")),
        Place("crm_usage", ("used_kind", "user_kind", "user_name", "place", "url")),
        Place("crm_erasurekey", ("key",)),
        Place("crm_erasedaddress", ("digest",)),
    )
)  # fmt: skip
