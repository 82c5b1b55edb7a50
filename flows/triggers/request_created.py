"""Request created: a request of the contact is registered, by whatever way."""

from __future__ import annotations

from flows import desk_parts
from flows.triggers.desk import DeskTrigger


class RequestCreated(DeskTrigger):
    """See the module."""

    name = "request_created"
    label = "Request created"
    description = "A request of the contact is registered."
    icon = "lifebuoy"
    event_kinds = frozenset({"request.created"})
    Settings = desk_parts.RequestSettings
    values = {
        "request.title": "Title of the request",
        "request.type": "Request type",
        "request.category": "Category",
        "request.priority": "Priority",
        "request.status": "Status of the request",
    }
    Form = desk_parts.RequestForm
