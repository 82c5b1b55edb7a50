"""The success kinds in menu order. A new kind is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.success.added_to_project import ProjectMembership
from flows.success.added_to_selection import SelectionMembership
from flows.success.base import SuccessKind
from flows.success.criteria import CriteriaHold
from flows.success.follow_up_created import FollowUpCreated
from flows.success.form_submitted import FormSubmission
from flows.success.link_clicked import LinkClick
from flows.success.outside_event import OutsideEventSuccess
from flows.success.request_created import RequestCreated
from flows.success.sale_created import SaleCreated
from flows.success.sale_created_on_company import SaleCreatedOnCompany
from flows.success.sale_sold import SaleSold

SUCCESS_KINDS: KindTable[SuccessKind] = KindTable(
    "success kind",
    [
        CriteriaHold(),
        SelectionMembership(),
        ProjectMembership(),
        FollowUpCreated(),
        SaleCreated(),
        SaleCreatedOnCompany(),
        SaleSold(),
        RequestCreated(),
        FormSubmission(),
        LinkClick(),
        OutsideEventSuccess(),
    ],
)
