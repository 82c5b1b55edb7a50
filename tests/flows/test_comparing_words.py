"""Where something is, as a comparison of two revisions says it."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from core.tenancy import tenant_scope
from flows.comparing.compare import compare
from flows.comparing.words import told
from flows.document import Branch, FlowDocument
from flows.editing import steps
from flows.editing.tree import Slot
from tests.flows.documents import job, split, step

pytestmark = pytest.mark.django_db
INNER, FIRST, NEW = step(title="Inner"), step(title="First"), step(title="New")
CHEFS = Branch(name="Chefs", criteria=job("chef"), steps=(INNER,))
BEFORE = FlowDocument(steps=(FIRST, split(CHEFS, title="Fork")))


@pytest.mark.parametrize(
    ("slot", "place"),
    [
        (Slot(None, 0), "at the start of the flow"),
        (Slot(None, 1), "after “First”"),
        (Slot(CHEFS.id, 0), "at the start of branch “Chefs”"),
        (Slot(CHEFS.id, 1), "after “Inner” in branch “Chefs”"),
    ],
)
def test_where_a_step_was_added_and_moved(acme: Tenant, slot: Slot, place: str) -> None:
    added = steps.insert(BEFORE, slot=slot, node=NEW)
    with tenant_scope(acme.pk):
        assert [one.place for one in told(compare(BEFORE, added), BEFORE, added)] == [place]
        assert [one.place for one in told(compare(added, BEFORE), added, BEFORE)] == [place]


def test_where_a_step_came_from_and_went(acme: Tenant) -> None:
    moved = steps.move(BEFORE, step_id=INNER.id, slot=Slot(None, 0))
    with tenant_scope(acme.pk):
        (one,) = told(compare(BEFORE, moved), BEFORE, moved)
    assert one.place == "from the start of branch “Chefs” to the start of the flow"
