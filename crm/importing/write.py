"""Writing one slice: some twenty statements however many rows, in the caller's transaction.

Measured: about 0.6 ms a row on one core (docs/performance.md).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from core.text import norm, norm_email
from crm import bulk, search
from crm.bulk import Target
from crm.bulk import write as bulk_write
from crm.bulk.moves import MOVED, Move, lines_of_moves
from crm.bulk.state import Owner, State, load, load_companies, load_custom
from crm.bulk.update import record_changes, write_state
from crm.events import NewEvent, Origin, record_events
from crm.importing.catalog import add_items
from crm.importing.people import INTERESTS, People, Person, gather
from crm.importing.rows import Issue, Plan, Row, list_key, split_items
from crm.models import ConsentPurpose, ContactImport
from crm.operations.consent import NewConsent, write_consents
from crm.operations.erase import erased_among

# The company that a contact belongs to: written like a choice, never offered to people.
Moved = dict[int, list[dict[str, Any]]]
_COMPANY = Target(MOVED, "Company", "Contact", "item", "contact", "company_id")
_TEXT_COLUMNS = (
    "first_name",
    "last_name",
    "job_title",
    "email",
    "mobile",
    "phone",
    "country",
    "language",
    "timezone",
)
_OTHER_COLUMNS = (
    ("date_of_birth", "date", "contact.date_of_birth"),
    ("category_id", "bigint", "contact.category"),
    ("business_id", "bigint", "contact.business"),
    ("our_contact_id", "bigint", "contact.our_contact"),
    ("service_contact_id", "bigint", "contact.service_contact"),
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a slice came to."""

    created: int
    updated: int
    rejected: int
    warnings: int
    companies: int


@dataclass(frozen=True, slots=True)
class Writer:
    """One import's way of writing: whose it is, how its rows are read, when it is now."""

    cursor: psycopg.Cursor[Any]
    tenant_id: int
    contact_import: ContactImport
    purpose: ConsentPurpose | None
    plan: Plan
    now: dt.datetime

    @property
    def targets(self) -> list[Target]:
        """The fields that columns are read into."""
        found = (column.into.target for column in self.plan.columns)
        return [target for target in found if target is not None]

    def write(self, rows: Sequence[Row]) -> Written:
        """Write the rows of a slice and return its counts. One import of a tenant writes at a time."""
        self.cursor.execute("SELECT pg_advisory_xact_lock(hashtext('crm.import'), %s::int)", [self.tenant_id])
        known = self._known({row.email_norm for row in rows if row.email_norm and not row.rejected})
        self._leave_out_erased([row for row in rows if row.email_norm and row.email_norm not in known])
        good = [row for row in rows if not row.rejected]
        made, companies, by_id = self._companies({row.company for row in good if row.company}, known)
        people = gather(good, known=known, companies=companies, by_id=by_id, plan=self.plan)
        state, moved = self._existing(people, by_id)
        self._create([person for person in people.persons if person.is_new], by_id)
        self._finish(people, state, moved)
        issues = [issue for row in rows for issue in row.issues]
        self._write_issues(issues)
        rejected = len(rows) - len(good)
        return Written(people.created, people.updated, rejected, len(issues) - rejected, made)

    @staticmethod
    def _leave_out_erased(rows: Sequence[Row]) -> None:
        """Who asked to be erased does not come back by a file; nothing of the row is kept."""
        erased = erased_among({row.email_norm for row in rows if not row.rejected})
        for row in rows:
            if row.email_norm in erased:
                row.cells = ()
                row.reject("", "Erased at the person's request", "")

    # --- what exists ----------------------------------------------------------------------------------------------

    def _known(self, emails: set[str]) -> dict[str, tuple[int, int | None]]:
        """Return contact and company by address, locked; of several with one address the oldest."""
        if not emails:
            return {}
        self.cursor.execute(
            "SELECT email_norm, id, company_id FROM crm_contact WHERE tenant_id = %s::bigint "
            "AND email_norm = ANY(%s::text[]) AND email_norm <> '' AND deleted_at IS NULL "
            "ORDER BY id FOR NO KEY UPDATE",
            [self.tenant_id, sorted(emails)],
        )
        found: dict[str, tuple[int, int | None]] = {}
        for email, contact_id, company_id in self.cursor.fetchall():
            found.setdefault(email, (contact_id, company_id))
        return found

    def _companies(
        self, names: set[str], known: dict[str, tuple[int, int | None]]
    ) -> tuple[int, dict[str, Owner], dict[int, Owner]]:
        """Make the companies that are missing; return how many, and all by name and by id."""
        made = 0
        if names:
            self.cursor.execute(
                "INSERT INTO crm_company (tenant_id, name, name_norm, phone, website, country, created_at, updated_at) "
                "SELECT %s::bigint, v.name, v.name_norm, '', '', '', %s::timestamptz, %s::timestamptz "
                "FROM unnest(%s::text[], %s::text[]) v (name, name_norm) ON CONFLICT DO NOTHING RETURNING id, name",
                [self.tenant_id, self.now, self.now, sorted(names), [norm(name) for name in sorted(names)]],
            )
            new = {row[0]: search.words_of_company(name=row[1]) for row in self.cursor.fetchall()}
            made = len(new)
            search.write_words(
                self.cursor, tenant_id=self.tenant_id, kind=search.COMPANY, words=new, are_new=True
            )
        ids = {company_id for _, company_id in known.values() if company_id}
        by_id = self._load_companies(names, ids)
        return made, {owner.row["name"]: owner for owner in by_id.values()}, by_id

    def _load_companies(self, names: set[str], ids: set[int]) -> dict[int, Owner]:
        if names:
            self.cursor.execute(
                "SELECT id FROM crm_company WHERE tenant_id = %s::bigint AND name = ANY(%s::text[])",
                [self.tenant_id, sorted(names)],
            )
            ids |= {row[0] for row in self.cursor.fetchall()}
        columns = [t for t in self.targets if t.place in {"shared", "company"}]
        owners = load_companies(self.cursor, self.tenant_id, sorted(ids), columns)
        custom = [t for t in self.targets if t.place == "company_custom"]
        load_custom(self.cursor, self.tenant_id, "company", owners, custom)
        return owners

    def _existing(self, people: People, by_id: dict[int, Owner]) -> tuple[State, Moved]:
        """Lay the values of known people over what they hold now; and tell what another company brings."""
        known = {person.id: person for person in people.persons if person.id is not None}
        targets = [t for t in self.targets if not t.is_company]
        state = load(
            self.cursor,
            tenant_id=self.tenant_id,
            contact_ids=sorted(known),
            targets=[*targets, _COMPANY],
        )
        state.companies = by_id
        moves = [Move(pk, owner.company_id, known[pk].company_id) for pk, owner in state.contacts.items()]
        moved = lines_of_moves(self.cursor, tenant_id=self.tenant_id, moves=moves)
        for contact_id, owner in state.contacts.items():
            person = known[contact_id]
            for key, value in person.values.items():
                owner.new[key] = owner.get(key) | value if key == INTERESTS else value
            owner.new[_COMPANY.key] = person.company_id
            owner.company_id = person.company_id
        return state, moved

    # --- what is new ----------------------------------------------------------------------------------------------

    def _create(self, persons: Sequence[Person], by_id: dict[int, Owner]) -> None:
        if not persons:
            return
        self.cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('crm_contact', 'id')) FROM generate_series(1, %s::int)",
            [len(persons)],
        )
        for person, row in zip(persons, self.cursor.fetchall(), strict=True):
            person.id = row[0]
        self._insert(persons)
        for target in self.targets:
            if target.place == "contact_custom":
                rows = [(p.id or 0, p.values[target.key]) for p in persons if target.key in p.values]
                bulk_write.upsert_custom(self.cursor, tenant_id=self.tenant_id, target=target, rows=rows)
        pairs = [(p.id or 0, item) for p in persons for item in sorted(p.values.get(INTERESTS, ()))]
        bulk_write.add_interests(self.cursor, tenant_id=self.tenant_id, pairs=pairs)
        words = {person.id or 0: self._words(person) for person in persons}
        search.write_words(
            self.cursor, tenant_id=self.tenant_id, kind=search.CONTACT, words=words, are_new=True
        )
        self._record_created(persons)

    def _insert(self, persons: Sequence[Person]) -> None:
        columns: list[tuple[str, str, list[Any]]] = [
            (name, "text", [p.values.get(f"contact.{name}", "") for p in persons]) for name in _TEXT_COLUMNS
        ]
        columns += [(name, cast, [p.values.get(key) for p in persons]) for name, cast, key in _OTHER_COLUMNS]
        columns += [
            ("id", "bigint", [p.id for p in persons]),
            ("company_id", "bigint", [p.company_id for p in persons]),
            ("former_employee", "boolean", [p.values.get("contact.former_employee", False) for p in persons]),
            (
                "name_norm",
                "text",
                [norm(f"{_text(p, 'first_name')} {_text(p, 'last_name')}") for p in persons],
            ),
            ("email_norm", "text", [norm_email(_text(p, "email")) for p in persons]),
        ]
        names = ", ".join(name for name, _, _ in columns)
        arrays = ", ".join(f"%s::{cast}[]" for _, cast, _ in columns)
        self.cursor.execute(
            f"INSERT INTO crm_contact (tenant_id, origin, created_at, updated_at, {names}) "
            f"SELECT %s::bigint, 'import', %s::timestamptz, %s::timestamptz, v.* FROM unnest({arrays}) v",
            [self.tenant_id, self.now, self.now, *(values for _, _, values in columns)],
        )

    def _words(self, person: Person) -> set[str]:
        return search.words_of_contact(
            first_name=_text(person, "first_name"),
            last_name=_text(person, "last_name"),
            email=_text(person, "email"),
            phones=(_text(person, "mobile"), _text(person, "phone")),
        )

    def _record_created(self, persons: Iterable[Person]) -> None:
        common = {"import": self.contact_import.pk}
        record_events(
            [
                NewEvent(
                    "contact.created",
                    person.id or 0,
                    self.now,
                    Origin.IMPORT,
                    company_id=person.company_id,
                    data=common,
                    actor_id=self.contact_import.created_by_id,
                    quiet=True,
                )
                for person in persons
            ],
            cursor=self.cursor,
        )

    # --- the rest -------------------------------------------------------------------------------------------------

    def _finish(self, people: People, state: State, moved: Moved) -> None:
        """Write known people and companies, then consents and the selection for everyone."""
        new = frozenset(person.id for person in people.persons if person.is_new and person.id)
        actor_id = self.contact_import.created_by_id
        # A company's row is written only where its values changed; contacts of this file have none of their own.
        write_state(
            self.cursor,
            tenant_id=self.tenant_id,
            state=state,
            targets=[*self.targets, _COMPANY],
            now=self.now,
        )
        record_changes(
            self.cursor,
            tenant_id=self.tenant_id,
            state=state,
            now=self.now,
            origin=Origin.IMPORT,
            actor_id=actor_id,
            without=new,
            moved=moved,
        )
        if self.purpose is not None:
            rows = [NewConsent(p.id, given, self.now) for p in people.persons if p.id for given in p.consents]
            write_consents(
                self.cursor,
                rows=rows,
                purpose=self.purpose,
                legal_basis=self.contact_import.legal_basis,
                source=self.contact_import.source,
                origin=Origin.IMPORT,
                actor_id=actor_id,
                quiet=new,
            )
        bulk.add_to_selection(
            self.cursor,
            tenant_id=self.tenant_id,
            selection_id=self.contact_import.selection_id,
            contact_ids=[person.id for person in people.persons if person.id],
            now=self.now,
            origin=Origin.IMPORT,
            actor_id=actor_id,
        )

    def _write_issues(self, issues: Sequence[Issue]) -> None:
        if not issues:
            return
        self.cursor.execute(
            'INSERT INTO crm_importissue (tenant_id, contact_import_id, row, "column", reason, value, rejected, cells) '
            "SELECT %s::bigint, %s::bigint, v.* FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], "
            "%s::boolean[], %s::jsonb[]) v",
            [
                self.tenant_id,
                self.contact_import.pk,
                [issue.row for issue in issues],
                [issue.column[:200] for issue in issues],
                [issue.reason[:250] for issue in issues],
                [issue.value for issue in issues],
                [issue.rejected for issue in issues],
                [json.dumps(issue.cells, ensure_ascii=False) for issue in issues],
            ],
        )


def _text(person: Person, column: str) -> str:
    return str(person.values.get(f"contact.{column}", ""))


def add_new_list_values(plan: Plan, records: Iterable[Sequence[str]]) -> None:
    """Add the list values of these rows that are not there yet (only where the importer asked for it)."""
    columns = [
        c for c in plan.columns if c.into.target is not None and c.into.target.type in {"item", "items"}
    ]
    wanted = []
    for cells in records:
        for column in columns:
            target = column.into.target
            if target is None or column.index >= len(cells):
                continue
            text = cells[column.index].strip()
            names = split_items(text) if target.type == "items" else [text]
            wanted += [(list_key(target), name[:120]) for name in names]
    add_items(plan.catalog, wanted)
