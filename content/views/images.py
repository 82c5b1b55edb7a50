"""The picture library: look, upload, name, see what uses a picture, delete."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from content import queries_image as queries
from content.flows_above import hidden_flows
from content.models import Email, Image
from content.operations import images as operations
from content.pictures import MOST_UPLOADED, PictureRefused
from content.views.library import WRITERS
from core.paging import keyset_page
from crm.models import Usage
from crm.operations.usage import InUse, uses_of
from crm.refusals import in_use

PAGE = 24
MOST_AT_ONCE = 20


class ImageForm(forms.Form):
    """What may be said of a picture."""

    name = forms.CharField(max_length=120, label="Name")
    alt = forms.CharField(
        max_length=250, required=False, label="Text for those who do not see it",
        help_text="Suggested where the picture is put into an email. Leave it empty for decoration.",
    )  # fmt: skip


def get_image(image_id: int) -> Image:
    """Return a picture, or raise Http404."""
    image = Image.objects.filter(pk=image_id).select_related("created_by").first()
    if image is None:
        raise Http404
    return image


@require_safe
@needs(*WRITERS)
def images(request: TenantRequest, tenant: str) -> HttpResponse:
    """List the pictures, newest first."""
    search = request.GET.get("q", "")[:120]
    page = keyset_page(queries.images(search), by=["-created_at", "-id"], query=request.GET, size=PAGE)
    context = {
        "page": page, "lines": queries.image_lines(page.rows), "search": search, "most": MOST_UPLOADED,
    }  # fmt: skip
    return render(request, "content/images.html", context)


@require_POST
@needs(*WRITERS)
def upload(request: TenantRequest, tenant: str) -> HttpResponse:
    """Keep the pictures of one upload; each that cannot be kept is named with its reason."""
    files = request.FILES.getlist("files")
    if not files:
        messages.error(request, "Choose a picture first.")
    if len(files) > MOST_AT_ONCE:
        messages.error(request, f"At most {MOST_AT_ONCE} pictures at once.")
        files = []
    kept = 0
    for file in files:
        try:
            image, is_new = operations.upload_image(
                file=file, size=file.size or 0, file_name=file.name or "", actor=request.user,
                now=tenant_now(request.tenant.pk),
            )  # fmt: skip
        except PictureRefused as refused:
            messages.error(request, f"“{(file.name or '')[:80]}” was not kept. {refused}")
            continue
        kept += is_new
        if not is_new:
            messages.info(request, f"“{image.name}” was there already.")
    if kept:
        messages.success(request, f"{kept} picture{'' if kept == 1 else 's'} uploaded.")
    return redirect(turl(request.tenant, "content:images"))


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def choose(request: TenantRequest, tenant: str) -> HttpResponse:
    """Show pictures to choose from in an email; a POST uploads one and shows it first."""
    search, problem = request.GET.get("q", "")[:120], ""
    file = request.FILES.get("file")
    if request.method == "POST" and file is None:
        problem = "Choose a picture first."
    elif file is not None:
        try:
            operations.upload_image(
                file=file, size=file.size or 0, file_name=file.name or "", actor=request.user,
                now=tenant_now(request.tenant.pk),
            )  # fmt: skip
        except PictureRefused as refused:
            problem = str(refused)
    found = list(queries.images(search).order_by("-created_at", "-id")[: PAGE + 1])
    context = {
        "lines": queries.image_lines(found[:PAGE]), "more": len(found) > PAGE, "search": search, "problem": problem,
    }  # fmt: skip
    return render(request, "content/choose_image.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
@needs(*WRITERS)
def image(request: TenantRequest, tenant: str, image_id: int) -> HttpResponse:
    """Show one picture with what uses it; a POST changes its name and text."""
    found = get_image(image_id)
    form = ImageForm(request.POST or None, initial={"name": found.name, "alt": found.alt})
    if request.method == "POST" and form.is_valid():
        operations.describe_image(image_id=found.pk, actor=request.user, **form.cleaned_data)
        messages.success(request, "Picture saved.")
        return redirect(turl(request.tenant, "content:image", found.pk))
    uses = _uses(request, found)
    context = {"line": queries.ImageLine(found, len(uses)), "image": found, "form": form, "uses": uses}
    return render(request, "content/image.html", context, status=422 if form.is_bound else 200)


def _uses(request: TenantRequest, image: Image) -> list[Usage]:
    """Return what uses a picture; an email of a flow that the member may not see is there without its name."""
    uses = uses_of("image", image.pk)
    emails = [use.user_id for use in uses if use.user_kind == "email"]
    hidden = set(
        Email.objects.filter(pk__in=emails, flow_id__in=hidden_flows(request.member)).values_list(
            "pk", flat=True
        )
    )
    for use in uses:
        if use.user_kind == "email" and use.user_id in hidden:
            use.user_name, use.url = "An email of another flow", ""
    return uses


@require_POST
@needs(Right.FLOW_ADMINISTRATOR)
def delete(request: TenantRequest, tenant: str, image_id: int) -> HttpResponse:
    """Delete a picture that nothing uses."""
    found = get_image(image_id)
    try:
        operations.delete_image(image_id=found.pk, actor=request.user)
    except InUse as used:
        messages.error(request, in_use(used))
        return redirect(turl(request.tenant, "content:image", found.pk))
    messages.success(request, f"“{found.name}” deleted.")
    return redirect(turl(request.tenant, "content:images"))
