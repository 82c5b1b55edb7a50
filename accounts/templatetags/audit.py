"""How entries of the audit log read."""

from __future__ import annotations

import json
from typing import Any

from django import template

register = template.Library()

# Actions whose names do not say it as people do.
_WORDS = {
    "flow.add_contacts": "Contacts added to a flow",
    "flow.consent_asked_again": "Flow asks for consent again",
    "flow.consent_overridden": "Flow sends without consent",
    "flow.create": "Flow created",
    "flow.delete": "Flow deleted",
    "flow.details": "Flow's details changed",
    "flow.end": "Flow ended",
    "flow.export": "Flow exported",
    "flow.import": "Flow imported",
    "flow.pause": "Flow paused",
    "flow.rename": "Flow renamed",
    "flow.resume": "Flow resumed",
    "flow.save": "Flow saved",
    "flow.start": "Flow started",
    "participant.export": "Participants exported",
    "contact.exported": "Contacts exported",
}


@register.filter
def audit_words(action: str) -> str:
    """Return "Member deactivated" for "member.deactivated"."""
    words = _WORDS.get(action) or action.replace(".", " ").replace("_", " ").capitalize()
    return words.replace("Sms ", "SMS ").replace("Api ", "API ")


@register.filter
def pretty_json(payload: Any) -> str:
    """Return a payload as indented JSON."""
    return json.dumps(payload, indent=2, ensure_ascii=False, sort_keys=True)
