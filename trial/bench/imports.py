"""`bench import`: a file of real-world mess (or one of one's own) through upload, mapping and a real worker."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.models import Role, Tenant, User
from accounts.operations import add_member, create_tenant
from core.clock import now
from core.models import Job
from core.tenancy import tenant_scope
from crm.models import Contact, ContactImport
from crm.operations.imports import receive_upload, settle_import, start_import
from trial.bench.engine import WrongResult
from trial.bench.workers import Workers, celery_workers

SAMPLE = Path(settings.BASE_DIR) / "tests" / "data" / "contacts.csv"
CHUNK = 64 * 1024


def import_contacts(*, rows: int, file: Path = SAMPLE) -> dict[str, Any]:
    """Return the figures of one import; raises WrongResult where a row is not accounted for.

    Where the file has fewer rows it is taken again and again, each time with other addresses and companies, so that
    every round makes as many contacts as the first.
    """
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file} to import.")
    tenant, user = _make_tenant(file)
    log = Path(settings.HOME) / "logs" / "bench-worker.log"
    with celery_workers(1, log=log) as crew:
        start = time.perf_counter()
        started = _start(tenant, user, rows, file)
        _wait(tenant, started, crew)
        seconds = time.perf_counter() - start
        crew.measure()
    with tenant_scope(tenant.pk):
        done = ContactImport.objects.get(pk=started.pk)
        _check(done, rows)
        return {
            "rows": rows,
            "created": done.created,
            "updated": done.updated,
            "rejected": done.rejected,
            "warnings": done.warnings,
            "companies": done.companies,
            "seconds": round(seconds, 3),
            "rows_per_second": round(rows / seconds),
            "peak_rss_mib": round(crew.peak_kib / 1024),
        }


def _make_tenant(file: Path) -> tuple[Tenant, User]:
    """Return a tenant whose members are those that the file names, and who imports."""
    moment = now()
    slug = f"bench-import-{moment:%y%m%d%H%M%S%f}"
    tenant = create_tenant(
        slug=slug, name="Bench", country="NO", from_email="bench@bench.test", postal_address="-", now=moment
    )
    with file.open(encoding="utf-8", newline="") as source:
        names = {row.get("Our contact", "") for row in islice(csv.DictReader(source), 10_000)}
    with tenant_scope(tenant.pk):
        role = Role.objects.get(name="Administrator")
        users = [
            User.objects.create_user(email=_owner(tenant, name) or f"admin@{slug}.test")
            for name in sorted(names | {""})
        ]
        for user in users:
            add_member(user=user, role=role, group=None)
    return tenant, users[0]


def _owner(tenant: Tenant, name: str) -> str:
    # Addresses of users are the installation's: the sample's own may be somebody's already.
    return f"{name.partition('@')[0]}@{tenant.slug}.test" if name else ""


def _start(tenant: Tenant, user: User, rows: int, file: Path) -> ContactImport:
    with tenant_scope(tenant.pk), transaction.atomic():
        uploaded = receive_upload(
            chunks=_chunks(tenant, rows, file), file_name=file.name, user_id=user.pk, now=now()
        )
        settle_import(
            import_id=uploaded.pk, mapping=uploaded.mapping, legal_basis="Consent", source="Benchmark"
        )
        return start_import(import_id=uploaded.pk, user_id=user.pk, now=now())


def _chunks(tenant: Tenant, rows: int, file: Path) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in islice(_rows(tenant, file), rows + 1):
        writer.writerow(row)
        if text.tell() > CHUNK:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _rows(tenant: Tenant, file: Path) -> Iterator[list[str]]:
    """Yield the header, then the rows of the file without end."""
    for again in count():
        with file.open(encoding="utf-8", newline="") as source:
            reader = csv.DictReader(source)
            if not again:
                yield list(reader.fieldnames or [])
            for row in reader:
                row["Our contact"] = _owner(tenant, row.get("Our contact", ""))
                if again and row.get("E-mail"):
                    row["E-mail"] = f"r{again}.{row['E-mail']}"
                if again and row.get("Company"):
                    row["Company"] = f"{row['Company']} {again}"
                yield [row.get(name) or "" for name in reader.fieldnames or []]


def _wait(tenant: Tenant, started: ContactImport, crew: Workers) -> None:
    assert started.job_id is not None  # noqa: S101  (start_import has set it)
    while True:
        with tenant_scope(tenant.pk):
            job = Job.objects.get(pk=started.job_id)
        if job.is_over:
            break
        if crew.process.poll() is not None:
            raise WrongResult(f"The worker died: {crew.log.read_text()[-2000:]}")
        time.sleep(0.05)
    if job.status != Job.Status.DONE:
        raise WrongResult(f"The import ended as {job.status}: {job.error}")


def _check(done: ContactImport, rows: int) -> None:
    found = (done.created + done.updated + done.rejected, Contact.objects.count())
    if found != (rows, done.created):
        raise WrongResult(f"found {found}, wanted {(rows, done.created)}")
