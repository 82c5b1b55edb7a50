"""Which splits and branches of a flow a user has folded on the canvas: theirs alone, kept until they unfold them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from accounts.models import User
from flows.document import FlowDocument
from flows.editing.tree import IllegalEdit, find_branch, subtree
from flows.models import FlowOpened


def folded_parts(*, flow_id: int, user: User) -> frozenset[uuid.UUID]:
    """Return the ids of the splits and branches that the user has folded; one query."""
    kept = FlowOpened.objects.filter(flow_id=flow_id, user=user).values_list("folded", flat=True).first()
    return frozenset(uuid.UUID(text) for text in kept or ())


def keep_folded(
    *, flow_id: int, user: User, folded: Collection[uuid.UUID], document: FlowDocument, now: dt.datetime
) -> frozenset[uuid.UUID]:
    """Keep what is folded, without what is no longer in the flow; return it. One statement."""
    there = {node.id for node in document.walk() if node.branches}
    there |= {branch.id for node in document.walk() for branch in node.branches}
    kept = frozenset(folded) & there
    FlowOpened.objects.bulk_create(
        [FlowOpened(flow_id=flow_id, user=user, at=now, folded=sorted(str(one) for one in kept))],
        update_conflicts=True,
        unique_fields=["tenant", "user", "flow"],
        update_fields=["folded"],
    )
    return kept


def foldable(document: FlowDocument, part_id: uuid.UUID) -> uuid.UUID:
    """Return the id of a split or branch; raise IllegalEdit for anything else."""
    node = document.step(part_id)
    if node is None:
        find_branch(document, part_id)
    elif not node.branches:
        raise IllegalEdit("Only splits and branches can be folded.")
    return part_id


def around(document: FlowDocument, part_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """Return the splits and branches that a step or branch is in: unfolded, it can be seen."""
    if document.step(part_id) is None:
        split, _ = find_branch(document, part_id)
        return frozenset({split.id}) | around(document, split.id)
    found = set()
    for node in document.walk():
        for branch in node.branches:
            if any(inner.id == part_id for top in branch.steps for inner in subtree(top)):
                found |= {node.id, branch.id}
    return frozenset(found)
