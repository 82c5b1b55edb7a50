"""A contact's page: overview with its form, timeline, consent and subscriptions. Flows is a tab of participants."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import DataObject, Reach, Right
from accounts.urls_for import turl
from core.paging import keyset_page
from crm.events import KINDS
from crm.forms.contact import ContactForm
from crm.forms.small import ConsentForm
from crm.models import (
    Consent,
    ConsentChange,
    ConsentPurpose,
    Contact,
    Event,
    MergedContact,
    Project,
    Selection,
    SubscriptionOptOut,
    SubscriptionType,
)
from crm.operations.consent import opt_in, opt_out, record_consent
from crm.operations.contacts import edit_contact
from crm.queries.desk import may, readable_events
from crm.queries.merging import merged_into
from crm.queries.reach import contacts_for, get_contact
from crm.queries.timeline import entries

FAMILIES = {
    "contact": "Contact",
    "follow_up": "Follow-ups",
    "sale": "Sales",
    "request": "Requests",
    "message": "Messages",
    "flow": "Flows",
}
_OF_DESK = {"follow_up": DataObject.FOLLOW_UP, "sale": DataObject.SALE, "request": DataObject.REQUEST}


def contact_tabs(request: TenantRequest, contact: Contact, current: str) -> list[dict[str, object]]:
    """Return the tabs of a contact's page; Flows is there once the room above has it."""
    tabs: list[dict[str, object]] = []
    for name, url_name, kind in (
        ("Overview", "crm:contact", None),
        ("Timeline", "crm:contact_timeline", None),
        ("Follow-ups", "crm:contact_follow_ups", DataObject.FOLLOW_UP),
        ("Sales", "crm:contact_sales", DataObject.SALE),
        ("Requests", "crm:contact_requests", DataObject.REQUEST),
        ("Consent and subscriptions", "crm:contact_consent", None),
        ("Flows", "participants:contact_flows", None),
    ):
        if kind is not None and not may(request.member, kind):
            continue
        try:
            url = turl(request.tenant, url_name, contact.pk)
        except NoReverseMatch:
            continue
        tabs.append({"name": name, "url": url, "current": name == current})
    return tabs


@require_http_methods(["GET", "POST"])
def overview(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Show all fields; those who may change them get them as a form. Old links to a merged contact lead on."""
    if request.method == "GET" and (kept := merged_into(contact_id)) is not None:
        return redirect(turl(request.tenant, "crm:contact", kept))
    contact = get_contact(request.member, contact_id)
    may_edit = contacts_for(request.member, "update").filter(pk=contact_id).exists()
    if request.method == "POST" and not may_edit:
        raise Http404
    country = contact.country or request.tenant.country
    form = ContactForm(request.POST if request.method == "POST" else None, contact=contact, country=country)
    if request.method == "POST" and form.is_valid():
        edit_contact(
            contact_id=contact.pk,
            changes=form.changes(),
            company_name=form.cleaned_data["company"],
            now=tenant_now(request.tenant.pk),
            actor_id=request.user.pk,
            country=form.cleaned_data.get("contact_country") or country,
        )
        messages.success(request, "Contact saved.")
        return redirect(turl(request.tenant, "crm:contact", contact.pk))
    context = {
        "contact": contact,
        "tabs": contact_tabs(request, contact, "Overview"),
        "form": form,
        "may_edit": may_edit,
        "may_erase": contacts_for(request.member, "remove").filter(pk=contact_id).exists(),
        "may_merge": may_edit and request.member.reach(DataObject.CONTACT, "remove") != Reach.NONE,
        "merged": MergedContact.objects.filter(contact=contact).order_by("-at", "-pk")[:20],
        "selections": Selection.objects.filter(members__contact=contact).order_by("name")[:50],
        "projects": Project.objects.filter(members__contact=contact).order_by("name")[:50],
    }
    return render(request, "crm/contact.html", context, status=422 if form.is_bound else 200)


@require_GET
def timeline(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Show what happened to a contact, newest first."""
    contact = get_contact(request.member, contact_id)
    family = request.GET.get("of", "")
    events = readable_events(request.member, Event.objects.filter(contact_id=contact.pk))
    if family in FAMILIES:
        events = events.filter(kind__in=[kind.name for kind in KINDS if kind.family == family])
    page = keyset_page(events, by=["-at", "-id"], query=request.GET)
    context = {
        "contact": contact,
        "tabs": contact_tabs(request, contact, "Timeline"),
        "page": page,
        "entries": entries(page.rows),
        "families": [
            (key, name)
            for key, name in FAMILIES.items()
            if key not in _OF_DESK or may(request.member, _OF_DESK[key])
        ],
        "family": family,
    }
    return render(request, "crm/contact_timeline.html", context)


@require_GET
def consent(request: TenantRequest, tenant: str, contact_id: int) -> HttpResponse:
    """Show consents with their log, and subscriptions."""
    return _consent_page(request, get_contact(request.member, contact_id), ConsentForm(), 200)


def _consent_page(request: TenantRequest, contact: Contact, form: ConsentForm, status: int) -> HttpResponse:
    out = {row.type_id: row for row in SubscriptionOptOut.objects.filter(contact=contact)}
    kept = {row.purpose_id: row for row in Consent.objects.filter(contact=contact)}
    log = list(
        ConsentChange.objects.filter(contact=contact)
        .select_related("purpose", "actor")
        .order_by("-at", "-id")[:50]
    )
    proofs = {row.purpose_id: row for row in reversed(log)}
    context = {
        "contact": contact,
        "tabs": contact_tabs(request, contact, "Consent and subscriptions"),
        "purposes": [
            (purpose, kept.get(purpose.pk), proofs.get(purpose.pk))
            for purpose in ConsentPurpose.objects.order_by("pk")
        ],
        "types": [
            (kind, out.get(kind.pk))
            for kind in SubscriptionType.objects.all()
            if not kind.retired or kind.pk in out
        ],
        "log": log,
        "form": form,
        "may_update": request.member.may(Right.UPDATE_CONSENT),
    }
    return render(request, "crm/contact_consent.html", context, status=status)


@needs(Right.UPDATE_CONSENT)
@require_POST
def consent_record(request: TenantRequest, tenant: str, contact_id: int, purpose_id: int) -> HttpResponse:
    """Record a consent given or withdrawn."""
    contact = get_contact(request.member, contact_id)
    purpose = get_object_or_404(ConsentPurpose, pk=purpose_id)
    form = ConsentForm(request.POST)
    if not form.is_valid():
        return _consent_page(request, contact, form, 422)
    record_consent(
        contact_id=contact.pk,
        given=form.cleaned_data["given"] == "yes",
        at=tenant_now(request.tenant.pk),
        legal_basis=form.cleaned_data["legal_basis"],
        source=form.cleaned_data["source"],
        purpose=purpose.key,
        actor_id=request.user.pk,
    )
    messages.success(request, "Recorded.")
    return redirect(turl(request.tenant, "crm:contact_consent", contact.pk))


@needs(Right.UPDATE_CONSENT)
@require_POST
def subscription(request: TenantRequest, tenant: str, contact_id: int, type_id: int) -> HttpResponse:
    """Opt a contact out of a type of messages, or in again."""
    contact = get_contact(request.member, contact_id)
    kind = get_object_or_404(SubscriptionType, pk=type_id)
    verb = opt_out if request.POST.get("subscribe") == "no" else opt_in
    verb(
        contact_id=contact.pk,
        type_id=kind.pk,
        at=tenant_now(request.tenant.pk),
        source=f"{request.user} on the contact's page"[:120],
        actor_id=request.user.pk,
    )
    messages.success(request, f"{kind}: {'unsubscribed' if verb is opt_out else 'subscribed again'}.")
    return redirect(turl(request.tenant, "crm:contact_consent", contact.pk))
