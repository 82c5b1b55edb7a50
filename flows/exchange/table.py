"""The kinds of things in flow files, in the order in which they are made: what others name goes first."""

from __future__ import annotations

from core.kinds import KindTable
from flows.exchange import attachments, content_things, crm_things, people, pictures
from flows.exchange.kinds import UsedKind

USED_KINDS: KindTable[UsedKind] = KindTable(
    "kind of thing in a flow file",
    [
        people.UserKind(),
        people.GroupKind(),
        crm_things.CustomFieldKind(),
        crm_things.ListItemKind(),
        crm_things.SubscriptionTypeKind(),
        crm_things.PurposeKind(),
        crm_things.SaleTypeKind(),
        crm_things.StageKind(),
        crm_things.RequestTypeKind(),
        crm_things.RequestCategoryKind(),
        crm_things.RequestPriorityKind(),
        content_things.SecretKind(),
        content_things.FlowKind(),
        crm_things.ProjectKind(),
        content_things.ScriptKind(),
        content_things.LinkKind(),
        pictures.PictureKind(),
        attachments.AttachmentKind(),
        content_things.EmailKind(),
        content_things.FormKind(),
        # Last: the criteria of one may ask about anything above. Those with members of their own go before links and
        # forms, which put people into them (flows.exchange.bringing).
        crm_things.SelectionKind(),
    ],
)
