"""How long the text of an SMS is, while it is written."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.rights import Right
from content.sms import LONGEST, expected_length, parts_text


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def sms_length(request: TenantRequest, tenant: str) -> HttpResponse:
    """Answer with characters and segments."""
    text = request.POST.get("text", "")[: 2 * LONGEST]
    return HttpResponse(parts_text(expected_length(text)), content_type="text/plain; charset=utf-8")
