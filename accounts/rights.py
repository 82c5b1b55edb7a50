"""Functional rights, data rights and reaches: the closed lists that roles are made of."""

from __future__ import annotations

from django.db import models


class Right(models.TextChoices):
    """A functional right."""

    FLOW_ADMINISTRATOR = "flow_administrator", "Flow administrator"
    EDIT_FLOW_CONTENT = "edit_flow_content", "Can edit flow content"
    ADD_TO_FLOWS = "add_to_flows", "Add contacts to flows"
    OVERRIDE_CONSENT = "override_consent", "Override consent"
    UPDATE_CONSENT = "update_consent", "Update consent"
    BULK_UPDATE = "bulk_update", "Bulk update"
    EXPORT = "export", "Export"
    IMPORT = "import", "Import"
    MANAGE_USERS = "manage_users", "Manage users"
    MANAGE_LISTS = "manage_lists", "Manage lists"
    MANAGE_CONNECTORS = "manage_connectors", "Manage connectors"
    HIDE_MARKETING = "hide_marketing", "Hide marketing"
    ADMINISTRATOR = "administrator", "General administrator"


class DataObject(models.TextChoices):
    """A kind of object that data rights speak of."""

    CONTACT = "contact", "Contacts"
    COMPANY = "company", "Companies"
    SELECTION = "selection", "Selections"
    PROJECT = "project", "Projects"
    SALE = "sale", "Sales"
    REQUEST = "request", "Requests"
    FOLLOW_UP = "follow_up", "Follow-ups"


class Reach(models.TextChoices):
    """How far a data right reaches."""

    NONE = "none", "None"
    OWN = "own", "Own"
    GROUP = "group", "Own group"
    ALL = "all", "All"
