"""A tenant with a form, and a visitor who fills it in."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.test import Client

from accounts.models import Tenant, User
from content.forms.document import FormActions, FormDocument, FormField
from content.forms.page import form_path
from content.forms.proof import find_proof
from content.models import Form, FormSubmission
from content.operations.forms import create_form, open_form
from crm.models import ConsentPurpose, Event, ListItem, Project, Selection
from tests.delivery.conftest import NOW as NOW
from tests.delivery.conftest import House

LATER = NOW + dt.timedelta(minutes=5)
PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"}


def field(key: str, kind: str = "text", label: str = "", **more: Any) -> FormField:
    """Return a field; its label is its key with a capital letter."""
    return FormField.model_validate({"key": key, "kind": kind, "label": label or key.capitalize(), **more})


def bound(key: str, target: str, **more: Any) -> FormField:
    """Return a field of the contact."""
    return field(key, "crm", target=target, **more)


class Booth(House):
    """A house with what forms may do to a contact."""

    def __init__(self, tenant: Tenant, *, actor: User | None = None) -> None:
        super().__init__(tenant)
        self.actor = actor
        with self.scope():
            self.fans = Selection.objects.create(name="Fans", created_at=NOW)
            self.fair = Project.objects.create(name="Fair", created_at=NOW)
            self.interests = list(ListItem.objects.filter(list="interest").order_by("pk"))
            self.category = ListItem.objects.filter(list="category").earliest("pk")
            self.consent = ConsentPurpose.objects.get(key="e-marketing")

    def fields(self) -> tuple[FormField, ...]:
        """Return a form's usual fields."""
        return (
            bound("email", "contact.email", label="Email address", required=True),
            bound("first_name", "contact.first_name"),
            bound("company", "company.name"),
            field("topic", "dropdown", options=("Mills", "Races")),
            field("consent", "consent", label="Write to me", purpose=self.consent.pk),
            field("news", "subscription", label="Mill news", subscription=self.news.pk),
        )

    def form(
        self, *more: FormField, name: str = "Sign-up", actions: dict[str, Any] | None = None, **settings: Any
    ) -> Form:
        """Make an open form with the usual fields and these."""
        limits = {key: settings.pop(key) for key in ("closes_at", "closes_after") if key in settings}
        document = FormDocument(
            fields=(*settings.pop("fields", self.fields()), *more),
            actions=FormActions(**(actions or {})),
            **settings,
        )
        with self.scope():
            made = create_form(name=name, actor=self.actor, now=NOW, document=document)
            Form.objects.filter(pk=made.pk).update(**limits)
            open_form(form_id=made.pk, actor=self.actor, now=NOW)
            made.refresh_from_db()
        return made

    def path(self, form: Form) -> str:
        """Return the form's public path."""
        with self.scope():
            return form_path(form)

    def submissions(self) -> list[FormSubmission]:
        """Return what came in, oldest first."""
        with self.scope():
            return list(FormSubmission.objects.select_related("contact").order_by("pk"))

    def kinds(self) -> list[str]:
        """Return the events, oldest first."""
        with self.scope():
            return list(Event.objects.order_by("id").values_list("kind", flat=True))


class Visitor:
    """Somebody outside, with the page open; `traveller` moves the real clock."""

    def __init__(self, path: str, traveller: Any, *, query: str = "") -> None:
        self.client, self.path, self.traveller = Client(enforce_csrf_checks=True), path, traveller
        self.page = self.client.get(path + query, headers=PHONE)
        self.token = self.token_in(self.page)

    @staticmethod
    def token_in(page: Any) -> str:
        """Return the page token in an answer."""
        found = re.search(r'name="page" value="([^"]+)"', page.content.decode())
        return found[1] if found else ""

    def send(self, *, seconds: float = 5, headers: dict[str, str] | None = None, **answers: Any) -> Any:
        """Send the form after some seconds."""
        self.traveller.shift(dt.timedelta(seconds=seconds))
        data = {
            "page": self.token,
            "proof": find_proof(self.token),
            **{(f"f_{k}" if k != "website_url" else k): v for k, v in answers.items()},
        }
        return self.client.post(self.path, data, headers={**PHONE, **(headers or {})})
