"""Sending without consent takes a right of its own: whoever lacks it does not get it by a file, a copy, a revision or
a state of the draft either. What a member with the right has set stays while others change the flow. The audit log
tells when a save begins or stops it."""

from __future__ import annotations

from accounts.audit import write_audit
from accounts.models import User
from accounts.queries import active_membership
from accounts.rights import Right
from flows.document import FlowDocument
from flows.models import DraftState, Flow


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


def audit_override(flow: Flow, before: FlowDocument | None, document: FlowDocument, *, actor: User) -> None:
    """Tell the audit log where a save begins or stops sending without consent, and who had set that in the draft:
    who saves may be another. `before` is the revision before, None for a first one."""
    on = document.settings.messages.override_consent
    if on == (before is not None and before.settings.messages.override_consent):
        return
    write_audit(
        actor=actor,
        action="flow.consent_overridden" if on else "flow.consent_asked_again",
        object_kind="flow",
        object_id=flow.pk,
        object_name=flow.name,
        payload={"revision": flow.revision, "set_by": (_set_by(flow, on=on) or actor).email},
    )


def _set_by(flow: Flow, *, on: bool) -> User | None:
    """Return whose change of the draft set it so; None where the draft was never otherwise."""
    states = DraftState.objects.filter(flow=flow, number__lte=flow.draft_state)
    otherwise = states.filter(document__settings__messages__override_consent=not on).order_by("number").last()
    if otherwise is None:
        first = states.order_by("number").select_related("created_by").first()
        return first.created_by if first else None
    after = states.filter(number__gt=otherwise.number).select_related("created_by").order_by("number").first()
    return after.created_by if after else None
