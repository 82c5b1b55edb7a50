"""Request created: a request of the contact is registered after enrolment, whoever did it."""

from __future__ import annotations

from flows import desk_parts
from flows.success.desk import DeskSuccess


class RequestCreated(DeskSuccess):
    """See the module."""

    name = "request_created"
    label = "Request created"
    description = "A request of the contact is registered."
    icon = "lifebuoy"
    event = "request.created"
    Settings = desk_parts.RequestSettings
    Form = desk_parts.RequestForm
