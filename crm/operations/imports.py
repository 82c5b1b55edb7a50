"""An import's way: receive the file, settle mapping and answers, start the job, cancel or throw it away."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction

from core.jobs import cancel_job, start_job
from core.models import Job
from core.tenancy import require_tenant_id
from crm.importing.canonical import BrokenRow, make_canonical, records
from crm.importing.job import IMPORT_CONTACTS, stored_path
from crm.importing.mapping import CONSENT_KEY, guess_mapping, import_targets, mapping_problems
from crm.importing.sniff import NotATable, sniff
from crm.models import ContactImport

MOST_COLUMNS = 300
ABANDONED_AFTER = dt.timedelta(days=1)
DEFAULT_LEGAL_BASIS = "Consent"


class ImportNotReady(ValueError):
    """The import cannot start; `problems` says why, by the answer that lacks ("" for the mapping)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(" ".join(text for _, text in problems))
        self.problems = problems


class AlreadyStarted(ValueError):
    """The import was started before: a double click, or a second tab."""


def too_large() -> NotATable:
    """Return the refusal of a file over the limit."""
    megabytes = settings.IMPORT_MAX_BYTES // (1 << 20)
    return NotATable(
        f"The file is larger than {megabytes:,} MB, the most that can be imported. Split it into parts."
    )


def receive_upload(
    *, chunks: Iterable[bytes], file_name: str, user_id: int, now: dt.datetime
) -> ContactImport:
    """Store an uploaded file as canonical CSV and guess how to read it. Raises NotATable; then nothing is kept.

    Streams: memory is a block however large the file. Stops at settings.IMPORT_MAX_BYTES.
    """
    forget_abandoned(now=now)
    folder = Path(settings.MEDIA_ROOT) / "imports" / str(require_tenant_id())
    folder.mkdir(parents=True, exist_ok=True)
    key = uuid.uuid4().hex
    raw, stored = folder / f"{key}.upload", folder / f"{key}.csv"
    try:
        size = _store(chunks, raw)
        found = sniff(raw, name=file_name)
        make_canonical(raw, stored, found)
        headers = _headers(stored, found.delimiter)
        return ContactImport.objects.create(
            file_name=Path(file_name).name[-200:],
            path=str(stored.relative_to(settings.MEDIA_ROOT)),
            size=size,
            format=found.format,
            encoding=found.encoding,
            delimiter=found.delimiter,
            headers=headers,
            mapping=guess_mapping(headers, import_targets()),
            created_by_id=user_id,
            created_at=now,
        )
    except BaseException:
        stored.unlink(missing_ok=True)
        raise
    finally:
        raw.unlink(missing_ok=True)


def forget_abandoned(*, now: dt.datetime) -> int:
    """Throw away uploads that nobody started within a day, and the files of imports that failed; return how many.

    Their rows are people's data, which is not kept for nothing.
    """
    old = ContactImport.objects.filter(created_at__lt=now - ABANDONED_AFTER)
    never_started = list(old.filter(job=None))
    failed = old.filter(job__status__in=[Job.Status.FAILED, Job.Status.CANCELLED])
    paths = [stored_path(one) for one in [*never_started, *failed.only("path")]]
    found = [path for path in paths if path.exists()]
    for path in found:
        path.unlink(missing_ok=True)
    ContactImport.objects.filter(pk__in=[one.pk for one in never_started]).delete()
    return len(found)


def _store(chunks: Iterable[bytes], path: Path) -> int:
    size = 0
    free = shutil.disk_usage(path.parent).free
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.IMPORT_MAX_BYTES:
                raise too_large()
            if size > free // 3:
                raise NotATable("The server has too little room for this file. Ask its operator.")
            file.write(chunk)
    return size


def _headers(path: Path, delimiter: str) -> list[str]:
    try:
        first = list(islice(records(path, delimiter=delimiter), 2))
    except BrokenRow as broken:
        raise NotATable(f"This is not a CSV file. {broken}") from broken
    if not first or not any(cell.strip() for cell in first[0][0]):
        raise NotATable("The first row has no column names.")
    if len(first) < 2:
        raise NotATable("The file has no rows beside its column names.")
    headers = [cell.strip()[:200] for cell in first[0][0]]
    if len(headers) > MOST_COLUMNS:
        raise NotATable(f"The file has {len(headers)} columns; {MOST_COLUMNS} are the most.")
    return headers


def sample_rows(contact_import: ContactImport, count: int = 10) -> list[tuple[int, list[str]]]:
    """Return the first rows of the file with their numbers."""
    try:
        found = list(
            islice(records(stored_path(contact_import), delimiter=contact_import.delimiter), count + 1)
        )
    except (FileNotFoundError, BrokenRow):
        return []
    return [(number, cells) for number, (cells, _) in enumerate(found, 1)][1:]


@transaction.atomic
def settle_import(
    *,
    import_id: int,
    mapping: Mapping[str, str],
    date_order: str = "dmy",
    add_values: bool = False,
    legal_basis: str = "",
    source: str = "",
    selection_id: int | None = None,
) -> ContactImport:
    """Keep the mapping and the answers of an import that has not started. Raises AlreadyStarted."""
    contact_import = ContactImport.objects.select_for_update(of=("self",)).get(pk=import_id)
    if contact_import.job_id is not None:
        raise AlreadyStarted("This import was started already.")
    indexes = {str(index) for index in range(len(contact_import.headers))}
    contact_import.mapping = {index: key for index, key in mapping.items() if index in indexes}
    contact_import.options = {"date_order": "mdy" if date_order == "mdy" else "dmy", "add_values": add_values}
    contact_import.legal_basis, contact_import.source = legal_basis[:80], source[:120]
    contact_import.selection_id = selection_id
    contact_import.save()
    return contact_import


def import_problems(contact_import: ContactImport) -> list[tuple[str, str]]:
    """Return what stops the import, with the answer it is about ("" for the mapping); empty if it can start."""
    problems = [("", text) for text in mapping_problems(contact_import.mapping, import_targets())]
    if CONSENT_KEY in contact_import.mapping.values():
        if not contact_import.legal_basis.strip():
            problems.append(("legal_basis", "Say on which legal basis the contacts consented."))
        if not contact_import.source.strip():
            problems.append(("source", "Say where the consent was given (its source)."))
    return problems


@transaction.atomic
def start_import(*, import_id: int, user_id: int, now: dt.datetime) -> ContactImport:
    """Start the job. Raises ImportNotReady, or AlreadyStarted when it runs already (nothing happens then)."""
    contact_import = ContactImport.objects.select_for_update(of=("self",)).get(pk=import_id)
    if contact_import.job_id is not None:
        raise AlreadyStarted("This import was started already.")
    if problems := import_problems(contact_import):
        raise ImportNotReady(problems)
    contact_import.job = start_job(
        kind=IMPORT_CONTACTS.name,
        now=now,
        arguments={"import": contact_import.pk},
        title=f"Import {contact_import.file_name}"[:200],
        total=stored_path(contact_import).stat().st_size,
        created_by_id=user_id,
    )
    contact_import.save(update_fields=["job"])
    return contact_import


def stop_import(*, import_id: int, now: dt.datetime) -> bool:
    """Stop a running import after its slice; what was imported stays. Say whether it was still running."""
    contact_import = ContactImport.objects.get(pk=import_id)
    if contact_import.job_id is None:
        return False
    stopped = cancel_job(job_id=contact_import.job_id, now=now)
    stored_path(contact_import).unlink(missing_ok=True)
    return stopped
