"""What was copied in the designer: steps, or a whole branch. It is kept in the session, apart for each tenant, because
steps name the tenant's things; it can be pasted into any of the tenant's flows."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.document import Branch, StepNode


@dataclass(frozen=True, slots=True)
class Copied:
    """What the menus say of the clipboard: in words, and whether it is a branch. Empty words: nothing."""

    words: str = ""
    is_branch: bool = False


NOTHING = Copied()


def clip_steps(
    session: MutableMapping[str, Any],
    *,
    tenant_id: int,
    nodes: Sequence[StepNode],
    cut_from: int | None = None,
) -> str:
    """Keep steps; return them in words. `cut_from` is the flow that they were taken out of."""
    words = f"“{nodes[0].title}”" if len(nodes) == 1 else f"{len(nodes)} steps"
    kept = {"words": words, "steps": [node.model_dump(mode="json") for node in nodes], "cut_from": cut_from}
    session[_key(tenant_id)] = kept
    return words


def clip_branch(session: MutableMapping[str, Any], *, tenant_id: int, branch: Branch) -> str:
    """Keep a branch with its steps; return it in words."""
    words = f"branch “{branch.name}”"
    session[_key(tenant_id)] = {"words": words, "branch": branch.model_dump(mode="json")}
    return words


def copied(session: MutableMapping[str, Any], *, tenant_id: int) -> Copied:
    """Return what there is to paste, without reading it."""
    kept = _kept(session, tenant_id)
    return Copied(str(kept.get("words", "")), "branch" in kept)


def clipped_steps(session: MutableMapping[str, Any], *, tenant_id: int) -> list[StepNode]:
    """Return the copied steps; those of the branch where a branch was copied."""
    branch = clipped_branch(session, tenant_id=tenant_id)
    if branch is not None:
        return list(branch.steps)
    return [StepNode.model_validate(node) for node in _kept(session, tenant_id).get("steps", [])]


def cut_from(session: MutableMapping[str, Any], *, tenant_id: int) -> int | None:
    """Return the flow that the kept steps were cut out of; None where they were copied."""
    flow_id = _kept(session, tenant_id).get("cut_from")
    return flow_id if isinstance(flow_id, int) else None


def clipped_branch(session: MutableMapping[str, Any], *, tenant_id: int) -> Branch | None:
    """Return the copied branch, or None."""
    branch = _kept(session, tenant_id).get("branch")
    return None if branch is None else Branch.model_validate(branch)


def _kept(session: MutableMapping[str, Any], tenant_id: int) -> dict[str, Any]:
    kept = session.get(_key(tenant_id))
    return kept if isinstance(kept, dict) else {}


def _key(tenant_id: int) -> str:
    return f"flow_clipboard_{tenant_id}"
