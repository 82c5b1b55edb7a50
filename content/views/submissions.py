"""Working through what forms brought: only members of the managing group, and administrators, find these pages."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods, require_safe

from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from content import queries_form as queries
from content.models import FormFile, FormSubmission
from content.operations import processing
from core.paging import keyset_page
from crm import search
from crm.queries.listing import find_ids
from crm.queries.reach import contacts_for
from delivery.tasks import wake_delivery

TABS = {
    "": ("Waiting", queries.WAITING),
    "awaiting": ("Awaiting confirmation", (queries.Status.AWAITING,)),
    "processed": ("Processed", (queries.Status.PROCESSED,)),
    "rejected": ("Rejected", (queries.Status.REJECTED,)),
    "all": ("All", tuple(queries.Status)),
}


@require_safe
def submissions(request: TenantRequest, tenant: str) -> HttpResponse:
    """List submissions of the forms that the member manages: those that wait first."""
    managed = queries.managed_forms(request.member).order_by("name")
    if not managed.exists():
        raise Http404
    state = request.GET.get("state", "")
    _, statuses = TABS.get(state, TABS[""])
    found = queries.submissions_for(request.member).filter(status__in=statuses)
    chosen = request.GET.get("form", "")
    if chosen.isdecimal():
        found = found.filter(form=int(chosen))
    narrowed = queries.Narrowing.asked(request.GET, zone=ZoneInfo(request.tenant.timezone))
    found = narrowed.of(found)
    way = "" if state == "" else "-"
    page = keyset_page(found, by=[f"{way}submitted_at", f"{way}id"], query=request.GET)
    tabs = [
        {"name": name, "url": f"?state={key}", "current": key == state} for key, (name, _) in TABS.items()
    ]
    context = {
        "page": page, "tabs": tabs, "state": state, "forms": managed, "chosen": chosen, "narrowed": narrowed,
        "lines": [(one, queries.address_of(one)) for one in page.rows],
    }  # fmt: skip
    return render(request, "content/submissions.html", context)


def get_submission(request: TenantRequest, submission_id: int) -> FormSubmission:
    """Return a submission that the member may process, or raise Http404."""
    found = queries.submissions_for(request.member).filter(pk=submission_id).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "POST"])
def submission(request: TenantRequest, tenant: str, submission_id: int) -> HttpResponse:
    """Show one submission; a POST processes it, for a chosen contact or the one with its address, or rejects it."""
    one = get_submission(request, submission_id)
    if request.method == "POST":
        return _decided(request, one)
    words = request.GET.get("q", "").strip()[:100]
    candidates = []
    if words:
        ids = find_ids(search.CONTACT, words, limit=200)
        found = contacts_for(request.member).filter(pk__in=ids).select_related("company")
        candidates = list(found.order_by("name_norm", "pk")[:20])
    known = processing.contact_of(one.email_norm)
    visible = contacts_for(request.member).filter(pk=known.pk).exists() if known else False
    context = {
        "one": one, "lines": queries.answer_lines(one), "files": queries.files_of(one),
        "address": queries.address_of(one), "q": words,
        "candidates": candidates, "known": known, "visible": visible, "waits": one.status in queries.WAITING,
        "seen": one.contact_id and contacts_for(request.member).filter(pk=one.contact_id).exists(),
    }  # fmt: skip
    return render(request, "content/submission.html", context)


@require_safe
def submission_file(request: TenantRequest, tenant: str, submission_id: int, file_id: int) -> HttpResponse:
    """Hand out a file that came with a submission: always as a download, never shown, never run."""
    one = get_submission(request, submission_id)
    file = FormFile.objects.filter(submission=one, pk=file_id).first()
    if file is None or not file.size or not file.name:
        raise Http404
    response = HttpResponse(bytes(file.data), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _decided(request: TenantRequest, one: FormSubmission) -> HttpResponse:
    here = turl(request.tenant, "content:submission", one.pk)
    now = tenant_now(request.tenant.pk)
    try:
        if request.POST.get("do") == "reject":
            reason = request.POST.get("reason", "").strip()
            processing.reject_submission(submission_id=one.pk, reason=reason, actor=request.user, now=now)
            messages.success(request, "Rejected: nothing comes of it.")
            return redirect(turl(request.tenant, "content:submissions"))
        chosen = request.POST.get("contact", "")
        contact_id = _contact(request, chosen) if chosen else None
        done = processing.process_submission(
            submission_id=one.pk, now=now, actor=request.user, contact_id=contact_id
        )
    except processing.NotOpen as refused:
        messages.error(request, str(refused))
        return redirect(here)
    if done.status == queries.Status.FAILED:
        messages.error(request, f"It could not be processed: {done.error}")
        return redirect(here)
    tenant_id = request.tenant.pk
    transaction.on_commit(lambda: wake_delivery(tenant_id), robust=True)
    messages.success(request, "Processed.")
    return redirect(turl(request.tenant, "content:submissions"))


def _contact(request: TenantRequest, chosen: str) -> int:
    """Return the id of a contact that the member may change, or raise Http404."""
    if not chosen.isdecimal():
        raise Http404
    found = contacts_for(request.member, "update").filter(pk=int(chosen)).values_list("pk", flat=True).first()
    if found is None:
        raise Http404
    return found
