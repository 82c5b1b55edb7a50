"""A flow as a file: its draft, and everything that this names, in the file's own numbers. Reads, never writes."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from typing import Any

from accounts.models import Membership
from content.image_urls import with_pictures
from content.models import EmailVersion, TrackedLink
from core.tenancy import require_tenant_id
from crm.criteria.fields import custom_key
from crm.models import CustomField
from flows.document import FlowDocument, StepNode
from flows.exchange.bytes_told import fitted
from flows.exchange.schema import FlowFile, Used
from flows.exchange.swap import Swap, swapped
from flows.exchange.table import USED_KINDS
from flows.models import Flow
from flows.operations.drafts import draft_of
from flows.steps.table import STEP_KINDS
from flows.success.table import SUCCESS_KINDS
from flows.triggers.table import TRIGGER_KINDS
from flows.validation import is_valid_settings

Key = tuple[str, int]


def flow_file(flow: Flow, *, member: Membership) -> FlowFile:
    """Return the flow's draft as a file. What the member may not see is told as gone. A fixed number of queries for
    each kind of thing, and for each time that things name others."""
    document = canonical(draft_of(flow))
    numbers = _Numbers()
    plain = swapped(document.model_dump(mode="json"), numbers)
    uses: dict[Key, Used] = {}
    while missing := [key for key in numbers.given if key not in uses]:
        uses |= _told(missing, numbers, flow, member)
    return FlowFile(
        name=flow.name,
        description=flow.description,
        document=renumbered(FlowDocument.model_validate(plain)),
        uses=fitted(uses[key] for key in numbers.given),
    )


def as_bytes(file: FlowFile) -> bytes:
    """Return the file as it is downloaded: the same flow gives the same bytes."""
    return (json.dumps(file.model_dump(mode="json"), ensure_ascii=False, indent=2) + "\n").encode()


class _Numbers(Swap):
    """Gives each thing a number of its kind when it is first named."""

    def __init__(self) -> None:
        self.given: dict[Key, int] = {}
        self._last: dict[str, int] = defaultdict(int)
        self._fields = {custom_key(field): field for field in CustomField.objects.all()}
        self._links = dict(TrackedLink.objects.filter(deleted_at=None).values_list("key", "pk"))

    def id(self, kind: str, given: int) -> int:
        key = (kind, given)
        if key not in self.given:
            self._last[kind] += 1
            self.given[key] = self._last[kind]
        return self.given[key]

    def custom(self, key: str) -> str:
        if key in self._fields:
            self.id("custom_field", self._fields[key].pk)
        return key

    def is_list(self, key: str) -> bool:
        return key in self._fields and self._fields[key].type == CustomField.Type.LIST

    def pictures(self, source: str) -> str:
        return with_pictures(
            source, require_tenant_id(), lambda pk: f"flow-file:image-{self.id('image', pk)}"
        )

    def link(self, key: str) -> str:
        if key in self._links:
            self.id("link", self._links[key])
        return key


def _told(keys: list[Key], numbers: _Numbers, flow: Flow, member: Membership) -> dict[Key, Used]:
    """Describe things; what they name gets numbers."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for kind, pk in keys:
        by_kind[kind].append(pk)
    found: dict[Key, Used] = {}
    for kind, ids in by_kind.items():
        told = USED_KINDS[kind].told(ids, member)
        for pk in ids:
            number = numbers.given[kind, pk]
            if (kind, pk) == ("flow", flow.pk):
                found[kind, pk] = Used(kind=kind, id=number, name=flow.name, data={"itself": True})
            elif pk in told:
                data = swapped(dict(told[pk].data), numbers)
                found[kind, pk] = Used(kind=kind, id=number, name=told[pk].name, data=data)
            else:
                found[kind, pk] = Used(kind=kind, id=number, gone=True)
    _fields_of_emails(by_kind.get("email", []), numbers)
    return found


def _fields_of_emails(ids: list[int], numbers: _Numbers) -> None:
    """Custom fields that emails' merge tags name; `custom_keys` are those of compiling: contact.size."""
    versions = EmailVersion.objects.filter(email__current_id__isnull=False, email__in=ids) if ids else ()
    for version in versions:
        for key in version.custom_keys:
            on, _, name = str(key).partition(".")
            numbers.custom(f"{on}.custom.{name}")


def canonical(document: FlowDocument) -> FlowDocument:
    """Return the document with the settings of each part written out as its kind reads them, so that equal flows are
    equal. Settings that cannot be read stay as they are."""
    return document.model_copy(
        update={
            "steps": tuple(_canonical(node) for node in document.steps),
            "triggers": tuple(_written_out(one, TRIGGER_KINDS) for one in document.triggers),
            "success": tuple(_written_out(one, SUCCESS_KINDS) for one in document.success),
        }
    )


def _canonical(node: StepNode) -> StepNode:
    branches = tuple(
        branch.model_copy(update={"steps": tuple(_canonical(inner) for inner in branch.steps)})
        for branch in node.branches
    )
    settings = node.settings
    if is_valid_settings(node):
        settings = STEP_KINDS[node.kind].settings(node).model_dump(mode="json")
    return node.model_copy(update={"branches": branches, "settings": settings})


def _written_out(part: Any, kinds: Any) -> Any:
    try:
        settings = kinds[part.kind].settings(part).model_dump(mode="json")
    except ValueError:
        return part
    return part.model_copy(update={"settings": settings})


def renumbered(document: FlowDocument) -> FlowDocument:
    """Return the document with ids counted from 1, top to bottom."""
    parts: list[Any] = [*document.triggers, *document.success]
    for node in document.walk():
        parts += [node, *node.branches]
    parts += document.notes
    new = {str(part.id): str(uuid.UUID(int=n)) for n, part in enumerate(parts, 1)}
    return FlowDocument.model_validate(_with_ids(document.model_dump(mode="json"), new))


def _with_ids(value: Any, new: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_with_ids(one, new) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: new.get(inner, inner)
        if name in {"id", "step"} and isinstance(inner, str)
        else _with_ids(inner, new)
        for name, inner in value.items()
    }
