"""Attachments in the email editor: taken in one by one, and handed out as downloads to whoever may open the email."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from accounts.guards import needs
from accounts.http import TenantRequest
from accounts.queries import tenant_now
from accounts.urls_for import turl
from content import queries
from content.attaching import MOST_BYTES, MOST_FILES, AttachmentRefused, megabytes
from content.flows_above import hidden_flows
from content.models import Email
from content.operations.attachments import keep_file
from content.queries_attachment import Attached, also_attached, pieces_of_file, read_attached, total
from content.views.library import WRITERS, get_email
from core.signing import BadToken


@dataclass(frozen=True, slots=True)
class Line:
    """An attachment in the editor. `others` are the other emails that carry the same file: (name, address)."""

    file: Attached
    token: str
    url: str
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """What an email carries, for its editor."""

    lines: tuple[Line, ...]
    size: int
    most: int = MOST_BYTES
    most_files: int = MOST_FILES

    @property
    def shown_size(self) -> str:
        """The size of all together, for people."""
        return megabytes(self.size)

    @property
    def is_heavy(self) -> bool:
        """Whether many mail servers would refuse it: 20 MB and encoding for the way make more than 25 MB."""
        return self.size > 18 * 1024 * 1024


def attachment_lines(request: TenantRequest, email: Email, files: Sequence[Attached]) -> Lines:
    """Return the files with their downloads and with what else carries them; two queries."""
    others = also_attached(files, email_id=email.pk) if files else {}
    hidden: Collection[int | None] = set(hidden_flows(request.member)) if others else ()
    return Lines(
        tuple(_line(request, email, file, others.get(file.file_id, ()), hidden) for file in files),
        total(files),
    )


def _line(
    request: TenantRequest,
    email: Email,
    file: Attached,
    others: Iterable[tuple[int, str, int | None]],
    hidden: Collection[int | None],
) -> Line:
    token = file.token(email.pk)
    named = tuple(
        ("an email of another flow", "")
        if flow_id in hidden
        else (name, turl(request.tenant, "content:edit", email_id))
        for email_id, name, flow_id in others
    )
    return Line(file, token, turl(request.tenant, "content:attachment", email.pk, token), named)


def posted_files(request: TenantRequest, email: Email) -> tuple[Attached, ...]:
    """Return the files that the editor's page named; what is not this email's is not there."""
    found = []
    for token in request.POST.getlist("attachment")[: MOST_FILES + 1]:
        try:
            found.append(read_attached(token, email_id=email.pk))
        except BadToken as bad:
            raise Http404 from bad
    return tuple(found)


@require_POST
@needs(*WRITERS)
def upload(request: TenantRequest, tenant: str, email_id: int) -> HttpResponse:
    """Take files beside those that the page has, or one of them out (`without`); saving attaches what is there then.

    Each file that is refused is named with its reason.
    """
    email = get_email(request.member, email_id)
    files, problems = list(posted_files(request, email)), list[str]()
    if token := request.POST.get("without"):
        files = [file for file in files if file.token(email.pk) != token]
    if queries.locks_of(email.pk):
        problems = ["This email is locked while a flow runs."]
    for handed in () if problems else request.FILES.getlist("files"):
        try:
            files.append(
                keep_file(
                    file=handed, name=handed.name or "", size=handed.size or 0, beside=files,
                    now=tenant_now(request.tenant.pk),
                )
            )  # fmt: skip
        except AttachmentRefused as refused:
            problems.append(f"“{(handed.name or 'A file')[:80]}” is not attached. {refused}")
    context = {
        "email": email, "files": attachment_lines(request, email, files), "file_problems": problems, "changed": True,
    }  # fmt: skip
    return render(request, "content/attachments.html", context)


@require_safe
@needs(*WRITERS)
def download(request: TenantRequest, tenant: str, email_id: int, token: str) -> HttpResponseBase:
    """Hand out a file of an email, also one that is not saved yet."""
    email = get_email(request.member, email_id)
    try:
        return handed_out(request, read_attached(token, email_id=email.pk))
    except BadToken as bad:
        raise Http404 from bad


def handed_out(request: TenantRequest, file: Attached) -> HttpResponseBase:
    """Return a file as a download, never shown, never run; a piece at a time is in memory. Raises Http404."""
    pieces = pieces_of_file(request.tenant.pk, file.file_id)
    first = next(pieces, None)
    if first is None:
        raise Http404
    response = StreamingHttpResponse(_from(first, pieces), content_type="application/octet-stream")
    response["Content-Length"] = str(file.size)
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _from(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others
