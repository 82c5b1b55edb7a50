"""Importing contacts: upload, mapping with preview, progress, result with the file of what was left out.

The upload runs outside the request's transaction and refuses by its announced length before a byte is read, so the
CSRF check (which reads the form) comes after that, inside.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.db.models import Case, Count, F, Value, When
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guards import needs, outside_transaction
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.rights import Right
from accounts.urls_for import turl
from core import clock
from core.csv_out import csv_lines
from core.jobs import STALLED_AFTER, wake_after_commit
from core.models import Job
from core.tenancy import tenant_scope
from crm.forms.small import ImportAnswersForm
from crm.importing.job import plan_for
from crm.importing.mapping import CONSENT_KEY, import_targets
from crm.importing.people import NOT_APPLIED
from crm.importing.preview import preview_cells
from crm.importing.rows import read_row
from crm.importing.sniff import NotATable
from crm.models import ContactImport, ImportIssue, Selection
from crm.operations.imports import (
    AlreadyStarted,
    ImportNotReady,
    receive_upload,
    sample_rows,
    settle_import,
    start_import,
    stop_import,
    too_large,
)

# What a form adds to the file it carries.
FORM_BYTES = 64 * 1024
_ENCODINGS = {"utf-8-sig": "UTF-8", "cp1252": "Windows (Western)", "latin-1": "Latin-1"}


class _Limit(TemporaryFileUploadHandler):
    """Writes to disk at once, and stops when more comes than announced or allowed."""

    taken = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Count and write."""
        self.taken += len(raw_data)
        if self.taken > settings.IMPORT_MAX_BYTES:
            raise StopUpload(connection_reset=True)
        super().receive_data_chunk(raw_data, start)


def _import(request: TenantRequest, import_id: int) -> ContactImport:
    found = (
        ContactImport.objects.select_related("job", "selection", "created_by").filter(pk=import_id).first()
    )
    if found is None:
        raise Http404
    return found


@csrf_exempt
@outside_transaction
@needs(Right.IMPORT)
def upload(request: TenantRequest, tenant: str) -> HttpResponse:
    """Choose a file; take it in, or say what it is instead."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if announced.isdecimal() and int(announced) > settings.IMPORT_MAX_BYTES + FORM_BYTES:
        return _upload_page(request, str(too_large()), 413)
    if request.method == "POST":
        request.upload_handlers = [_Limit(request)]
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    page: TenantRequest = request  # type: ignore[assignment]  # csrf_protect knows only HttpRequest
    if request.method != "POST":
        return _upload_page(page, "", 200)
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile):
        return _upload_page(page, "Choose a file.", 422)
    try:
        with tenant_scope(page.tenant.pk):
            made = receive_upload(
                chunks=file.chunks(),
                file_name=file.name or "contacts.csv",
                user_id=page.user.pk,
                now=tenant_now(page.tenant.pk),
            )
    except NotATable as refusal:
        return _upload_page(page, str(refusal), 422)
    return redirect(turl(page.tenant, "crm:import_mapping", made.pk))


def _upload_page(request: TenantRequest, problem: str, status: int) -> HttpResponse:
    with tenant_scope(request.tenant.pk):
        recent = list(
            ContactImport.objects.exclude(job=None).select_related("job", "created_by").order_by("-pk")[:10]
        )
        megabytes = settings.IMPORT_MAX_BYTES // (1 << 20)
        context = {
            "problem": problem,
            "recent": recent,
            "megabytes": megabytes,
            "most": settings.IMPORT_MAX_BYTES,
        }
        return render(request, "crm/import_upload.html", context, status=status)


@needs(Right.IMPORT)
@require_http_methods(["GET", "POST"])
def mapping(request: TenantRequest, tenant: str, import_id: int) -> HttpResponse:
    """Correct the mapping and answer what is asked; preview; start."""
    shown = _import(request, import_id)
    if shown.job_id is not None:
        return redirect(turl(request.tenant, "crm:import", shown.pk))
    problems: list[str] = []
    form = _answers(request, shown)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        shown = settle_import(
            import_id=shown.pk,
            mapping={str(i): request.POST.get(f"column-{i}", "") for i in range(len(shown.headers))},
            date_order=data["date_order"],
            add_values=bool(data.get("add_values")),
            legal_basis=data["legal_basis"],
            source=data["source"],
            selection_id=int(data["selection"]) if data["selection"] else None,
        )
        if request.POST.get("do") == "start":
            try:
                start_import(import_id=shown.pk, user_id=request.user.pk, now=tenant_now(request.tenant.pk))
            except ImportNotReady as refusal:
                problems = [text for _, text in refusal.problems]
                for field, text in refusal.problems:
                    if field:
                        form.add_error(field, text)
            else:
                return redirect(turl(request.tenant, "crm:import", shown.pk))
    context = {**_mapping_context(shown), "form": form, "problems": problems}
    name = "crm/import_preview.html" if request.htmx else "crm/import_mapping.html"
    return render(request, name, context, status=422 if problems else 200)


def _answers(request: TenantRequest, shown: ContactImport) -> ImportAnswersForm:
    return ImportAnswersForm(
        request.POST if request.method == "POST" else None,
        initial={
            "date_order": shown.options.get("date_order", "dmy"),
            "add_values": shown.options.get("add_values", False),
            "selection": str(shown.selection_id or ""),
            "legal_basis": shown.legal_basis or "Consent",
            "source": shown.source,
        },
        selections=[
            (str(pk), name)
            for pk, name in Selection.objects.filter(kind="static").values_list("pk", "name")[:500]
        ],
        may_add_values=request.member.may(Right.MANAGE_LISTS, Right.ADMINISTRATOR),
    )


def _mapping_context(shown: ContactImport) -> dict[str, object]:
    targets = import_targets()
    groups: dict[str, list[tuple[str, str]]] = {}
    for target in targets:
        groups.setdefault(target.group, []).append((target.key, target.label))
    samples = sample_rows(shown)
    columns = [
        {
            "index": index,
            "header": header or f"Column {index + 1}",
            "key": shown.mapping.get(str(index), ""),
            "samples": [cells[index] for _, cells in samples if index < len(cells) and cells[index].strip()][
                :3
            ],
        }
        for index, header in enumerate(shown.headers)
    ]
    plan = plan_for(shown)
    rows = [read_row(cells, number, plan) for number, cells in samples]
    return {
        "shown": shown,
        "groups": groups.items(),
        "columns": columns,
        "heads": [column.into.label for column in plan.columns],
        "preview": [(row, preview_cells(row, plan)) for row in rows],
        "asks_consent": CONSENT_KEY in shown.mapping.values(),
        "encoding": _ENCODINGS.get(shown.encoding, shown.encoding.upper()),
    }


@needs(Right.IMPORT)
@require_GET
def result(request: TenantRequest, tenant: str, import_id: int) -> HttpResponse:
    """Show progress, then what came of it."""
    shown = _import(request, import_id)
    if shown.job is None:
        return redirect(turl(request.tenant, "crm:import_mapping", shown.pk))
    context = {
        "shown": shown,
        "job": shown.job,
        "total": shown.created + shown.updated + shown.rejected,
        "issues": ImportIssue.objects.filter(contact_import=shown).order_by("-rejected", "row", "id")[:50],
        "kinds": ImportIssue.objects.filter(contact_import=shown)
        .annotate(
            sort_of=Case(When(reason__startswith=NOT_APPLIED, then=Value(NOT_APPLIED)), default=F("reason"))
        )
        .values("column", "sort_of", "rejected")
        .annotate(count=Count("id"))
        .order_by("-rejected", "-count")[:20],
    }
    return render(request, "crm/import.html", context)


@needs(Right.IMPORT)
@require_GET
def progress(request: TenantRequest, tenant: str, import_id: int) -> HttpResponse:
    """Answer the polling bar; a job that lost its wake is woken again; when it is over the page loads anew."""
    shown = _import(request, import_id)
    if shown.job is None:
        raise Http404
    if shown.job.is_over:
        response = HttpResponse(status=200)
        response["HX-Refresh"] = "true"
        return response
    if shown.job.updated_at < clock.now() - STALLED_AFTER:
        Job.objects.filter(pk=shown.job.pk).update(updated_at=clock.now())
        wake_after_commit(shown.job)
    return render(request, "crm/import_progress.html", {"shown": shown, "job": shown.job})


@needs(Right.IMPORT)
@require_POST
def stop(request: TenantRequest, tenant: str, import_id: int) -> HttpResponse:
    """Stop a running import, or throw away one that has not started."""
    shown = _import(request, import_id)
    try:
        stop_import(import_id=shown.pk, now=tenant_now(request.tenant.pk))
    except AlreadyStarted as refusal:
        messages.error(request, str(refusal))
    return redirect(turl(request.tenant, "crm:import", shown.pk))


@needs(Right.IMPORT)
@require_GET
@outside_transaction
def issues(request: TenantRequest, tenant: str, import_id: int) -> StreamingHttpResponse:
    """Stream the rejected rows and warnings as CSV: row, column, reason, value and the row's own cells."""
    tenant_id = request.tenant.pk
    with tenant_scope(tenant_id):
        shown = _import(request, import_id)
    only = request.GET.get("only", "")

    def rows() -> Iterator[list[object]]:
        yield ["Row", "What", "Column", "Reason", "Value", *shown.headers]
        with tenant_scope(tenant_id):
            found = ImportIssue.objects.filter(contact_import=shown).order_by("row", "id")
            if only in {"rejected", "warnings"}:
                found = found.filter(rejected=only == "rejected")
            for issue in found.iterator(chunk_size=2_000):
                what = "rejected" if issue.rejected else "warning"
                yield [issue.row, what, issue.column, issue.reason, issue.value, *(issue.cells or [])]

    response = StreamingHttpResponse(csv_lines(rows()), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{shown.pk}-left-out.csv"'
    return response
