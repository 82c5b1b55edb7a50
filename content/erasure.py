"""Content is written for everybody: links and versions hold merge tags, never a person's values. What people sent by
forms is theirs."""

from __future__ import annotations

from core.erasure import EMPTY, NO_DATA, Place, Room

_WRITTEN = ("subject", "preheader", "mjml", "text")
ERASURE = Room(
    (
        Place("content_email", ("name", "language", *_WRITTEN)),
        Place("content_emailvariant", ("language", *_WRITTEN)),
        Place("content_emailversion", ("html", "custom_keys", "language", *_WRITTEN)),
        Place("content_smsversion", ("source", "text", "variants", "links", "custom_keys")),
        Place("content_noticeversion", ("subject", "text", "custom_keys")),
        Place("content_brand", ("accent", "background", "surface", "ink", "font", "website", "social")),
        Place("content_image", ("name", "alt", "format", "digest")),
        Place("content_imagedata", ("data",)),
        Place("content_storedfile", ("digest",)),
        Place("content_storedpiece", ("data",)),
        Place("content_attachment", ("name", "kind")),
        Place("content_script", ("name", "description")),
        Place("content_scriptversion", ("source",)),
        # A script may say of the person what it likes.
        Place(
            "content_scriptfailure",
            ("origin", "cause"),
            {"message": EMPTY},
            "t.contact_id = %(contact)s::bigint",
        ),
        Place("content_webhookversion", ("definition", "custom_keys")),
        Place("content_emaillock", ("flow_name", "url")),
        Place("content_messagelink", ("url", "label")),
        Place("content_form", ("name", "document")),
        # Nobody's: how far somebody came, never who.
        Place("content_formvisit", ("place", "site", "field")),
        # Before the submissions, which say whose they are.
        Place(
            "content_formfile",
            ("key", "kind"),
            {"name": EMPTY, "data": "''::bytea"},
            "t.submission_id IN (SELECT s.id FROM content_formsubmission s WHERE s.tenant_id = t.tenant_id"
            " AND (s.contact_id = %(contact)s::bigint OR s.email_norm = ANY(%(addresses)s::text[])))",
        ),
        # Open ones are over: nothing can come of answers that are gone.
        Place(
            "content_formsubmission",
            ("wording",),
            {
                "answers": NO_DATA,
                "email_norm": EMPTY,
                "ip_hash": EMPTY,
                "error": EMPTY,
                "status": "CASE WHEN t.status IN ('processed', 'rejected') THEN t.status ELSE 'rejected' END",
            },
            "t.contact_id = %(contact)s::bigint OR t.email_norm = ANY(%(addresses)s::text[])",
        ),
        Place("content_trackedlink", ("name", "key", "folder", "shows", "url", "heading", "text", "actions")),
    )
)
