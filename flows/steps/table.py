"""The step kinds in menu order. A new kind is one file and one line here."""

from __future__ import annotations

from core.kinds import KindTable
from flows.steps.add_to_selection import AddToSelection
from flows.steps.base import StepKind
from flows.steps.create_follow_up import CreateFollowUp
from flows.steps.create_request import CreateRequest
from flows.steps.create_sale import CreateSale
from flows.steps.distribute_to_owner import DistributeToOwner
from flows.steps.go_to_flow import GoToFlow
from flows.steps.notify_by_email import NotifyByEmail
from flows.steps.notify_by_sms import NotifyBySms
from flows.steps.remove_from_selection import RemoveFromSelection
from flows.steps.run_script import RunScript
from flows.steps.send_email import SendEmail
from flows.steps.send_sms import SendSms
from flows.steps.split import Split
from flows.steps.update_contact import UpdateContact
from flows.steps.wait_for_action import WaitForAction
from flows.steps.wait_for_time import WaitForTime
from flows.steps.webhook import Webhook

STEP_KINDS: KindTable[StepKind] = KindTable(
    "step kind",
    [
        SendEmail(),
        SendSms(),
        WaitForTime(),
        WaitForAction(),
        Split(),
        UpdateContact(),
        AddToSelection(),
        RemoveFromSelection(),
        CreateFollowUp(),
        CreateRequest(),
        CreateSale(),
        DistributeToOwner(),
        NotifyByEmail(),
        NotifyBySms(),
        GoToFlow(),
        RunScript(),
        Webhook(),
    ],
)
