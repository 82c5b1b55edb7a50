"""A flow that another one goes on to is not deleted; the refusal leads to the uses that one may see."""

from __future__ import annotations

import datetime as dt

import pytest

from core.tenancy import tenant_scope
from flows.document import FlowDocument
from flows.models import Flow
from flows.operations.create import create_flow
from tests.fixtures.people import Person
from tests.flows.documents import step

NOW = dt.datetime(2026, 11, 18, 10, 0, tzinfo=dt.UTC)
pytestmark = pytest.mark.django_db


def test_a_refused_deletion_leads_to_the_uses_and_hides_those_of_flows_one_may_not_see(
    alice: Person, bob: Person
) -> None:
    with tenant_scope(alice.tenant.pk):
        target = create_flow(name="Win-back", owner=bob.user, now=NOW)
        onward = step("go_to_flow", "Go on", flow=target.pk)
        open_one = create_flow(
            name="<Autumn>", owner=alice.user, now=NOW, document=FlowDocument(steps=(onward,))
        )
        secret = create_flow(
            name="Secret",
            owner=alice.user,
            now=NOW,
            document=FlowDocument(steps=(step("go_to_flow", "Go on", flow=target.pk),)),
        )
        Flow.objects.filter(pk=secret.pk).update(visibility=Flow.Visibility.OWNER)
    page = bob.client().post(bob.url(f"flows/{target.pk}/delete/"), follow=True).content.decode()
    link = (
        f'<a href="/t/acme/flows/{open_one.pk}/edit/?part=step:{onward.id}">&lt;Autumn&gt; (in a draft)</a>'
    )
    assert f"Win-back cannot be deleted: it is used by {link}, a flow that you may not see." in page
    assert "Secret" not in page
    with tenant_scope(alice.tenant.pk):
        assert Flow.objects.get(pk=target.pk).deleted_at is None
