"""Engagement and flow history: fields over the contact's events (crm.Event), which the rooms above write.

"Which" is the object that the event names: the email, form, tracked link or flow. A message without an email is an SMS.
Clicks and opens of machines are events of other kinds, so they count for nothing.
"""

from __future__ import annotations

from crm.criteria.field import ENGAGEMENT, HISTORY, Choices, Field, Rows

_OF_CONTACT = "e.tenant_id = c.tenant_id AND e.contact_id = c.id"
# An end closes the entry of the same participant; who entered twice may have one of each.
_OPEN = """NOT EXISTS (SELECT 1 FROM crm_event x WHERE x.tenant_id = e.tenant_id AND x.contact_id = e.contact_id
AND x.kind = ANY('{flow.finished,flow.dropped,flow.cancelled}'::text[]) AND x.participant_id = e.participant_id)"""


# What the messages of one channel have in common; written as the index of events by object can answer it.
_EMAIL, _SMS = "e.object_id IS NOT NULL", "e.object_id IS NULL"


def _counted(key: str, label: str, group: str, kind: str, choices: Choices = "", *, only: str = "") -> Field:
    # Kinds and conditions are this module's own words, never a user's.
    narrowed = f" AND {only}" if only else ""
    rows = Rows(
        f"FROM crm_event e WHERE {_OF_CONTACT} AND e.kind = '{kind}'{narrowed}",
        "count",
        which="e.object_id" if choices else "",
        at="e.at",
        day="e.day",
    )
    return Field(key, label, group, "count", "rows", "", choices=choices, rows=rows, kinds=frozenset({kind}))


ENGAGEMENT_FIELDS: tuple[Field, ...] = (
    _counted("event.got", "Got an email", ENGAGEMENT, "message.sent", "email", only=_EMAIL),
    _counted("event.opened", "Opened an email", ENGAGEMENT, "message.opened", "email", only=_EMAIL),
    _counted("event.clicked", "Clicked in an email", ENGAGEMENT, "message.clicked", "email", only=_EMAIL),
    _counted("event.got_sms", "Got an SMS", ENGAGEMENT, "message.sent", only=_SMS),
    _counted("event.clicked_sms", "Clicked in an SMS", ENGAGEMENT, "message.clicked", only=_SMS),
    _counted("event.link", "Clicked a tracked link", ENGAGEMENT, "link.clicked", "link"),
    _counted("event.form", "Submitted a form", ENGAGEMENT, "form.submitted", "form"),
)
HISTORY_FIELDS: tuple[Field, ...] = (
    _counted("flow.enrolled", "Entered a flow", HISTORY, "flow.enrolled", "flow"),
    _counted("flow.finished", "Finished a flow", HISTORY, "flow.finished", "flow"),
    _counted(
        "flow.succeeded",
        "Finished a flow with success",
        HISTORY,
        "flow.finished",
        "flow",
        only="e.object_key = 'success'",
    ),
    _counted("flow.dropped", "Dropped out of a flow", HISTORY, "flow.dropped", "flow"),
    Field(
        "flow.active",
        "Is in a flow now",
        HISTORY,
        "bool",
        "rows",
        "",
        choices="flow",
        rows=Rows(
            f"FROM crm_event e WHERE {_OF_CONTACT} AND e.kind = 'flow.enrolled' AND {_OPEN}",
            "any",
            which="e.object_id",
        ),
        kinds=frozenset({"flow.enrolled", "flow.finished", "flow.dropped", "flow.cancelled"}),
    ),
)
