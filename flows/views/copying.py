"""What copies: into the clipboard, beside the original, to a chosen place, from another flow. Content is copied too."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence

from django.http import HttpResponse

from accounts.http import TenantRequest
from flows.clipboard import clip_branch, clip_steps, clipped_branch, clipped_steps, copied, cut_from
from flows.designer import Designer
from flows.document import FlowDocument, StepNode
from flows.editing import branches
from flows.editing.several import chosen, remove_several, slot_after
from flows.editing.steps import put
from flows.editing.tree import IllegalEdit, Slot, find_branch, find_step, fresh, fresh_branch, subtree
from flows.operations.own_content import own_branch, own_copies
from flows.references import part
from flows.views.answers import answer
from flows.views.ops import Ask, Plan, beside, in_words


def to_clipboard(request: TenantRequest, designer: Designer, ask: Ask) -> HttpResponse:
    """Keep steps, or a branch with its steps, for pasting here or in another flow."""
    if ask.post.get("branch_id"):
        split, position = find_branch(designer.document, ask.id("branch_id"))
        words = clip_branch(request.session, tenant_id=request.tenant.pk, branch=split.branches[position])
    else:
        nodes = chosen(designer.document, step_ids=ask.step_ids)
        words = clip_steps(request.session, tenant_id=request.tenant.pk, nodes=nodes)
    designer.copied = copied(request.session, tenant_id=request.tenant.pk)
    designer.said = f"{words[0].upper()}{words[1:]} copied. Press a plus to paste."
    return answer(request, designer)


def _cut(request: TenantRequest, designer: Designer, ask: Ask) -> Plan:
    ids = ask.step_ids
    nodes = chosen(designer.document, step_ids=ids)
    words = in_words(nodes)

    def change(document: FlowDocument) -> FlowDocument:
        # Kept only once the draft is ours: a conflict leaves the clipboard as it was.
        without = remove_several(document, step_ids=ids)
        clip_steps(request.session, tenant_id=request.tenant.pk, nodes=nodes, cut_from=designer.flow.pk)
        return without

    return Plan(
        change,
        f"cut {words}",
        f"{words[0].upper()}{words[1:]} cut. Press a plus to paste.",
        "",
        focus=beside(designer.document, nodes[0].id),
        moves=tuple(node.id for node in nodes),
    )


def _duplicate(request: TenantRequest, designer: Designer, ask: Ask) -> Plan:
    nodes = chosen(designer.document, step_ids=ask.step_ids)
    slot = slot_after(designer.document, step_ids=ask.step_ids)
    return _put_copies(request, designer, nodes, slot, "duplicated", opens=len(nodes) == 1)


def _copy_to(request: TenantRequest, designer: Designer, ask: Ask) -> Plan:
    nodes = chosen(designer.document, step_ids=ask.step_ids)
    return _put_copies(request, designer, nodes, ask.slot, "copied")


def _paste(request: TenantRequest, designer: Designer, ask: Ask) -> Plan:
    nodes = clipped_steps(request.session, tenant_id=request.tenant.pk)
    if not nodes:
        raise IllegalEdit("There is nothing to paste: copy a step first.")
    there = {node.id for node in designer.document.walk()}
    back = cut_from(request.session, tenant_id=request.tenant.pk) == designer.flow.pk
    if back and there.isdisjoint(inner.id for node in nodes for inner in subtree(node)):
        return _put_back(nodes, ask.slot)
    return _put_copies(request, designer, nodes, ask.slot, "pasted")


def _put_back(nodes: Sequence[StepNode], slot: Slot) -> Plan:
    """What was cut out of this flow and is pasted in it for the first time has moved: it keeps its emails."""
    words = in_words(nodes)
    return Plan(
        lambda d: put(d, slot, nodes),
        f"pasted {words}",
        f"{words[0].upper()}{words[1:]} pasted.",
        focus=f"step-{nodes[0].id}",
        chooses=tuple(node.id for node in nodes) if len(nodes) > 1 else (),
    )


def _put_copies(
    request: TenantRequest,
    designer: Designer,
    nodes: Sequence[StepNode],
    slot: Slot,
    done: str,
    *,
    opens: bool = False,
) -> Plan:
    copies = tuple(fresh(node) for node in nodes)

    def change(document: FlowDocument) -> FlowDocument:
        # The place is looked at first, and emails are copied only once the draft is ours: nothing is left behind.
        put(document, slot, copies)
        own = own_copies(copies, flow_id=designer.flow.pk, actor=request.user, now=designer.now)
        return put(document, slot, own)

    words, first = in_words(nodes), copies[0].id
    said = f"{words[0].upper()}{words[1:]} {done}." if len(nodes) > 1 else f"{nodes[0].title} {done}."
    return Plan(
        change,
        f"{done} {words}",
        said,
        part("step", first) if opens else None,
        focus=f"step-{first}",
        chooses=tuple(copy.id for copy in copies) if len(copies) > 1 else (),
    )


def _copy_branch(request: TenantRequest, designer: Designer, ask: Ask) -> Plan:
    branch_id = ask.id("branch_id")
    split, position = find_branch(designer.document, branch_id)
    copy = branches.copied(designer.document, branch_id=branch_id)

    def change(document: FlowDocument) -> FlowDocument:
        branches.put_branch(document, after=branch_id, branch=copy)
        own = own_branch(copy, flow_id=designer.flow.pk, actor=request.user, now=designer.now)
        return branches.put_branch(document, after=branch_id, branch=own)

    words = f"copied branch “{split.branches[position].name}”"
    return Plan(change, words, f"{words[0].upper()}{words[1:]}.", focus=f"branch-{copy.id}")


def _paste_branch(request: TenantRequest, designer: Designer, ask: Ask) -> Plan:
    step_id = ask.id("step")
    find_step(designer.document, step_id)
    kept = clipped_branch(request.session, tenant_id=request.tenant.pk)
    if kept is None:
        raise IllegalEdit("There is no branch to paste: copy one first.")
    copy = fresh_branch(kept)

    def change(document: FlowDocument) -> FlowDocument:
        branches.paste_branch(document, step_id=step_id, branch=copy)
        own = own_branch(copy, flow_id=designer.flow.pk, actor=request.user, now=designer.now)
        return branches.paste_branch(document, step_id=step_id, branch=own)

    words = f"pasted branch “{kept.name}”"
    return Plan(change, words, f"Branch {kept.name} pasted.", focus=_focus(copy.id))


def _focus(branch_id: uuid.UUID) -> str:
    return f"branch-{branch_id}"


PLANS: dict[str, Callable[[TenantRequest, Designer, Ask], Plan]] = {
    "cut": _cut,
    "duplicate": _duplicate,
    "copy_to": _copy_to,
    "paste": _paste,
    "copy_branch": _copy_branch,
    "paste_branch": _paste_branch,
}
