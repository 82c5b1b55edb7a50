"""Make the demo tenant, once: people, companies, contacts, consents, selections and a welcome flow."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import Tenant
from core import clock
from trial.people import TENANT_SLUG
from trial.seed.everything import seed_everything


class Command(BaseCommand):
    """See the module."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if Tenant.objects.filter(slug=TENANT_SLUG).exists():
            if options["verbosity"]:
                self.stdout.write("The demo tenant is there already.")
            return
        seed_everything(now=clock.now())
