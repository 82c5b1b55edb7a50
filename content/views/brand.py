"""The brand: colours, font, address and networks of all emails, with a live sample."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.operations import change_tenant
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from content.brand import BrandValues, brand_values
from content.compile import Source, compile_email
from content.django_forms.brand import BrandForm
from content.flows_above import hidden_flows
from content.models import Email
from content.operations.brand import save_brand
from content.operations.rebranding import newest_rebranding
from content.previews import keep_preview
from content.rendering import render_preview
from content.tree import known_tree
from core.models import Job
from delivery.rendering import RenderFailed

DESIGNERS = (Right.FLOW_ADMINISTRATOR, Right.ADMINISTRATOR)
_SAMPLE = """<mjml><mj-head><mj-attributes><mj-text font-size="16px" line-height="26px" padding="0 32px 14px" />
</mj-attributes></mj-head><mj-body background-color="{{ brand.background }}">
<mj-section padding="16px 0 12px"><mj-column><mj-image src="{{ brand.logo }}" href="{{ brand.website }}"
alt="{{ tenant.name }}" width="140px" padding="0" /></mj-column></mj-section>
<mj-section background-color="{{ brand.accent }}" padding="28px 0 16px"><mj-column>
<mj-text color="{{ brand.accent_ink }}"><h1>Good to see you</h1></mj-text>
<mj-text color="{{ brand.accent_ink }}">This is how a coloured band looks.</mj-text></mj-column></mj-section>
<mj-section background-color="{{ brand.surface }}" padding="28px 0 12px"><mj-column>
<mj-text>Text stands on the sheet, and <a href="https://example.com/">a link in it</a> can be seen.</mj-text>
<mj-button href="https://example.com/" align="left" padding="6px 32px 22px">Read more</mj-button>
<mj-divider padding="0 32px 20px" /></mj-column></mj-section>
<mj-section background-color="{{ brand.tint }}" padding="20px 0 6px"><mj-column>
<mj-text><h3>A pale part</h3></mj-text><mj-text>For what is beside the point.</mj-text></mj-column></mj-section>
<mj-section padding="20px 0 0"><mj-column><mj-social /></mj-column></mj-section></mj-body></mjml>"""


@require_http_methods(["GET", "POST"])
@needs(*DESIGNERS)
def brand(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show and change the brand."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        save_brand(values=form.values(), actor=request.user, now=tenant_now(request.tenant.pk))
        if request.member.may(Right.ADMINISTRATOR):
            address = {"postal_address": form.cleaned_data["postal_address"].replace("\r\n", "\n")}
            change_tenant(tenant=request.tenant, actor=request.user, changes=address)
        messages.success(request, "Brand saved.")
        return redirect(turl(request.tenant, "content:brand"))
    context = {
        "form": form,
        "frame_url": _sample(request, brand_values()),
        "rebranding": _rebranding(request),
    }
    return render(request, "content/brand.html", context, status=422 if form.is_bound else 200)


@require_safe
@needs(*DESIGNERS)
def emails(request: TenantRequest, tenant: str) -> HttpResponse:
    """Say how far the emails are on their way into the brand."""
    return render(request, "content/rebranding.html", {"rebranding": _rebranding(request)})


@dataclass(frozen=True, slots=True)
class Rebranding:
    """The newest job, and the emails that kept their look, where the member may see them."""

    job: Job
    changed: int
    locked: list[Email]
    broken: list[Email]


def _rebranding(request: TenantRequest) -> Rebranding | None:
    """Return what became of the emails; four queries, one where no brand was ever changed."""
    job = newest_rebranding()
    if job is None:
        return None
    locked, broken = job.result.get("locked", []), job.result.get("broken", [])
    found = Email.objects.filter(pk__in=[*locked, *broken], deleted_at=None).order_by("name", "pk")
    # One that was saved since is in the brand.
    kept = [
        one
        for one in found.exclude(flow_id__in=hidden_flows(request.member))
        if one.updated_at < job.created_at
    ]
    wanted = set(locked)
    return Rebranding(
        job, job.result.get("changed", 0), [one for one in kept if one.pk in wanted],
        [one for one in kept if one.pk not in wanted],
    )  # fmt: skip


def _form(request: TenantRequest) -> BrandForm:
    initial = BrandForm.initial_of(brand_values(), request.tenant.postal_address)
    may = request.member.may(Right.ADMINISTRATOR)
    return BrandForm(request.POST or None, initial=initial, may_change_address=may)


@require_POST
@needs(*DESIGNERS)
def sample(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show a mail in what stands in the form; saves nothing."""
    form = _form(request)
    if not form.is_valid():
        return render(request, "content/brand_sample.html", {"errors": form.errors})
    return render(request, "content/brand_sample.html", {"frame_url": _sample(request, form.values())})


def _sample(request: TenantRequest, values: BrandValues) -> str:
    result = compile_email(Source("Sample", _SAMPLE), tree=known_tree(), brand=values)
    rendered = render_preview(result.compiled, contact_id=None) if result.compiled else None
    if rendered is None or isinstance(rendered, RenderFailed):
        return ""
    return keep_preview(request, rendered.html)
