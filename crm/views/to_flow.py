"""The way from pages of contacts to *Add to flow*, which lies in the room above and may not be there."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import NoReverseMatch

from accounts.http import TenantRequest
from accounts.rights import Right
from accounts.urls_for import turl


def add_to_flow_url(request: TenantRequest, **audience: int) -> str:
    """Return the dialog's address for an audience (selection=7, project=7, company=7); "" for who may not add."""
    if not request.member.may(Right.FLOW_ADMINISTRATOR, Right.ADD_TO_FLOWS):
        return ""
    try:
        return f"{turl(request.tenant, 'participants:add')}?{urlencode(audience)}"
    except NoReverseMatch:
        return ""
