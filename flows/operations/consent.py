"""Sending without consent takes a right of its own: whoever lacks it does not get it by a file, a copy, a revision or
a state of the draft either. What a member with the right has set stays while others change the flow."""

from __future__ import annotations

from accounts.models import User
from accounts.queries import active_membership
from accounts.rights import Right
from flows.document import FlowDocument


def within_rights(wanted: FlowDocument, actor: User, *, now: FlowDocument | None = None) -> FlowDocument:
    """Return the document that the actor wants without *send without consent*, where it would begin with it.

    `now` is what the flow is before; None for a new one. Who is no active member has no rights.
    """
    messages = wanted.settings.messages
    if not messages.override_consent or (now is not None and now.settings.messages.override_consent):
        return wanted
    member = active_membership(actor)
    if member is not None and member.may(Right.OVERRIDE_CONSENT):
        return wanted
    kept = messages.model_copy(update={"override_consent": False})
    return wanted.model_copy(update={"settings": wanted.settings.model_copy(update={"messages": kept})})


def taken_out(wanted: FlowDocument, got: FlowDocument, *, what: str) -> str:
    """Return what to tell whoever got less than they wanted, "" where that is nothing. `what`: The file, the copy."""
    lost = wanted.settings.messages.override_consent and not got.settings.messages.override_consent
    return f"{what} sends without consent, which you may not do: that is off now." if lost else ""
