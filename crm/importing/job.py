"""The job of importing: each slice reads a thousand records from the byte where the last one ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F

from accounts.models import Tenant
from core.db.cursors import commit_without_waiting, raw_cursor
from core.jobs import JobFailed, Slice
from core.models import Job
from core.tenancy import require_tenant_id
from crm.importing.canonical import BrokenRow, records
from crm.importing.catalog import load_catalog
from crm.importing.mapping import CONSENT_KEY, import_targets
from crm.importing.rows import Column, Plan, read_row
from crm.importing.write import Writer, Written, add_new_list_values
from crm.models import ConsentPurpose, ContactImport
from crm.models.consent import E_MARKETING

ROWS = 1_000


def refresh_statistics() -> None:
    """Have the planner look at the tables that an import fills (migration 0003); some 0.2 s, whatever their size."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT crm_refresh_statistics()")


class ImportContacts:
    """The job kind. Its cursor: the byte of the next record, and that record's number (the header is row 1)."""

    name = "import_contacts"

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Import the next thousand records."""
        contact_import = ContactImport.objects.select_for_update(of=("self",)).get(pk=job.arguments["import"])
        path = stored_path(contact_import)
        offset, number = int(job.cursor.get("offset", 0)), int(job.cursor.get("row", 1))
        try:
            found = list(
                islice(records(path, delimiter=contact_import.delimiter, offset=offset), ROWS + (number == 1))
            )
        except FileNotFoundError:
            raise JobFailed(
                "The uploaded file is gone. Upload it again; rows imported before are kept."
            ) from None
        except BrokenRow as broken:
            raise JobFailed(f"After row {number}: {broken} Rows before it were imported.") from None
        rows = found[1:] if number == 1 else found
        if rows:
            written = self._write(contact_import, [cells for cells, _ in rows], number, now)
            self._count(contact_import, written)
        finished = len(rows) < ROWS
        end = found[-1][1] if found else offset
        if finished:
            refresh_statistics()
            transaction.on_commit(lambda: path.unlink(missing_ok=True))
        else:
            # The last slice waits: once it is committed the file is thrown away.
            commit_without_waiting()
        return Slice({"offset": end, "row": number + len(rows)}, end, job.total, finished)

    def _write(
        self, contact_import: ContactImport, cells: list[list[str]], number: int, now: dt.datetime
    ) -> Written:
        plan = plan_for(contact_import)
        if contact_import.options.get("add_values"):
            add_new_list_values(plan, cells)
        has_consent = CONSENT_KEY in contact_import.mapping.values()
        purpose = ConsentPurpose.objects.get(key=E_MARKETING) if has_consent else None
        rows = [read_row(one, number + place, plan) for place, one in enumerate(cells, 1)]
        with raw_cursor() as cursor:
            writer = Writer(cursor, require_tenant_id(), contact_import, purpose, plan, now)
            return writer.write(rows)

    def _count(self, contact_import: ContactImport, written: Written) -> None:
        ContactImport.objects.filter(pk=contact_import.pk).update(
            created=F("created") + written.created,
            updated=F("updated") + written.updated,
            rejected=F("rejected") + written.rejected,
            warnings=F("warnings") + written.warnings,
            companies=F("companies") + written.companies,
        )


def stored_path(contact_import: ContactImport) -> Path:
    """Return where the file lies."""
    return Path(settings.MEDIA_ROOT) / contact_import.path


def plan_for(contact_import: ContactImport, mapping: Mapping[str, str] | None = None) -> Plan:
    """Return how this import reads rows. Five queries."""
    chosen = contact_import.mapping if mapping is None else mapping
    known = {target.key: target for target in import_targets()}
    columns = tuple(
        Column(int(index), str(contact_import.headers[int(index)]), known[key])
        for index, key in chosen.items()
        if key in known and int(index) < len(contact_import.headers)
    )
    country = Tenant.objects.values_list("country", flat=True).get(pk=require_tenant_id())
    order = str(contact_import.options.get("date_order", "dmy"))
    return Plan(columns, len(contact_import.headers), load_catalog(), order, country)


IMPORT_CONTACTS = ImportContacts()
