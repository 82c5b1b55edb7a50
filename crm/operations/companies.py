"""Companies: create one, and edit it; what its contacts share changes for all of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from core.text import norm
from crm import search
from crm.bulk import Change
from crm.bulk.changes import read_change
from crm.bulk.state import State, load_companies, load_custom
from crm.bulk.targets import targets_by_key
from crm.bulk.update import record_changes, write_state
from crm.events import Origin
from crm.models import Company


class CompanyNameTaken(ValueError):
    """Another company has this name."""


@transaction.atomic
def create_company(
    *, name: str, changes: Sequence[Change], now: dt.datetime, actor_id: int | None, country: str = ""
) -> Company:
    """Create a company. Raises CompanyNameTaken or BadChange."""
    cleaned = " ".join(name.split())
    _check_free(cleaned)
    with _still_free(cleaned):
        company = Company.objects.create(
            name=cleaned, name_norm=norm(cleaned), created_at=now, updated_at=now
        )
    _write_words(company)
    edit_company(
        company_id=company.pk, name=cleaned, changes=changes, now=now, actor_id=actor_id, country=country
    )
    return company


@transaction.atomic
def edit_company(
    *,
    company_id: int,
    name: str,
    changes: Sequence[Change],
    now: dt.datetime,
    actor_id: int | None,
    country: str = "",
) -> None:
    """Rename a company, change its fields, tell all its contacts. Raises CompanyNameTaken or BadChange."""
    tenant_id = require_tenant_id()
    known = targets_by_key(change.field for change in changes)
    ready = [read_change(change, known.get(change.field), country) for change in changes]
    company = Company.objects.select_for_update(of=("self",), no_key=True).get(pk=company_id)
    old_name = company.name
    _rename(company, " ".join(name.split()), now)
    wanted = list({change.target.key: change.target for change in ready}.values())
    with raw_cursor() as cursor:
        columns = [target for target in wanted if target.place in {"shared", "company"}]
        companies = load_companies(cursor, tenant_id, [company_id], columns)
        custom = [target for target in wanted if target.place == "company_custom"]
        load_custom(cursor, tenant_id, "company", companies, custom)
        owner = companies[company_id]
        # The name is no field that an update writes, but its change is told like theirs.
        owner.old["company.name"], owner.new["company.name"] = old_name, company.name
        for change in ready:
            owner.new[change.target.key] = change.apply(owner.get(change.target.key), now.date())
        state = State(contacts={}, companies=companies)
        write_state(cursor, tenant_id=tenant_id, state=state, targets=wanted, now=now)
        record_changes(
            cursor, tenant_id=tenant_id, state=state, now=now, origin=Origin.USER, actor_id=actor_id
        )


def _rename(company: Company, name: str, now: dt.datetime) -> None:
    if not name or company.name == name:
        return
    _check_free(name)
    company.name, company.name_norm, company.updated_at = name, norm(name), now
    with _still_free(name):
        company.save(update_fields=["name", "name_norm", "updated_at"])
    _write_words(company)


@contextmanager
def _still_free(name: str) -> Iterator[None]:
    """Somebody else may have taken the name since it was looked for."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise CompanyNameTaken(f"There is a company {name!r} already.") from error


def _check_free(name: str) -> None:
    if Company.objects.filter(name=name).exists():
        raise CompanyNameTaken(f"There is a company {name!r} already.")


def _write_words(company: Company) -> None:
    words = {company.pk: search.words_of_company(name=company.name)}
    with raw_cursor() as cursor:
        search.write_words(cursor, tenant_id=require_tenant_id(), kind=search.COMPANY, words=words)
