"""Settings: the domains that messages come from, the records they need, and what DNS says."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from accounts.guards import needs, outside_transaction
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.tenancy import tenant_scope
from delivery.dns_records import LookupFailed, judge
from delivery.domains import spf_mechanism
from delivery.email_account import email_provider
from delivery.models import SenderDomain
from delivery.operations.sender_domains import DomainRefused, add_domain, note_findings, remove_domain

RIGHTS = (Right.MANAGE_CONNECTORS, Right.ADMINISTRATOR)


class DomainForm(forms.Form):
    """A domain to add."""

    domain = forms.CharField(
        label="Domain", max_length=253, help_text="What stands behind the @ of your sender addresses."
    )


@dataclass(frozen=True, slots=True)
class Record:
    """A DNS record to set, and what is wrong with the one that is there."""

    kind: str
    name: str
    value: str
    why: str
    problem: str


def records_of(row: SenderDomain, *, allows: str, by_provider: bool) -> list[Record]:
    """Return the three records that a domain needs; `allows` is the SPF mechanism that must be there, or empty."""
    spf = f"v=spf1 {allows} ~all" if allows else "v=spf1 mx ~all"
    extra = (
        f"Where there is one already, add {allows} to it."
        if allows
        else "Your email provider says what to add to it."
        if by_provider
        else "Ask whoever runs your mail server which servers it must name."
    )
    return [
        Record("SPF", row.domain, spf, f"Says which servers may send for you. {extra}", row.spf_problem),
        Record(
            "DKIM", f"{row.selector}._domainkey.{row.domain}", f"v=DKIM1; k=rsa; p={row.public_key}",
            "Lets receivers check our signature. The key belongs to you alone.", row.dkim_problem,
        ),
        Record(
            "DMARC", f"_dmarc.{row.domain}", "v=DMARC1; p=none",
            "Says what receivers do with mail that fails both. Begin with p=none; one on the domain above counts too.",
            row.dmarc_problem,
        ),
    ]  # fmt: skip


@needs(*RIGHTS)
def domains(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the domains with their records, and add one."""
    form = DomainForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = add_domain(
                domain=form.cleaned_data["domain"], actor=request.user, now=tenant_now(request.tenant.pk)
            )
        except DomainRefused as refused:
            form.add_error("domain", str(refused))
        else:
            messages.success(request, f"{made.domain} added. Set the records below, then check.")
            return redirect(turl(request.tenant, "connectors:domains"))
    provider, allows = email_provider(), spf_mechanism()
    rows = SenderDomain.objects.order_by("domain")
    found = [(row, records_of(row, allows=allows, by_provider=bool(provider))) for row in rows]
    page = {"form": form, "domains": found, "asked": settings.VERIFY_SENDERS, "provider": provider}
    return render(request, "delivery/domains.html", page, status=422 if form.errors else 200)


@outside_transaction
@require_POST
@needs(*RIGHTS)
def check(request: TenantRequest, tenant: str, domain_id: int) -> HttpResponse:
    """Ask the domain's DNS now."""
    with tenant_scope(request.tenant.pk):
        row, allows = SenderDomain.objects.filter(pk=domain_id).first(), spf_mechanism()
    if row is None:
        raise Http404
    try:
        found = judge(domain=row.domain, selector=row.selector, public_key=row.public_key, allows=allows)
    except LookupFailed as failed:
        messages.error(request, f"{failed} Try again in a while; what was known before still counts.")
        return redirect(turl(request.tenant, "connectors:domains"))
    with tenant_scope(request.tenant.pk):
        note_findings(domain_id=row.pk, findings=found, now=tenant_now(request.tenant.pk))
    if found.ok:
        messages.success(request, f"{row.domain} is verified.")
    else:
        messages.warning(request, f"{row.domain} is not verified yet: see what is missing below.")
    return redirect(turl(request.tenant, "connectors:domains"))


@require_POST
@needs(*RIGHTS)
def remove(request: TenantRequest, tenant: str, domain_id: int) -> HttpResponse:
    """Take a domain away."""
    try:
        name = remove_domain(domain_id=domain_id, actor=request.user)
    except SenderDomain.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{name} removed.")
    return redirect(turl(request.tenant, "connectors:domains"))
