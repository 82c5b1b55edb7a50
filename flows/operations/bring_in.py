"""A flow file becomes a flow of the tenant: not running, with a draft, and with what it uses as it was decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from pydantic import ValidationError

from accounts.audit import write_audit
from accounts.models import Membership
from content.image_urls import image_url
from content.models import Image, TrackedLink
from core.kinds import UnknownKind
from crm.criteria.fields import custom_key
from crm.models import CustomField
from flows.document import FlowDocument
from flows.editing.rules import checked
from flows.editing.tree import fresh_document
from flows.exchange.kinds import CannotMake, Making
from flows.exchange.matching import MAKE, OPEN, Decision, Key
from flows.exchange.schema import FlowFile, Used
from flows.exchange.swap import PICTURE, Swap, swapped
from flows.exchange.table import USED_KINDS
from flows.models import DraftState, Flow, FlowFolder
from flows.operations.consent import taken_out, within_rights
from flows.operations.create import create_flow
from flows.operations.usage import note_draft_usage
from flows.references import sent_emails, uses

# What stands where a thing was left open: no row has it, so every check says that something is to be chosen.
NOTHING = 0


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """The new flow, how many things were made for it, and what could not be taken over, in words."""

    flow: Flow
    made: int
    notes: tuple[str, ...]


class CannotBringIn(Exception):
    """Something of the file cannot be made; nothing was changed. `key` says which thing."""

    def __init__(self, used: Used, message: str) -> None:
        super().__init__(f"{USED_KINDS[used.kind].label} “{used.name}”: {message}")
        self.key = used.key


@transaction.atomic
def bring_in(
    *,
    file: FlowFile,
    decisions: Mapping[Key, Decision],
    name: str,
    member: Membership,
    now: dt.datetime,
    folder: FlowFolder | None = None,
) -> BroughtIn:
    """Make a flow of a file that was read. `decisions` say of each thing: an id here, "make", or "open"; emails that
    the flow sends are made in any case, and what is not decided is left open. Raises CannotBringIn."""
    actor = member.user
    flow = create_flow(name=name, owner=actor, now=now, folder=folder)
    sent = frozenset(sent_emails(file.document))
    making = Making(actor, now, flow.pk, sent)
    numbers = _Here(file, flow.pk, decisions)
    made, notes = 0, list[str]()
    for used in sorted(file.uses, key=_order):
        comes_along = used.kind == "email" and used.id in sent
        if used.gone or not (comes_along or decisions.get(used.key) == MAKE):
            continue
        numbers.taken[used.key], left = _make(used, numbers, making)
        notes += [left] if left else []
        made += 1
    plain = swapped(file.document.model_dump(mode="json"), numbers)
    wanted = FlowDocument.model_validate(plain)
    document = within_rights(wanted, actor)
    note = taken_out(wanted, document, what="The file")
    document = checked(fresh_document(document))
    _check_named(document, numbers)
    flow.description = file.description
    flow.draft = document.model_dump(mode="json")
    flow.save(update_fields=["description", "draft"])
    DraftState.objects.filter(flow=flow).update(document=flow.draft)
    note_draft_usage(flow, document)
    write_audit(
        actor=actor, action="flow.import", object_kind="flow", object_id=flow.pk, object_name=name,
        payload={"made": made, "from": file.name},
    )  # fmt: skip
    return BroughtIn(flow, made, (note, *notes) if note else tuple(notes))


def _order(used: Used) -> tuple[int, int, int]:
    """What others name goes first; of selections, those with members of their own, and then as the file names them
    backwards: a rule comes before what it asks about."""
    names = [kind.name for kind in USED_KINDS]
    if used.kind == "selection" and used.data.get("how", "static") == "static":
        return names.index("project"), 1, used.id
    return names.index(used.kind), 0, -used.id if used.kind == "selection" else used.id


def _make(used: Used, numbers: _Here, making: Making) -> tuple[int, str]:
    """Return the id of what was made, and what of it did not travel, in words."""
    kind = USED_KINDS[used.kind]
    try:
        data = kind.Data.model_validate(swapped(used.data, numbers))
        made = kind.make(used, data, making)
    except CannotMake as refused:
        raise CannotBringIn(used, str(refused)) from None
    except ValidationError as error:
        raise CannotBringIn(used, error.errors()[0]["msg"]) from None
    numbers.note(used, made)
    return made, kind.left_behind(used, data)


class _Here(Swap):
    """Puts what is here in the place of the file's numbers."""

    def __init__(self, file: FlowFile, flow_id: int, decisions: Mapping[Key, Decision]) -> None:
        self.taken: dict[Key, int] = {
            key: decision for key, decision in decisions.items() if isinstance(decision, int)
        }
        self.taken |= {used.key: flow_id for used in file.uses if used.data.get("itself")}
        told = [used for used in file.uses if not used.gone]
        self._fields = {
            f"{one.data['on']}.custom.{one.data['key']}": one for one in told if one.kind == "custom_field"
        }
        self._links = {str(one.data["key"]): one for one in told if one.kind == "link"}
        self._keys = {field.pk: custom_key(field) for field in CustomField.objects.all()}
        self._pictures: dict[int, str] = {}
        self._link_keys = dict(TrackedLink.objects.filter(deleted_at=None).values_list("pk", "key"))

    def note(self, used: Used, made: int) -> None:
        """Know the keys of what was just made."""
        if used.kind == "custom_field":
            self._keys[made] = custom_key(CustomField.objects.get(pk=made))
        if used.kind == "link":
            self._link_keys[made] = TrackedLink.objects.values_list("key", flat=True).get(pk=made)

    def id(self, kind: str, given: int) -> int:
        return self.taken.get((kind, given), NOTHING)

    def custom(self, key: str) -> str:
        """A field left open keeps its key where none here has it; else it would quietly become that one."""
        used = self._fields.get(key)
        here = self._keys.get(self.taken.get(used.key, NOTHING)) if used else None
        return here or (f"{key}-left-open" if key in self._keys.values() else key)

    def is_list(self, key: str) -> bool:
        return key in self._fields and self._fields[key].data["type"] == "list"

    def pictures(self, source: str) -> str:
        return PICTURE.sub(lambda match: self._picture(int(match[1])), source)

    def _picture(self, number: int) -> str:
        """Return the address of a picture; of one that was left open none, so that it is chosen anew."""
        pk = self.taken.get(("image", number), NOTHING)
        if pk not in self._pictures:
            image = Image.objects.filter(pk=pk).first()
            self._pictures[pk] = image_url(image) if image else ""
        return self._pictures[pk]

    def link(self, key: str) -> str:
        used = self._links.get(key)
        here = self._link_keys.get(self.taken.get(used.key, NOTHING)) if used else None
        return here or (f"{key}_left_open" if key in self._link_keys.values() else key)


def _check_named(document: FlowDocument, numbers: _Here) -> None:
    """Fail closed: whatever the document names now was decided by the importer, made for it, or is left open."""
    ours = {(kind, taken) for (kind, _), taken in numbers.taken.items()}
    for use in uses(document):
        if use.reference.id != NOTHING and (use.reference.kind, use.reference.id) not in ours:
            raise UnknownKind(f"{use.place} names {use.reference}, which the import does not know.")


__all__ = ["OPEN", "BroughtIn", "CannotBringIn", "bring_in"]
