"""The API of flows: adding contacts to one (docs/api.md)."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router, Schema
from ninja.decorators import decorate_view
from pydantic import Field

from accounts.api import Problem, keyed
from accounts.models import ApiKey
from accounts.queries import tenant_now
from core.tenancy import require_tenant_id
from crm.api import Strict, Who
from flows.models import Flow
from participants.operations.adding import FlowClosed, add_by_api

router = Router()
MOST_CONTACTS = 1_000


class AddIn(Strict):
    """Who is to be added."""

    contacts: Annotated[list[Who], Field(min_length=1, max_length=MOST_CONTACTS)]


class AddOut(Schema):
    """How many got which verdict; contacts that are not known stand apart."""

    enrolled: int
    verdicts: dict[str, int]
    unknown: int


@router.post("/flows/{flow_id}/contacts", response=AddOut, summary="Add contacts to a flow")
@decorate_view(keyed(ApiKey.Scope.FLOWS))
def add_contacts(
    request: HttpRequest, adding: AddIn, flow_id: Annotated[int, Path(ge=1, lt=2**63)]
) -> AddOut:
    """Suggest contacts for a running or paused flow, whose rules decide. A contact that is in already stays once."""
    try:
        verdicts = add_by_api(
            flow_id=flow_id,
            contacts=[who.named for who in adding.contacts],
            now=tenant_now(require_tenant_id()),
        )
    except Flow.DoesNotExist:
        raise Problem(404, "There is no such flow.") from None
    except FlowClosed as refusal:
        raise Problem(409, str(refusal)) from None
    unknown = verdicts.pop("unknown", 0)
    return AddOut(enrolled=verdicts.get("enrolled", 0), verdicts=verdicts, unknown=unknown)
