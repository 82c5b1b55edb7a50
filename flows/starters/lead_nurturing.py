"""Lead nurturing: whoever asks for a guide gets it, learns more, and is called when the time is right."""

from __future__ import annotations

from flows.document import SuccessCriterion, Trigger
from flows.exchange.schema import FlowFile
from flows.starters.base import (
    CONSENT,
    FlowTemplate,
    category,
    clicked,
    document,
    email,
    form,
    hint,
    send,
    settings,
    step,
    subscription,
    task,
    wait,
    wait_for_click,
    when,
)

_GUIDE = send(1, "Send the guide")

TEMPLATE = FlowTemplate(
    name="lead_nurturing",
    label="Lead nurturing",
    description="A form brings leads in; three emails warm them up; a colleague calls those who click.",
    makes="3 emails, 1 form",
    chooses=("Opening the form", "The address of your guide"),
    plain=FlowFile(
        name="Lead nurturing",
        description="From the first question to a talk.",
        document=document(
            settings=settings(),
            triggers=(Trigger(kind="form_submitted", settings={"form": 1}),),
            # Who is a customer already must not become a lead again.
            filter=when("contact.category", "not_one_of", "2"),
            success=(
                SuccessCriterion(kind="sale_created"),
                SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", "2")),
            ),
            steps=(
                _GUIDE,
                step(
                    "update_contact",
                    "Mark as lead",
                    lines=[{"field": "contact.category", "action": "set", "values": ["1"]}],
                ),
                wait(3),
                send(2, "Tell a story"),
                wait_for_click(2, "Wait for a click", 5),
                clicked(
                    2,
                    "Interested?",
                    yes=(
                        task(
                            "Ask to call",
                            "Call an interested lead",
                            "Asked for the guide and read the story.",
                        ),
                    ),
                    no=(wait(7), send(3, "Offer a talk")),
                ),
            ),
            notes=(
                hint(
                    "Open the form “Ask for the guide”, and put the guide's address into this email.", _GUIDE
                ),
            ),
        ),
        uses=(
            subscription("Newsletter"),
            category(1, "Lead"),
            category(2, "Customer"),
            CONSENT,
            form(
                1,
                "Ask for the guide",
                heading="Get the guide",
                introduction="Tell us where to send it.",
                button="Send me the guide",
                thanks="The guide is on its way to your inbox.",
            ),
            email(
                1,
                "Nurturing 1: the guide",
                subject="Here is your guide",
                preheader="As you asked",
                heading="Here is your guide",
                text=(
                    (
                        'Hello {{ contact.first_name|default("there") }}, thank you for your interest. '
                        "You find the guide behind the button."
                    ),
                    "If you only have five minutes, begin with the summary on the first page.",
                ),
                button="Open the guide",
            ),
            email(
                2,
                "Nurturing 2: a story",
                subject="How others went about it",
                preheader="A short story with numbers",
                heading="How others went about it",
                text=(
                    (
                        "Theory is one thing. Here is what happened when a company like {{ "
                        'company.name|default("yours") }} tried it: where they began, what went wrong, '
                        "what came out of it."
                    ),
                    "It takes four minutes to read.",
                ),
                button="Read the story",
            ),
            email(
                3,
                "Nurturing 3: a talk",
                subject="Shall we talk for fifteen minutes?",
                preheader="No slides, only your questions",
                heading="Shall we talk for fifteen minutes?",
                text=(
                    (
                        "Perhaps reading is not what you need now. In a quarter of an hour we can tell "
                        "you whether we are of use to you, and if not, who is."
                    ),
                ),
                button="Choose a time",
            ),
        ),
    ),
)
