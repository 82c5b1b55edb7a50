"""The tenant's blocked addresses: list, block, unblock, export."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core.csv_out import csv_lines
from core.paging import keyset_page
from core.text import norm, norm_email
from crm.models import Contact
from delivery.models import BlockedAddress
from delivery.operations.blocking import (
    AlreadyBlocked,
    BadAddress,
    block_address,
    holders,
    set_former_employee,
    unblock_address,
)

READERS = (Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT, Right.ADMINISTRATOR)
CHANGERS = (Right.FLOW_ADMINISTRATOR, Right.ADMINISTRATOR)


class BlockForm(forms.Form):
    """An address to block."""

    address = forms.CharField(max_length=320, label="Address")
    note = forms.CharField(max_length=200, required=False, label="Note")


@dataclass(frozen=True, slots=True)
class Line:
    """A blocked address, whose it is, and which contacts the member may change."""

    blocked: BlockedAddress
    people: list[Contact]
    mine: set[int]

    @property
    def may_leave(self) -> bool:
        """Whether there is somebody to set as former employee."""
        return any(who.pk in self.mine and not who.former_employee for who in self.people)


@require_safe
@needs(*READERS)
def blocked(request: TenantRequest, tenant: str) -> HttpResponse:
    """List blocked addresses, newest first; a search finds the beginning of an address."""
    return _list(request, BlockForm())


def _list(request: TenantRequest, form: BlockForm, *, status: int = 200) -> HttpResponse:
    search = request.GET.get("q", "")[:320]
    found = BlockedAddress.objects.all()
    if search.strip():
        # What has no @ yet is the beginning of a name, not a domain.
        begins = norm_email(search) if "@" in search else norm(search).replace(" ", "")
        found = found.filter(address_norm__startswith=begins)
    reason = request.GET.get("reason", "")
    if reason in BlockedAddress.Reason.values:
        found = found.filter(reason=reason)
    page = keyset_page(found, by=["-at", "-id"], query=request.GET)
    addresses = [item.address_norm for item in page.rows]
    people = holders(request.member, addresses)
    mine = {contact.pk for some in holders(request.member, addresses, "update").values() for contact in some}
    lines = [Line(item, people.get(item.address_norm, []), mine) for item in page.rows]
    context = {
        "page": page,
        "lines": lines,
        "search": search,
        "reason": reason,
        "reasons": BlockedAddress.Reason.choices,
        "form": form,
    }
    return render(request, "delivery/blocked.html", context, status=status)


@require_POST
@needs(*CHANGERS)
def block(request: TenantRequest, tenant: str) -> HttpResponse:
    """Put an address on the list."""
    form = BlockForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=422)
    data = form.cleaned_data
    try:
        block_address(
            address=data["address"], note=data["note"], actor=request.user, now=tenant_now(request.tenant.pk)
        )
    except (BadAddress, AlreadyBlocked) as refused:
        form.add_error("address", str(refused))
        return _list(request, form, status=422)
    messages.success(request, "Address blocked: it gets no more messages.")
    return redirect(turl(request.tenant, "delivery:blocked"))


@require_POST
@needs(*CHANGERS)
def unblock(request: TenantRequest, tenant: str, blocked_id: int) -> HttpResponse:
    """Take an address off the list."""
    try:
        address = unblock_address(blocked_id=blocked_id, actor=request.user)
    except BlockedAddress.DoesNotExist:
        raise Http404 from None
    messages.success(request, f"{address} may get messages again.")
    return redirect(turl(request.tenant, "delivery:blocked"))


@require_POST
@needs(*READERS)
def former_employee(request: TenantRequest, tenant: str, blocked_id: int) -> HttpResponse:
    """Mark whoever has the address as former employee."""
    try:
        number = set_former_employee(
            blocked_id=blocked_id, member=request.member, now=tenant_now(request.tenant.pk)
        )
    except BlockedAddress.DoesNotExist:
        raise Http404 from None
    if not number:
        raise Http404
    messages.success(request, "Set as former employee: no flow writes to them any more.")
    return redirect(turl(request.tenant, "delivery:blocked"))


@require_safe
@needs(Right.EXPORT)
def export(request: TenantRequest, tenant: str) -> StreamingHttpResponse:
    """Hand the list out as CSV."""
    rows = [
        [item.address_norm, item.get_reason_display(), item.detail, item.at.isoformat()]
        for item in BlockedAddress.objects.order_by("-at", "-id")
    ]
    lines = csv_lines([["Address", "Reason", "Detail", "Since"], *rows])
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="blocked-addresses.csv"'
    return response
