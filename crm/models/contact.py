"""A contact: the person we talk to."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.models import HotTenantModel, TenantForeignKey, TenantModel


class Contact(TenantModel):
    """A person. Category, business and our contact are the company's where there is a company; the columns here
    count only for a contact without one. An erased contact stays as an empty tombstone (deleted_at)."""

    # Flows change contacts more than anything else does: a change of a column that no index knows stays in its page
    # (HOT), so there is no index on updated_at, and none that another one makes superfluous.
    company = TenantForeignKey(
        "crm.Company",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="contacts",
        db_index=False,
    )
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    name_norm = models.CharField(max_length=420, blank=True, db_collation="C")
    job_title = models.CharField(max_length=160, blank=True)
    email = models.CharField(max_length=254, blank=True)
    email_norm = models.CharField(max_length=320, blank=True, db_collation="C")
    mobile = models.CharField(max_length=20, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=2, blank=True)
    language = models.CharField(max_length=10, blank=True)
    timezone = models.CharField(max_length=60, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    category = TenantForeignKey(
        "crm.ListItem", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    business = TenantForeignKey(
        "crm.ListItem", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    our_contact = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    service_contact = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    former_employee = models.BooleanField(default=False)
    origin = models.CharField(max_length=20)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            models.CheckConstraint(
                name="an_erased_contact_is_empty",
                condition=Q(deleted_at=None) | Q(first_name="", last_name="", email="", mobile="", phone=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["tenant", "email_norm", "id"], name="contact_by_email", condition=~Q(email_norm="")
            ),
            models.Index(fields=["tenant", "name_norm", "id"], name="contact_by_name"),
            models.Index(fields=["tenant", "company", "id"], name="contact_of_company"),
            models.Index(fields=["tenant", "our_contact", "id"], name="contact_of_user"),
        ]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email or "Erased contact"


class ContactInterest(TenantModel):
    """An interest of a contact."""

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="interests")
    item = TenantForeignKey("crm.ListItem", on_delete=models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["tenant", "contact", "item"], name="interest_once")]
        indexes = [models.Index(fields=["tenant", "item", "contact"], name="contacts_of_interest")]


class SearchWord(HotTenantModel):
    """A word that finds a contact or company by prefix (`word ^@ 'abc'` uses the index under row-level security)."""

    word = models.CharField(max_length=100, db_collation="C")
    kind = models.CharField(max_length=10)
    object_id = models.BigIntegerField()

    class Meta(HotTenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "word", "kind", "object_id"], name="search_word_once")
        ]
        indexes = [models.Index(fields=["tenant", "kind", "object_id"], name="search_words_of")]
