"""The content library: every email, making one, copying and deleting it."""

from __future__ import annotations

import hashlib

from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Membership
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from content import queries
from content.brand import brand_values
from content.compile import Source, compile_email
from content.django_forms.email import NewEmailForm
from content.flows_above import flow_name, hidden_flows
from content.models import Email
from content.operations.emails import EmailInUse, EmailRefused, create_email, delete_email
from content.operations.variants import copy_email
from content.rendering import render_preview
from content.safe_html import mail_response
from content.starters import STARTERS
from content.tree import known_tree
from core.paging import keyset_page
from crm.refusals import in_use
from delivery.rendering import RenderFailed

WRITERS = (Right.FLOW_ADMINISTRATOR, Right.EDIT_FLOW_CONTENT)


def get_email(member: Membership, email_id: int) -> Email:
    """Return an email that was not deleted and whose flow the member may see, or raise Http404."""
    emails = Email.objects.filter(pk=email_id, deleted_at=None, is_internal=False)
    email = emails.select_related("current", "updated_by").first()
    if email is None or (email.flow_id and email.flow_id in hidden_flows(member)):
        raise Http404
    return email


@require_safe
@needs(*WRITERS)
def emails(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the emails, newest change first."""
    search = request.GET.get("q", "")
    hidden = hidden_flows(request.member)
    page = keyset_page(queries.library(search, hidden=hidden), by=["-updated_at", "-id"], query=request.GET)
    context = {
        "page": page,
        "lines": queries.library_lines(page.rows, hidden=hidden),
        "search": search,
    }
    return render(request, "content/emails.html", context)


@needs(*WRITERS)
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Begin an email, for the flow that ?flow= names or for the library."""
    form = NewEmailForm(request.POST or None, initial={"flow": request.GET.get("flow"), "starter": "welcome"})
    if request.method == "POST" and form.is_valid():
        flow_id = form.cleaned_data["flow"]
        if flow_id is not None and flow_name(request.member, flow_id) is None:
            raise Http404
        starter = STARTERS[form.cleaned_data["starter"]]
        email = create_email(
            name=form.cleaned_data["name"],
            actor=request.user,
            now=tenant_now(request.tenant.pk),
            mjml=starter.mjml,
            subject=starter.subject,
            flow_id=flow_id,
        )
        return redirect(turl(request.tenant, "content:edit", email.pk))
    context = {"form": form, "starters": STARTERS, "chosen": form["starter"].value()}
    return render(request, "content/new.html", context, status=422 if form.is_bound else 200)


@require_safe
@needs(*WRITERS)
def starter(request: TenantRequest, tenant: str, starter: str) -> HttpResponse:
    """Show a layout in the tenant's brand, for a frame of the page that offers it."""
    if starter not in STARTERS:
        raise Http404
    brand = brand_values()
    known = hashlib.sha256(
        f"{STARTERS[starter].mjml}{brand}{request.tenant.postal_address}".encode()
    ).hexdigest()
    key = f"starter:{request.tenant.pk}:{known}"
    html = cache.get(key)
    if html is None:
        result = compile_email(
            Source("x", STARTERS[starter].mjml), tree=known_tree(), brand=brand, for_browser=True
        )
        rendered = render_preview(result.compiled, contact_id=None) if result.compiled else None
        if rendered is None or isinstance(rendered, RenderFailed):
            raise Http404
        html = rendered.html
        cache.set(key, html, timeout=86_400)
    return mail_response(html, framed=True)


@require_POST
@needs(*WRITERS)
def copy(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Copy an email into the library."""
    email = get_email(request.member, email_id)
    made = copy_email(email_id=email.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    messages.success(request, f"Copied as “{made.name}”.")
    return redirect(turl(request.tenant, "content:edit", made.pk))


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def delete(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Delete an email that nothing uses."""
    email = get_email(request.member, email_id)
    try:
        delete_email(email_id=email.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    except EmailRefused as refused:
        said = in_use(refused.refused) if isinstance(refused, EmailInUse) else str(refused)
        messages.error(request, said)
        return redirect(turl(request.tenant, "content:edit", email.pk))
    messages.success(request, f"“{email.name}” deleted.")
    return redirect(turl(request.tenant, "content:emails"))
