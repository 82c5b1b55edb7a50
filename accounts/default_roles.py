"""The roles that every new tenant begins with; an administrator may change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.rights import DataObject, Reach, Right


@dataclass(frozen=True)
class DataRow:
    """How far a role reaches into one kind of object."""

    read: Reach = Reach.NONE
    create: Reach = Reach.NONE
    update: Reach = Reach.NONE
    remove: Reach = Reach.NONE


@dataclass(frozen=True)
class DefaultRole:
    """A role as seeded."""

    name: str
    description: str
    rights: tuple[Right, ...]
    data: Mapping[DataObject, DataRow]


FULL = DataRow(read=Reach.ALL, create=Reach.ALL, update=Reach.ALL, remove=Reach.ALL)
KEEPER = DataRow(read=Reach.ALL, create=Reach.ALL, update=Reach.ALL, remove=Reach.OWN)
READER = DataRow(read=Reach.ALL)
OWN_DESK = DataRow(read=Reach.ALL, create=Reach.ALL, update=Reach.OWN, remove=Reach.NONE)

DEFAULT_ROLES = (
    DefaultRole(
        name="Administrator",
        description="Everything: people, settings, flows and data.",
        rights=tuple(right for right in Right if right != Right.HIDE_MARKETING),
        data=dict.fromkeys(DataObject, FULL),
    ),
    DefaultRole(
        name="Flow administrator",
        description="Plans, builds and runs flows; imports and exports contacts.",
        rights=(
            Right.FLOW_ADMINISTRATOR,
            Right.ADD_TO_FLOWS,
            Right.UPDATE_CONSENT,
            Right.BULK_UPDATE,
            Right.EXPORT,
            Right.IMPORT,
            Right.MANAGE_LISTS,
        ),
        data=dict.fromkeys(DataObject, KEEPER),
    ),
    DefaultRole(
        name="Content writer",
        description="Writes the emails and forms of flows; never runs them.",
        rights=(Right.EDIT_FLOW_CONTENT,),
        data=dict.fromkeys(DataObject, READER),
    ),
    DefaultRole(
        name="Sales rep",
        description="Works with contacts and sees which flows they are in.",
        rights=(),
        data=dict.fromkeys(DataObject, OWN_DESK),
    ),
)
