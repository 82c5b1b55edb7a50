"""Tables of the CRM."""

from crm.models.choices import RequestCategory, RequestPriority, RequestType, SaleStage, SaleType
from crm.models.company import Company
from crm.models.consent import Consent, ConsentChange, ConsentPurpose, SubscriptionOptOut, SubscriptionType
from crm.models.contact import Contact, ContactInterest, SearchWord
from crm.models.custom import CompanyFieldValue, ContactFieldValue, CustomField
from crm.models.erasure import ErasedAddress, ErasureKey
from crm.models.event import Event, EventInbox
from crm.models.follow_up import AwayPeriod, Diary, FollowUp
from crm.models.imports import ContactImport, ImportIssue
from crm.models.lists import ListItem
from crm.models.merged import MergedContact
from crm.models.notification import Notification
from crm.models.outside import OutsideKey, OutsideName
from crm.models.requests import Request, RequestMessage
from crm.models.sales import Sale
from crm.models.selection import Project, ProjectMember, Selection, SelectionFolder, SelectionMember
from crm.models.turn import OwnerTurn
from crm.models.usage import Usage

__all__ = [
    "AwayPeriod",
    "Company",
    "CompanyFieldValue",
    "Consent",
    "ConsentChange",
    "ConsentPurpose",
    "Contact",
    "ContactFieldValue",
    "ContactImport",
    "ContactInterest",
    "CustomField",
    "Diary",
    "ErasedAddress",
    "ErasureKey",
    "Event",
    "EventInbox",
    "FollowUp",
    "ImportIssue",
    "ListItem",
    "MergedContact",
    "Notification",
    "OutsideKey",
    "OutsideName",
    "OwnerTurn",
    "Project",
    "ProjectMember",
    "Request",
    "RequestCategory",
    "RequestMessage",
    "RequestPriority",
    "RequestType",
    "Sale",
    "SaleStage",
    "SaleType",
    "SearchWord",
    "Selection",
    "SelectionFolder",
    "SelectionMember",
    "SubscriptionOptOut",
    "SubscriptionType",
    "Usage",
]
