"""A step whose licence the tenant has not, or an SMS step without a connected account."""

from __future__ import annotations

from collections.abc import Iterator

from accounts.models import Licence
from delivery.sms import sms_senders
from flows.checks.base import Check, FlowProblem
from flows.document import FlowDocument
from flows.steps.base import CheckContext
from flows.steps.table import STEP_KINDS


class MissingLicence(Check):
    """See the module."""

    name = "missing_licence"
    label = "No licence or connector"
    description = "An SMS, sale or request step without its licence, or an SMS step without an SMS account."
    is_warning = False

    def find(self, document: FlowDocument, ctx: CheckContext) -> Iterator[FlowProblem]:
        """Yield each such step. At most one query."""
        nodes = [node for node in document.walk() if STEP_KINDS[node.kind].licence]
        connected = bool(sms_senders()) if any(_sends_sms(node.kind) for node in nodes) else True
        for node in nodes:
            licence = STEP_KINDS[node.kind].licence
            if licence not in ctx.licences:
                yield self.at_step(node, f"This step needs the licence {Licence.Code(licence).label}")
            if _sends_sms(node.kind) and not connected:
                yield self.at_step(
                    node, "No SMS account is connected: an administrator does that under Settings, SMS"
                )


def _sends_sms(kind: str) -> bool:
    return STEP_KINDS[kind].licence == Licence.Code.SMS
