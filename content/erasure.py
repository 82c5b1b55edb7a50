"""Content is written for everybody: links and versions hold merge tags, never a person's values."""

from __future__ import annotations

from core.erasure import Place, Room

_WRITTEN = ("subject", "preheader", "mjml", "text")
ERASURE = Room(
    (
        Place("content_email", ("name", "language", *_WRITTEN)),
        Place("content_emailversion", ("html", "custom_keys", *_WRITTEN)),
        Place("content_smsversion", ("source", "text", "links", "custom_keys")),
        Place("content_noticeversion", ("subject", "text", "custom_keys")),
        Place("content_emaillock", ("flow_name", "url")),
        Place("content_messagelink", ("url", "label")),
        Place("content_trackedlink", ("name", "key", "folder", "shows", "url", "heading", "text", "actions")),
    )
)
