"""Adding a sender domain, asking its DNS, taking it away."""

from __future__ import annotations

import base64
import datetime as dt
import re
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from core.secrets import seal
from delivery.dns_records import Findings
from delivery.domains import KEY_PURPOSE, domain_of
from delivery.models import SenderDomain

_DOMAIN = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
MOST = 50


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
    """Write down what the domain's DNS said. Raises SenderDomain.DoesNotExist."""
    row = SenderDomain.objects.select_for_update().get(pk=domain_id)
    row.is_verified, row.checked_at = findings.ok, now
    row.spf_problem, row.dkim_problem = findings.spf.problem[:200], findings.dkim.problem[:200]
    row.dmarc_problem = findings.dmarc.problem[:200]
    row.save()
    return row


@transaction.atomic
def remove_domain(*, domain_id: int, actor: User) -> str:
    """Take a domain and its key away; return its name. Raises SenderDomain.DoesNotExist."""
    row = SenderDomain.objects.select_for_update().get(pk=domain_id)
    _note("sender_domain.removed", row, actor)
    row.delete()
    return row.domain


def _note(action: str, row: SenderDomain, actor: User) -> None:
    write_audit(
        actor=actor, action=action, object_kind="sender_domain", object_id=row.pk, object_name=row.domain
    )
