"""What checks and summaries may look at: names of everything a document uses, and the tenant's licences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from accounts.models import Group, Licence, User
from accounts.stand_ins import stand_ins
from content.models import Email, Script
from content.queries_form import form_names, open_form_names
from content.queries_link import link_names
from core import clock
from core.db.cursors import raw_cursor
from core.tenancy import require_tenant_id
from crm.models import (
    CustomField,
    ListItem,
    Project,
    RequestCategory,
    RequestPriority,
    RequestType,
    SaleStage,
    SaleType,
    Selection,
    SubscriptionType,
    Usage,
)
from crm.models.choices import NamedChoice
from delivery.models import WebhookSecret
from flows.document import FlowDocument
from flows.models import Flow
from flows.references import uses
from flows.steps.base import CheckContext
from flows.visibility import veiled

Names = Mapping[int, str]


def check_context(document: FlowDocument, *, flow_id: int | None = None) -> CheckContext:
    """Return the context of one document; one query for each kind of thing that it uses.

    `flow_id`: whose document it is, where checks shall look at the other flows too (two queries more).
    """
    wanted: dict[str, set[int]] = defaultdict(set)
    for use in uses(document):
        wanted[use.reference.kind].add(use.reference.id)
    names = {kind: LOADERS[kind](sorted(ids)) for kind, ids in wanted.items() if kind in LOADERS}
    if "email" in wanted:
        names["sendable_email"] = _sendable(sorted(wanted["email"]))
        if flow_id is not None:
            names["email_elsewhere"] = _sent_elsewhere(sorted(wanted["email"]), flow_id)
    if "selection" in wanted:
        names["static_selection"] = _static_selections(sorted(wanted["selection"]))
    if "flow" in wanted:
        names["open_flow"] = _open_flows(sorted(wanted["flow"]))
    if "form" in wanted:
        names["open_form"] = open_form_names(sorted(wanted["form"]))
    licences = frozenset(
        Licence.objects.filter(Licence.in_force(clock.now().date())).values_list("code", flat=True)
    )
    return CheckContext(document=document, names=names, licences=licences)


def _emails(ids: Sequence[int]) -> Names:
    return dict(Email.objects.filter(pk__in=ids).values_list("id", "name"))


def _sendable(ids: Sequence[int]) -> Names:
    return dict(Email.objects.filter(pk__in=ids, current__isnull=False).values_list("id", "name"))


def _sent_elsewhere(ids: Sequence[int], flow_id: int) -> Names:
    """Say of each email which other flows send it, in their newest revision or their draft."""
    rows = Usage.objects.filter(user_kind="flow", used_kind="email", used_id__in=ids).exclude(user_id=flow_id)
    senders: dict[int, set[int]] = defaultdict(set)
    for email_id, sender in rows.values_list("used_id", "user_id"):
        senders[email_id].add(sender)
    if not senders:
        return {}
    names = _flows(sorted(set().union(*senders.values())))
    found = {email: sorted(names[one] for one in those if one in names) for email, those in senders.items()}
    return {email: _flows_said(those) for email, those in found.items() if those}


def _flows_said(names: Sequence[str]) -> str:
    if len(names) < 3:
        return f"the flow{'s'[: len(names) - 1]} " + " and ".join(f"“{name}”" for name in names)
    return f"{len(names)} other flows, “{names[0]}” among them,"


def _selections(ids: Sequence[int]) -> Names:
    return dict(Selection.objects.filter(pk__in=ids).values_list("id", "name"))


def _static_selections(ids: Sequence[int]) -> Names:
    found = Selection.objects.filter(pk__in=ids, kind=Selection.Kind.STATIC)
    return dict(found.values_list("id", "name"))


def _projects(ids: Sequence[int]) -> Names:
    return dict(Project.objects.filter(pk__in=ids).values_list("id", "name"))


def _flows(ids: Sequence[int]) -> Names:
    return veiled(dict(Flow.objects.filter(pk__in=ids, deleted_at=None).values_list("id", "name")))


def _open_flows(ids: Sequence[int]) -> Names:
    running = Flow.objects.filter(pk__in=ids, deleted_at=None).exclude(status=Flow.Status.NOT_RUNNING)
    return dict(running.values_list("id", "name"))


def _subscription_types(ids: Sequence[int]) -> Names:
    return dict(SubscriptionType.objects.filter(pk__in=ids).values_list("id", "name"))


def _custom_fields(ids: Sequence[int]) -> Names:
    return dict(CustomField.objects.filter(pk__in=ids).values_list("id", "name"))


def _list_items(ids: Sequence[int]) -> Names:
    return dict(ListItem.objects.filter(pk__in=ids).values_list("id", "name"))


def _users(ids: Sequence[int]) -> Names:
    """Only active ones, or those for whom somebody stands in: a step that names another says so."""
    with raw_cursor() as cursor:
        there = stand_ins(cursor, tenant_id=require_tenant_id(), user_ids=ids)
    users = {user.pk: str(user) for user in User.objects.filter(pk__in={*there, *there.values()})}
    return {
        asked: users[who] if asked == who else f"{users[who]} (for {users[asked]})"
        for asked, who in there.items()
    }


def _forms(ids: Sequence[int]) -> Names:
    return form_names(ids)


def _links(ids: Sequence[int]) -> Names:
    return link_names(ids)


def _named(model: type[NamedChoice]) -> Callable[[Sequence[int]], Names]:
    return lambda ids: dict(model._default_manager.filter(pk__in=ids).values_list("pk", "name"))


def _groups(ids: Sequence[int]) -> Names:
    return dict(Group.objects.filter(pk__in=ids).values_list("id", "name"))


def _webhook_secrets(ids: Sequence[int]) -> Names:
    return dict(WebhookSecret.objects.filter(pk__in=ids).exclude(name="").values_list("id", "name"))


def _scripts(ids: Sequence[int]) -> Names:
    return dict(Script.objects.filter(pk__in=ids, deleted_at=None).values_list("id", "name"))


LOADERS: dict[str, Callable[[Sequence[int]], Names]] = {
    "email": _emails,
    "selection": _selections,
    "project": _projects,
    "flow": _flows,
    "subscription_type": _subscription_types,
    "custom_field": _custom_fields,
    "list_item": _list_items,
    "user": _users,
    "group": _groups,
    "link": _links,
    "form": _forms,
    "sale_type": _named(SaleType),
    "sale_stage": _named(SaleStage),
    "request_type": _named(RequestType),
    "request_category": _named(RequestCategory),
    "request_priority": _named(RequestPriority),
    "webhook_secret": _webhook_secrets,
    "script": _scripts,
}
