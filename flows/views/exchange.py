"""Flows as files: download one, and bring one in: hand it in, say what its things are here, make the flow."""

from __future__ import annotations

from urllib.parse import quote

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from accounts.audit import write_audit
from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from flows.exchange.export import as_bytes, flow_file
from flows.exchange.matching import Matched, decided, matched
from flows.exchange.reading import BadFile, read_file
from flows.exchange.schema import MOST_BYTES, FlowFile
from flows.models import FlowFolder
from flows.operations.bring_in import BroughtIn, CannotBringIn, bring_in
from flows.panels.choices import folder_choices
from flows.steps.forms import choose, to_number
from flows.visibility import visible_flows

admin = needs(Right.FLOW_ADMINISTRATOR)


class NameForm(forms.Form):
    """What the flow will be called, and where it goes."""

    name = forms.CharField(label="Name", max_length=120)
    folder = forms.TypedChoiceField(label="Folder", required=False, coerce=to_number, empty_value=None)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choose(self, "folder", folder_choices())


@require_GET
@admin
def export(request: TenantRequest, tenant: str, flow_id: int) -> HttpResponse:
    """Download the flow's draft with what it uses."""
    flow = visible_flows(request.member).filter(pk=flow_id).first()
    if flow is None:
        raise Http404
    data = as_bytes(flow_file(flow, member=request.member))
    write_audit(
        actor=request.user, action="flow.export", object_kind="flow", object_id=flow.pk, object_name=flow.name
    )
    response = HttpResponse(data, content_type="application/json")
    plain = slugify(flow.name)[:60] or "flow"
    wanted = quote(f"{flow.name}.flow.json".replace("/", "-"))
    response["Content-Disposition"] = f"attachment; filename=\"{plain}.flow.json\"; filename*=UTF-8''{wanted}"
    return response


@require_http_methods(["GET", "POST"])
@admin
def bring(request: TenantRequest, tenant: str) -> HttpResponse:
    """Take a file; show what it is and what its things are here; with `make`, make the flow."""
    if request.method == "GET":
        return _upload(request)
    data = _handed_in(request)
    if not data:
        return _upload(request, problem="Choose a file.")
    try:
        file = read_file(data)
    except BadFile as bad:
        return _upload(request, bad=bad)
    found = matched(file, member=request.member)
    if "make" not in request.POST:
        form = NameForm(initial={"name": file.name, "folder": request.GET.get("folder", "")})
        return _ask(request, file, data, found, form)
    return _make(request, file, data, found)


def _handed_in(request: TenantRequest) -> bytes:
    """Return the file, or its text as the page gave it back; of a file that is too large, enough to be refused."""
    handed = request.FILES.get("file")
    if handed is not None:
        return bytes(handed.read(MOST_BYTES + 1))
    return request.POST.get("text", "").encode("utf-8", "replace")


def _make(request: TenantRequest, file: FlowFile, data: bytes, found: Matched) -> HttpResponse:
    decisions = decided(found, request.POST.dict())
    form = NameForm(request.POST)
    if not form.is_valid():
        return _ask(request, file, data, found, form, status=422)
    number = form.cleaned_data["folder"]
    try:
        done = bring_in(
            file=file, decisions=decisions, name=form.cleaned_data["name"], member=request.member,
            now=tenant_now(request.tenant.pk),
            folder=FlowFolder.objects.filter(pk=number).first() if number else None,
        )  # fmt: skip
    except CannotBringIn as refused:
        form.add_error(None, str(refused))
        return _ask(request, file, data, found, form, status=422)
    return _done(request, done)


def _upload(request: TenantRequest, *, problem: str = "", bad: BadFile | None = None) -> HttpResponse:
    context = {
        "problem": problem,
        "bad": bad,
        "most": MOST_BYTES,
        "megabytes": MOST_BYTES // 1024 // 1024,
        "folder": request.GET.get("folder", ""),
    }
    return render(request, "flows/import.html", context, status=422 if problem or bad else 200)


def _ask(
    request: TenantRequest,
    file: FlowFile,
    data: bytes,
    found: Matched,
    form: NameForm,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "file": file,
        "text": data.decode("utf-8-sig"),
        "found": found,
        "form": form,
        "steps": sum(1 for _ in file.document.walk()),
    }
    return render(request, "flows/import_match.html", context, status=status)


def _done(request: TenantRequest, done: BroughtIn) -> HttpResponse:
    messages.success(request, f"{done.flow.name} is here as a draft. It does not run yet.")
    for note in done.notes:
        messages.warning(request, note)
    return redirect(turl(request.tenant, "flows:edit", done.flow.pk))
