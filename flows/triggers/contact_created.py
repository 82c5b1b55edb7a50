"""Contact created: a contact is registered, by any door but import."""

from __future__ import annotations

from crm.events import Origin
from flows.document import Trigger
from flows.triggers.base import EventFilter, TriggerKind


class ContactCreated(TriggerKind):
    """See the module."""

    name = "contact_created"
    label = "Contact created"
    description = "A contact is registered, by any way but an import."
    icon = "user-plus"
    event_kinds = frozenset({"contact.created"})

    def event_filter(self, trigger: Trigger) -> EventFilter:
        """Every registration but those of imports."""
        return EventFilter("contact.created", excluded_origins=frozenset({Origin.IMPORT}))
