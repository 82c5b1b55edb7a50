"""Registered tracked links: the list by folders, the editor, who clicked, counting anew, deleting."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.models import Licence
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from content import queries_link as queries
from content.django_forms.link import LinkForm
from content.flows_above import hidden_flows, repeats
from content.link_actions import LinkActions
from content.models import TrackedLink
from content.operations import links as operations
from content.views.library import WRITERS
from core.paging import keyset_page
from crm.models import Usage
from crm.operations.usage import InUse, uses_of
from crm.refusals import in_use


def get_link(link_id: int) -> TrackedLink:
    """Return a link that was not deleted, or raise Http404."""
    link = TrackedLink.objects.filter(pk=link_id, deleted_at=None).select_related("updated_by").first()
    if link is None:
        raise Http404
    return link


@require_safe
@needs(*WRITERS)
def links(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the links by name, of one folder or of all."""
    search, folder = request.GET.get("q", "")[:120], request.GET.get("folder")
    page = keyset_page(queries.links(search=search, folder=folder), by=["name", "id"], query=request.GET)
    counted = queries.clicks_of(page.rows)
    context = {
        "page": page,
        "lines": [(link, counted.get(link.pk, queries.Clicks())) for link in page.rows],
        "search": search,
        "folder": folder,
        "folders": queries.folders(),
    }
    return render(request, "content/links.html", context)


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def new(request: TenantRequest, tenant: str) -> HttpResponse:
    """Make a link."""
    return _edited(request, None)


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def edit(request: TenantRequest, tenant: str, link_id: int) -> HttpResponse:
    """Show a link's editor; a POST saves."""
    return _edited(request, get_link(link_id))


def _edited(request: TenantRequest, link: TrackedLink | None) -> HttpResponse:
    has_service = Licence.Code.SERVICE in request.member.licences
    form = LinkForm.of(link, request.POST if request.method == "POST" else None, has_service=has_service)
    if form.is_bound and not form.is_redraw and form.is_valid():
        saved = _save(request, link, form)
        if saved is not None:
            messages.success(request, f"“{saved.name}” saved.")
            return redirect(turl(request.tenant, "content:link", saved.pk))
    context: dict[str, Any] = {"form": form, "link": link, "folders": queries.folders()}
    if link is not None:
        context["uses"] = _uses(request, link)
        acts = LinkActions.model_validate(link.actions)
        context["repeats"] = repeats(request.member, "link", link.pk, acts)
    failed = form.is_bound and not form.is_redraw
    return render(request, "content/link.html", context, status=422 if failed else 200)


def _save(request: TenantRequest, link: TrackedLink | None, form: LinkForm) -> TrackedLink | None:
    now = tenant_now(request.tenant.pk)
    try:
        if link is None:
            return operations.create_link(draft=form.draft(), actor=request.user, now=now)
        return operations.change_link(link_id=link.pk, draft=form.draft(), actor=request.user, now=now)
    except operations.LinkNameTaken as taken:
        form.add_error("name", str(taken))
        return None


def _uses(request: TenantRequest, link: TrackedLink) -> list[Usage]:
    hidden = hidden_flows(request.member)
    return [use for use in uses_of("link", link.pk) if use.user_kind != "flow" or use.user_id not in hidden]


@require_safe
@needs(*WRITERS)
def clicks(request: TenantRequest, tenant: str, link_id: int) -> HttpResponse:
    """Show who clicked, when, in which message."""
    link = get_link(link_id)
    page = keyset_page(queries.clicks(link), by=["-at", "-id"], query=request.GET)
    context = {
        "link": link,
        "page": page,
        "lines": queries.click_lines(page.rows, member=request.member),
        "counted": queries.clicks_of([link]).get(link.pk, queries.Clicks()),
    }
    return render(request, "content/link_clicks.html", context)


@require_POST
@needs(*WRITERS)
def reset(request: TenantRequest, tenant: str, link_id: int) -> HttpResponse:
    """Count from zero."""
    link = get_link(link_id)
    operations.reset_link(link_id=link.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    messages.success(request, f"Clicks of “{link.name}” are counted anew.")
    return redirect(turl(request.tenant, "content:link_clicks", link.pk))


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def delete(request: TenantRequest, tenant: str, link_id: int) -> HttpResponse:
    """Delete a link that nothing uses."""
    link = get_link(link_id)
    try:
        operations.delete_link(link_id=link.pk, actor=request.user, now=tenant_now(request.tenant.pk))
    except InUse as used:
        messages.error(request, in_use(used))
        return redirect(turl(request.tenant, "content:link", link.pk))
    messages.success(request, f"“{link.name}” deleted. In mails that went out it still leads on.")
    return redirect(turl(request.tenant, "content:links"))
