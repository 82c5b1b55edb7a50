"""Merging two contacts: choose the other, look at both side by side, choose what stays, and say yes."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach
from accounts.urls_for import turl
from crm.models import Contact
from crm.operations.merge import AlreadyMerged, CannotMerge, merge_contacts
from crm.queries.listing import find_ids
from crm.queries.merging import merge_view, merged_into, seen_mark
from crm.queries.reach import contacts_for, get_contact
from crm.search import CONTACT


@require_POST
def choose(request: TenantRequest, tenant: str) -> HttpResponse:
    """Take the two that were chosen in the list; the one chosen first (made first, that is) stays at first."""
    if any(request.member.reach(DataObject.CONTACT, verb) == Reach.NONE for verb in ("update", "remove")):
        raise Http404
    ids = sorted({int(number) for number in request.POST.getlist("ids") if number.isdecimal()})
    if len(ids) != 2 or request.POST.get("every") == "on":
        messages.error(request, "Choose exactly two contacts to merge.")
        query = QueryDict(request.POST.get("query", "")).urlencode()
        return redirect(f"{turl(request.tenant, 'crm:contacts')}?{query}")
    return redirect(turl(request.tenant, "crm:contact_merge", *ids))


@require_GET
def other(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Search for the contact that is the same person."""
    contact = get_contact(request.member, contact_id, "update")
    words = request.GET.get("q", contact.last_name or contact.first_name).strip()
    found: list[Contact] = []
    if words:
        matches = contacts_for(request.member, "remove").filter(pk__in=find_ids(CONTACT, words))
        found = list(
            matches.exclude(pk=contact.pk).select_related("company").order_by("name_norm", "pk")[:20]
        )
    context = {"contact": contact, "q": words, "candidates": found}
    return render(request, "crm/contact_merge_other.html", context)


@require_http_methods(["GET", "POST"])
def merge(request: TenantRequest, tenant: str, contact_id: int, gone_id: int) -> HttpResponse:
    """Show both and ask; then merge. For those who may change the one and remove the other."""
    kept = get_contact(request.member, contact_id, "update")
    if request.method == "POST" and merged_into(gone_id) == kept.pk:
        # A second click comes after the first one's work.
        return redirect(turl(request.tenant, "crm:contact", kept.pk))
    gone = get_contact(request.member, gone_id, "remove")
    now = tenant_now(request.tenant.pk)
    if request.method == "POST" and kept.pk != gone.pk:
        try:
            merge_contacts(
                kept_id=kept.pk,
                gone_id=gone.pk,
                from_gone=[key for key, side in request.POST.items() if side == "gone"],
                seen=request.POST.get("seen", ""),
                actor=request.user,
                now=now,
            )
        except AlreadyMerged:
            return redirect(turl(request.tenant, "crm:contact", kept.pk))
        except CannotMerge as refusal:
            messages.error(request, str(refusal))
            return redirect(turl(request.tenant, "crm:contact_merge", kept.pk, gone.pk))
        messages.success(request, "The two contacts are one now.")
        return redirect(turl(request.tenant, "crm:contact", kept.pk))
    if kept.pk == gone.pk:
        messages.error(request, "A contact cannot be merged with itself.")
        return redirect(turl(request.tenant, "crm:contact_merge_other", kept.pk))
    context = {
        "contact": kept,
        "gone": gone,
        "view": merge_view(kept, gone, now),
        "seen": seen_mark(kept, gone),
        "may_swap": contacts_for(request.member, "update").filter(pk=gone.pk).exists()
        and contacts_for(request.member, "remove").filter(pk=kept.pk).exists(),
    }
    return render(request, "crm/contact_merge.html", context)
