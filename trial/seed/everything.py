"""The whole demo in its order: tenant, contacts, selections, emails, flow. One transaction: all of it, or nothing."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.models import Tenant
from core.tenancy import tenant_scope
from trial.people import ADMINISTRATOR, MARKETER, REP, WRITER
from trial.seed.contacts import seed_contacts
from trial.seed.desk import seed_desk
from trial.seed.emails import seed_email
from trial.seed.flow import seed_flow
from trial.seed.follow_ups import seed_follow_ups
from trial.seed.forms import seed_form, seed_link
from trial.seed.selections import seed_selections
from trial.seed.sms import seed_sms
from trial.seed.tenant import seed_tenant


@transaction.atomic
def seed_everything(*, now: dt.datetime) -> Tenant:
    """Make the demo tenant with all that a newcomer finds in it."""
    tenant, users = seed_tenant(now=now)
    marketer, writer = users[MARKETER.role], users[WRITER.role]
    with tenant_scope(tenant.pk):
        seed_sms(actor=users[ADMINISTRATOR.role], now=now)
        seed_contacts(importer=users[ADMINISTRATOR.role], owners=(users[REP.role], marketer), now=now)
        seed_desk(rep=users[REP.role], now=now)
        seed_follow_ups(rep=users[REP.role], marketer=marketer, now=now)
        selections = seed_selections(owner=marketer, now=now)
        seed_form(writer=writer, selections=selections, now=now)
        seed_link(writer=writer, now=now)
        welcome = seed_email(
            name="Welcome",
            subject='Welcome, {{ contact.first_name|default("friend", true) }}',
            preheader="The autumn range, and where to begin",
            source="welcome.mjml",
            writer=writer,
            now=now,
        )
        offer = seed_email(
            name="First order offer",
            subject="Ten per cent for your first order",
            preheader="Until Sunday",
            source="offer.mjml",
            writer=writer,
            now=now,
        )
        seed_flow(owner=marketer, welcome=welcome, offer=offer, selections=selections, now=now)
    return tenant
