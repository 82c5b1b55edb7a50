"""What a person fills in, in the panel of each kind of step, branch, trigger and success criterion: every setting."""

from __future__ import annotations

from typing import Any

from flows.steps.split.table import BASES

# What is done in a panel: (label, text or label of the choice), (label, True) for a box or a round button,
# ("press", name) for a button that brings more fields, (CRITERIA, …) for the criteria editor.
Act = tuple[str, Any]
CRITERIA = "criteria"
CHEFS: Act = (CRITERIA, ("Job title", "contains", "chef"))
EXIT: tuple[Act, ...] = (
    ("Then add to selection", "Competitors"),
    ("Then suggest for flow", "Win-back of the lost"),
)

STEPS: dict[str, list[list[Act]]] = {
    "send_email": [[("Email", "Welcome"), ("Skip this email and go on", True)]],
    "send_sms": [
        [
            ("Sender", "Acme"),
            ("Text", "Hi {{ contact.first_name }} 💚"),
            ("press", "Add a language"),
            ("Language", "Norwegian"),
            ("Text in this language", "Hei {{ contact.first_name }}"),
            ("Exit flow", True),
            *EXIT,
        ]
    ],
    "wait_for_time": [
        [("How many", "3"), ("Unit", "workdays")],
        [("Until a date and time", True), ("Date and time", "2027-03-28T02:30")],
        [
            ("Until a date of the contact or its company", True),
            ("Date field", "Date of birth"),
            ("Days", "5"),
            ("Before or after", "after"),
            ("At", "07:45"),
        ],
    ],
    "wait_for_action": [
        [
            ("Opens any email", True),
            ("Clicks “Offer”, in any message", True),
            ("Submits “Sign-up”", True),
            ("Or one of these events comes from outside", "paid, signed"),
            CHEFS,
            ("Also what happened since entering the flow", True),
            ("How many", "9"),
            ("Unit", "hours"),
            ("Exit flow when the time is up", True),
            *EXIT,
        ],
        [("Opens any email", True), ("Wait at most", False)],
    ],
    "split": [[("Based on", basis.label)] for basis in BASES if not basis.asks_form]
    + [[("Based on", basis.label), ("Form", "Sign-up")] for basis in BASES if basis.asks_form],
    "update_contact": [
        [
            ("Field", "Job title"),
            ("Action", "search and replace"),
            ("Search for", "cook"),
            ("Replace with", "chef"),
            ("press", "Add a change"),
            ("Field", "Interests"),
            ("Action", "remove"),
            ("Values", ["Events", "Webinars"]),
        ]
    ],
    "add_to_selection": [[("Selection", "Autumn prospects"), ("Project", "Fair")]],
    "remove_from_selection": [[("Selection", "Competitors"), ("Project", "Fair")]],
    "create_follow_up": [
        [
            ("Meeting", True),
            ("Title of the follow-up", "Call them"),
            ("Later", True),
            ("After", "2"),
            ("Unit", "weeks"),
            ("Minutes", "45"),
            ("Assign to", "One user"),
            ("User", "Rory Silva"),
            ("If there is nobody", "Alice Wong"),
            ("Type", "Call"),
            ("Project", "Fair"),
            ("Agenda", "First this, then that"),
        ]
    ],
    "create_request": [
        [
            ("Title of the request", "Help {{ contact.name }}"),
            ("Message", "They asked."),
            ("Type", "Complaint"),
            ("Category", "Invoice"),
            ("Priority", "High"),
            ("Status", "Postponed"),
            ("One user", True),
            ("User", "Rory Silva"),
        ]
    ],
    "create_sale": [
        [
            ("Title of the sale", "Renewal of {{ company.name }}"),
            ("Description", "As last year"),
            ("Type and stage", "New business: Proposal (50 %)"),
            ("Amount", "1250.50"),
            ("Currency", "NOK Norwegian krone"),
            ("After a time", True),
            ("How many", "3"),
            ("Unit", "weeks"),
            ("Owner", "One user"),
            ("User", "Rory Silva"),
            ("If there is nobody", "Alice Wong"),
            ("Project", "Fair"),
        ]
    ],
    "distribute_to_owner": [
        [
            ("Rory Silva", True),
            ("Sales", True),
            ("Only contacts without our contact", False),
            ("If there is nobody", "Alice Wong"),
        ]
    ],
    "notify_by_email": [
        [
            ("Service contact", True),
            ("If there is nobody", "Rory Silva"),
            ("Subject", "Lead"),
            ("Text", "Call"),
        ],
        [("These addresses", True), ("Addresses", "boss@acme.test\nchief@acme.test")],
    ],
    "notify_by_sms": [
        [
            ("Service contact", True),
            ("If there is nobody", "Rory Silva"),
            ("Sender", "Acme"),
            ("Text", "Call"),
        ],
        [("These numbers", True), ("Numbers", "+4791234567")],
    ],
    "go_to_flow": [[("Flow", "Win-back of the lost"), ("Stays and goes on", True)]],
    "run_script": [[("Script", "Score")]],
    "webhook": [
        [
            ("Method", "PUT"),
            ("Address", "https://hooks.acme.test/in"),
            ("Headers", "X-Source: millrace"),
            ("Body (JSON)", '{"id": "{{ contact.email }}"}'),
        ]
    ],
}

BRANCHES: dict[str, list[Act]] = {
    "contact": [CHEFS],
    "submitted": [("Submits “Sign-up”", True)],
    "form_data": [("Question", "First name"), ("Answer", "contains"), ("Value", "Ann")],
    "clicked": [("Clicks “Offer”, in any message", True), ("Clicks any link", True)],
    "opened": [("Opens “Welcome”", True)],
    "selection": [("Members of the selection", "Autumn prospects")],
    "project": [("Members of the project", "Fair")],
    "random": [("Share (%)", "35")],
}

SALES: list[Act] = [("Renewal", True)]
OUTSIDE: list[Act] = [
    ("Event", "order.paid"),
    ("press", "Add a condition"),
    ("Value of the event", "order.total"),
    ("Compare", ">"),
    ("With", "100"),
]
TRIGGERS: dict[str, list[list[Act]]] = {
    "contact_created": [[CHEFS]],
    "contact_updated": [
        [
            ("press", "Name a field"),
            ("Field", "Country"),
            ("From", ["Norway", "Sweden"]),
            ("To", ["Denmark"]),
        ]
    ],
    "added_to_selection": [[("Selection", "Autumn prospects"), CHEFS]],
    "added_to_project": [[("Project", "Fair")]],
    "sale_created": [SALES],
    "sale_sold": [SALES],
    "sale_lost": [SALES],
    "request_created": [[("Complaint", True), ("Invoice", True), ("High", True)]],
    "date_in_field": [
        [
            ("Date field", "Date of birth"),
            ("Days", "14"),
            ("Before or after", "before the date"),
            ("At", "08:15"),
            ("Every year", True),
        ]
    ],
    "form_submitted": [[("Form", "Sign-up")]],
    "link_clicked": [[("Tracked link", "Offer")]],
    "outside_event": [OUTSIDE],
    "schedule": [
        [("Members of", "Autumn prospects"), ("Date and time", "2027-02-01T10:30")],
        [("Members of", "Autumn prospects"), ("Every week", True), ("On", "Wednesday"), ("At", "10:10")],
        [("Members of", "Autumn prospects"), ("Every month", True), ("On day", "31"), ("At", "10:10")],
    ],
}
SUCCESS: dict[str, list[list[Act]]] = {
    "criteria": [[CHEFS]],
    "added_to_selection": [[("Selection", "Autumn prospects")]],
    "added_to_project": [[("Project", "Fair")]],
    "follow_up_created": [[("Type", "Call")]],
    "sale_created": [SALES],
    "sale_created_on_company": [SALES],
    "sale_sold": [SALES],
    "request_created": [[("Complaint", True), ("Invoice", True), ("High", True)]],
    "form_submitted": [[("Form", "Sign-up")]],
    "link_clicked": [[("Tracked link", "Offer")]],
    "outside_event": [OUTSIDE],
}
