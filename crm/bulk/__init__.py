"""Set-based writers: memberships and field updates for many contacts, inside the caller's cursor and transaction.

Used by the engine, imports, bulk updates and single edits alike, so that every door writes the same events. The
clock is an argument; table names are unqualified, so a rehearsal's shadow tables work.
"""

from crm.bulk.changes import (
    BadChange,
    Change,
    change_problems,
    change_references,
    describe_change,
)
from crm.bulk.members import (
    add_to_project,
    add_to_selection,
    remove_from_project,
    remove_from_selection,
)
from crm.bulk.requests import NewRequest, assign_owners, create_requests
from crm.bulk.sales import NewSale, create_sales
from crm.bulk.targets import ACTIONS, Target, target_named, targets
from crm.bulk.update import UpdateResult, update_fields

__all__ = [
    "ACTIONS",
    "BadChange",
    "Change",
    "NewRequest",
    "NewSale",
    "Target",
    "UpdateResult",
    "add_to_project",
    "add_to_selection",
    "assign_owners",
    "change_problems",
    "change_references",
    "create_requests",
    "create_sales",
    "describe_change",
    "remove_from_project",
    "remove_from_selection",
    "target_named",
    "targets",
    "update_fields",
]
