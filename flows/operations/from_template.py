"""A new flow from a template: brought in as a file is, with the tenant's own timezone and sender."""

from __future__ import annotations

import datetime as dt

from accounts.models import Membership
from flows.exchange.matching import matched
from flows.models import FlowFolder
from flows.operations.bring_in import BroughtIn, bring_in
from flows.operations.create import blank_document
from flows.starters.base import FlowTemplate


def start_from_template(
    *,
    template: FlowTemplate,
    name: str,
    member: Membership,
    timezone: str,
    now: dt.datetime,
    folder: FlowFolder | None = None,
) -> BroughtIn:
    """Make the template's flow as a draft. What is here under the same name is taken, the rest made where the member
    may, else left open. Raises CannotBringIn."""
    own = blank_document(timezone).settings
    file = template.file
    settings = file.document.settings
    messages = settings.messages.model_copy(update={"sender": own.messages.sender})
    document = file.document.model_copy(
        update={"settings": settings.model_copy(update={"timezone": timezone, "messages": messages})}
    )
    file = file.model_copy(update={"document": document})
    decisions = matched(file, member=member).decisions
    return bring_in(file=file, decisions=decisions, name=name, member=member, now=now, folder=folder)
