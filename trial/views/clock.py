"""The "advance the clock" control of a trial tenant. Must not know what happens when time goes on."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from accounts.http import TenantRequest
from accounts.urls_for import turl
from trial.operations import STEPS, ClockRefused, advance_clock
from trial.templatetags.trial_clock import ahead as in_words


@require_POST
def advance(request: TenantRequest, tenant: str) -> HttpResponse:
    """Move the tenant's clock ahead by one of the offered steps, and return to the page the member came from."""
    if not request.tenant.is_trial:
        raise Http404
    try:
        ahead = advance_clock(tenant_id=request.tenant.pk, by=STEPS[request.POST.get("by", "")])
    except KeyError:
        messages.error(request, "Choose by how much the clock goes ahead.")
    except ClockRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The clock is {in_words(ahead)} ahead now.")
    return HttpResponseRedirect(_back(request))


def _back(request: TenantRequest) -> str:
    target = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return target if allowed else turl(request.tenant, "accounts:home")
