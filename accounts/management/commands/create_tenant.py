"""`manage.py create_tenant acme "Acme" --admin anna@acme.test`: a tenant, and the invitation of its administrator."""

from __future__ import annotations

from argparse import ArgumentParser
from smtplib import SMTPException
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email, validate_slug

from accounts.models import Tenant
from accounts.operations import (
    TenantNameTaken,
    UnknownTimezone,
    create_tenant,
    invitation_link,
    invite_first_administrator,
    send_invitation,
)
from core import clock
from core.tenancy import tenant_scope


class Command(BaseCommand):
    """See the module."""

    help = "Create a tenant and invite its first administrator; prints the invitation's link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("slug", help="Its name in addresses: letters, digits and hyphens")
        parser.add_argument("name", help="Its name as people read it")
        parser.add_argument("--admin", required=True, help="Email address of the first administrator")
        parser.add_argument("--timezone", default="UTC")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create, invite, send, print."""
        try:
            validate_slug(options["slug"])
            validate_email(options["admin"])
            tenant = create_tenant(
                slug=options["slug"], name=options["name"], timezone=options["timezone"], now=clock.now()
            )
        except (ValidationError, TenantNameTaken, UnknownTimezone) as error:
            raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from error
        self._invite(tenant, options["admin"])

    def _invite(self, tenant: Tenant, email: str) -> None:
        with tenant_scope(tenant.pk):
            invitation = invite_first_administrator(email=email, now=clock.now())
        self.stdout.write(invitation_link(invitation=invitation, tenant=tenant))
        try:
            send_invitation(invitation=invitation, tenant=tenant)
        except (OSError, SMTPException) as error:
            self.stderr.write(f"The email could not be sent ({error}); hand the link over yourself.")
