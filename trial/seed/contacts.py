"""The demo's companies and contacts: drawn from world.py and taken in by the importer, like any customer's file."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence

from accounts.models import User
from core.jobs import run_slice
from core.models import Job
from core.tenancy import require_tenant_id
from crm.models import ContactImport
from crm.operations.imports import receive_upload, settle_import, start_import
from trial.seed.world import Someone, Workplace, companies, people

HEADERS = (
    "First name", "Last name", "E-mail", "Mobile", "Job title", "Company", "Category", "Business", "Country",
    "Language", "Interests", "E-marketing consent", "Our contact", "Customer since", "Annual revenue",
)  # fmt: skip
CONSENT = {True: "yes", False: "no", None: ""}


class SeedFailed(RuntimeError):
    """The demo's own data were not taken in: a fault of ours."""


def seed_contacts(*, importer: User, owners: Sequence[User], now: dt.datetime) -> None:
    """Import the demo's people into the open tenant; `owners` share the companies among them."""
    uploaded = receive_upload(
        chunks=[_file(owners, now.date()).encode()],
        file_name="northwind-contacts.csv",
        user_id=importer.pk,
        now=now,
    )
    settle_import(
        import_id=uploaded.pk,
        mapping=uploaded.mapping,
        date_order="ymd",
        legal_basis="Consent",
        source="Sign-up form on northwind.example",
    )
    started = start_import(import_id=uploaded.pk, user_id=importer.pk, now=now)
    _finish(started, now)


def _finish(started: ContactImport, now: dt.datetime) -> None:
    assert started.job_id  # noqa: S101  start_import has just set it
    while run_slice(tenant_id=require_tenant_id(), job_id=started.job_id, now=now):
        pass
    job = Job.objects.get(pk=started.job_id)
    if job.status != Job.Status.DONE:
        raise SeedFailed(f"The demo's contacts could not be imported: {job.error}")


def _file(owners: Sequence[User], today: dt.date) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADERS)
    writer.writerows(_rows(companies(today), owners))
    return text.getvalue()


def _rows(workplaces: Sequence[Workplace], owners: Sequence[User]) -> Iterator[list[str]]:
    numbers = {workplace.name: number for number, workplace in enumerate(workplaces)}
    for someone in people(workplaces):
        number = numbers[someone.company]
        yield _row(someone, workplaces[number], owners[number % len(owners)])


def _row(someone: Someone, workplace: Workplace, owner: User) -> list[str]:
    return [
        someone.first_name,
        someone.last_name,
        someone.email,
        someone.mobile,
        someone.job_title,
        workplace.name,
        workplace.category,
        workplace.business,
        someone.country.code,
        someone.country.language,
        "; ".join(someone.interests),
        CONSENT[someone.consent],
        owner.email,
        workplace.customer_since.isoformat() if workplace.customer_since else "",
        str(workplace.annual_revenue or ""),
    ]
