"""Adding a sender domain, asking its DNS (also by itself, twice a day), taking it away."""

from __future__ import annotations

import base64
import datetime as dt
import re
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction
from django.db.models import Q

from accounts.audit import write_audit
from accounts.models import Membership, User
from accounts.queries import tenant_now
from accounts.rights import Right
from core import clock
from core.db.cursors import raw_cursor
from core.secrets import seal
from core.tenancy import require_tenant_id, tenant_scope
from crm.bulk.notifications import NewNotification, notify
from delivery.dns_records import Findings, Lookup, LookupFailed, judge, look_up
from delivery.domains import KEY_PURPOSE, domain_of, spf_mechanism
from delivery.models import SenderDomain

_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
MOST = 50
# How soon a domain is looked at again: a fine one, and one whose records do not hold.
AGAIN, SOON = dt.timedelta(hours=12), dt.timedelta(hours=1)


class DomainRefused(ValueError):
    """The domain cannot be added; the message is for the user."""


@transaction.atomic
def add_domain(*, domain: str, actor: User, now: dt.datetime) -> SenderDomain:
    """Add a domain with a new key of its own. Raises DomainRefused."""
    name = domain_of(domain.strip().rstrip("."))
    if not _DOMAIN.fullmatch(name):
        raise DomainRefused("This is not a domain, such as example.com.")
    if SenderDomain.objects.filter(domain=name).exists():
        raise DomainRefused(f"{name} is there already.")
    if SenderDomain.objects.count() >= MOST:
        raise DomainRefused(f"There are {MOST} domains already.")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    made = SenderDomain.objects.create(
        domain=name,
        # Two tenants may share a domain: each has a record of its own.
        selector=f"mr{secrets.token_hex(4)}",
        private_key=seal(private.decode(), purpose=KEY_PURPOSE),
        public_key=base64.b64encode(public).decode(),
        added_at=now,
    )
    _note("sender_domain.added", made, actor)
    return made


@transaction.atomic
def note_findings(*, domain_id: int, findings: Findings, now: dt.datetime) -> SenderDomain:
    """Write down what DNS said when somebody asked: it counts at once. Raises SenderDomain.DoesNotExist."""
    row = SenderDomain.objects.select_for_update().get(pk=domain_id)
    _keep(row, findings, now)
    row.is_verified, row.failing_since, row.lapsed_at = findings.ok, None, None
    row.next_check_at = clock.now() + AGAIN if findings.ok else None
    row.save()
    return row


def recheck_domain(*, tenant_id: int, lookup: Lookup = look_up) -> bool:
    """Look at one verified or lapsed domain that is due; say whether there was one. Not inside a transaction.

    A verified domain lapses when its records do not hold twice, an hour apart, and administrators are told; one that
    lapsed is verified again as soon as they do. Where nobody answers, what was known counts.
    """
    moment = clock.now()
    with tenant_scope(tenant_id):
        is_due = Q(next_check_at__lte=moment) | Q(next_check_at=None, is_verified=True)
        due = SenderDomain.objects.filter(is_due).order_by("next_check_at", "pk")
        row, allows = due.select_for_update(skip_locked=True).first(), spf_mechanism()
        if row is None:
            return False
        # Taken: nobody else looks at it meanwhile, and a process that dies has put it off for an hour.
        SenderDomain.objects.filter(pk=row.pk).update(next_check_at=moment + SOON)
    try:
        found = judge(
            domain=row.domain, selector=row.selector, public_key=row.public_key, allows=allows, lookup=lookup
        )
    except LookupFailed:
        return True
    now = tenant_now(tenant_id)
    with tenant_scope(tenant_id):
        _note_recheck(row.pk, found, now=now, moment=moment)
    return True


def _note_recheck(domain_id: int, found: Findings, *, now: dt.datetime, moment: dt.datetime) -> None:
    row = SenderDomain.objects.select_for_update().filter(pk=domain_id, next_check_at__isnull=False).first()
    if row is None:
        return
    _keep(row, found, now)
    was_verified = row.is_verified
    if found.ok:
        row.is_verified, row.failing_since, row.lapsed_at = True, None, None
    elif was_verified and row.failing_since is None:
        row.failing_since = now
    elif was_verified:
        row.is_verified, row.failing_since, row.lapsed_at = False, None, now
    row.next_check_at = moment + (AGAIN if found.ok else SOON)
    row.save()
    if was_verified and not row.is_verified:
        problem = row.spf_problem or row.dkim_problem or row.dmarc_problem
        _note("sender_domain.lapsed", row, None)
        _tell(f"{row.domain} is no longer verified, so nothing new can be sent from it: {problem}", now)
    elif row.is_verified and not was_verified:
        _note("sender_domain.verified_again", row, None)
        _tell(f"{row.domain} is verified again.", now)


def _keep(row: SenderDomain, findings: Findings, now: dt.datetime) -> None:
    row.checked_at = now
    row.spf_problem, row.dkim_problem = findings.spf.problem[:200], findings.dkim.problem[:200]
    row.dmarc_problem = findings.dmarc.problem[:200]


def _tell(text: str, now: dt.datetime) -> None:
    """Tell the open tenant's administrators."""
    people = Membership.objects.filter(is_active=True, role__rights__right=Right.ADMINISTRATOR)
    users = people.order_by("user_id").values_list("user_id", flat=True).distinct()
    rows = [NewNotification(user, "sender_domain", text, "settings/connectors/domains/") for user in users]
    with raw_cursor() as cursor:
        notify(cursor, tenant_id=require_tenant_id(), rows=rows, now=now)


@transaction.atomic
def remove_domain(*, domain_id: int, actor: User) -> str:
    """Take a domain and its key away; return its name. Raises SenderDomain.DoesNotExist."""
    row = SenderDomain.objects.select_for_update().get(pk=domain_id)
    _note("sender_domain.removed", row, actor)
    row.delete()
    return row.domain


def _note(action: str, row: SenderDomain, actor: User | None) -> None:
    write_audit(
        actor=actor, action=action, object_kind="sender_domain", object_id=row.pk, object_name=row.domain
    )
