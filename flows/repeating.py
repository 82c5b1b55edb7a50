"""Where flows do by themselves what a form or tracked link does, or the opposite: told on the page of the form or link.

The check `does_the_same` tells it on the step; content lies below and asks through its settings (CONTENT_REPEATS).
"""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Membership
from accounts.rights import Right
from accounts.urls_for import turl
from content.actions import ContactActions
from crm.models import Usage
from flows.checks.base import step_title
from flows.checks.does_the_same import labels_of, repeats_of
from flows.document import FlowDocument
from flows.references import part
from flows.visibility import visible_flows

# So many flows are looked into; a form of more has other worries.
MOST_FLOWS = 20


@dataclass(frozen=True, slots=True)
class Repeat:
    """A step of a flow that repeats or contradicts what a form or link does; `url` opens it, where one may."""

    flow: str
    step: str
    text: str
    url: str


def repeats_in_flows(member: Membership, kind: str, object_id: int, actions: ContactActions) -> list[Repeat]:
    """Return the steps, of flows that the member may see, that do what a `form` or `link` does by itself. At most five
    queries; none where it does nothing."""
    if actions == type(actions)():
        return []
    uses = Usage.objects.filter(user_kind="flow")
    direct = uses.filter(used_kind=kind, used_id=object_id).values("user_id")
    holding = Usage.objects.filter(user_kind="email", used_kind=kind, used_id=object_id).values("user_id")
    sending = uses.filter(used_kind="email", used_id__in=holding).values("user_id")
    seen = visible_flows(member)
    flows = list(
        (seen.filter(pk__in=direct) | seen.filter(pk__in=sending)).order_by("name", "pk")[:MOST_FLOWS]
    )
    documents = {flow.pk: FlowDocument.model_validate(flow.draft) for flow in flows}
    labels = labels_of(documents.values()) if flows else {}
    may_edit = member.may(Right.FLOW_ADMINISTRATOR)
    return [
        Repeat(
            flow.name,
            step_title(node),
            text,
            f"{turl(member.tenant, 'flows:edit', flow.pk)}?part={part('step', node.id)}" if may_edit else "",
        )
        for flow in flows
        for node in documents[flow.pk].walk()
        for text in repeats_of(node, actions, labels)
    ]
