"""The lists of sales and requests: what is used stays, a name stands once."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from crm.models import (
    RequestPriority,
    SaleStage,
    Usage,
)
from crm.operations.choices import KINDS, SALE_TYPES, delete_choice, retire_choice, save_choice
from crm.operations.lists import AlreadyListed, HasRecords
from crm.operations.usage import InUse
from tests.crm.conftest import make_contact
from tests.crm.desk_rows import make_sale, sale_type, stage
from tests.fixtures.people import Person


def test_what_a_sale_has_or_a_flow_uses_is_not_deleted(scope: Tenant, alice: Person) -> None:
    make_sale(make_contact(first_name="Åse"), alice)
    with pytest.raises(HasRecords):
        delete_choice(kind=SALE_TYPES, choice_id=sale_type().pk, actor=alice.user)
    renewal = sale_type("Renewal")
    use = Usage.objects.create(
        used_kind="sale_stage", used_id=stage("Due", of="Renewal").pk, user_kind="flow", user_id=1,
        user_name="Flow", url="/",
    )  # fmt: skip
    with pytest.raises(InUse):
        delete_choice(kind=SALE_TYPES, choice_id=renewal.pk, actor=alice.user)
    use.delete()
    delete_choice(kind=SALE_TYPES, choice_id=renewal.pk, actor=alice.user)
    assert SaleStage.objects.filter(type_id=renewal.pk).count() == 0


def test_a_name_stands_once_in_a_list_and_a_retired_stage_is_not_the_first(
    scope: Tenant, alice: Person
) -> None:
    with pytest.raises(AlreadyListed):
        save_choice(
            kind=KINDS["request-priorities"], choice_id=None, values={"name": " High "}, actor=alice.user
        )
    retire_choice(kind=KINDS["sale-stages"], choice_id=stage("Lead").pk, retired=True, actor=alice.user)
    assert make_sale(make_contact(first_name="Åse"), alice).stage == stage("Qualified")
    added = save_choice(
        kind=KINDS["sale-stages"],
        choice_id=None,
        values={"name": "Lead", "probability": 5},
        actor=alice.user,
        type_id=sale_type("Renewal").pk,
    )
    assert added.rank == RequestPriority.objects.count() - 1
