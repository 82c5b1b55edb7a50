"""Win-back: who is no customer any more is asked why, and gets a reason to return."""

from __future__ import annotations

from flows.document import Finish, SuccessCriterion, Trigger
from flows.exchange.schema import FlowFile
from flows.starters.base import (
    FlowTemplate,
    category,
    clicked,
    document,
    email,
    hint,
    send,
    settings,
    subscription,
    task,
    wait,
    wait_for_click,
    when,
)

_MISS = send(1, "Ask how they are")

TEMPLATE = FlowTemplate(
    name="win_back",
    label="Win-back",
    description=(
        "When a contact becomes a former customer: a month of silence, a question, and one good offer."
    ),
    makes="2 emails",
    chooses=("The offer, and its address",),
    plain=FlowFile(
        name="Win-back",
        description="Brings former customers back.",
        document=document(
            settings=settings(move_to_finish=True),
            triggers=(
                Trigger(
                    kind="contact_updated",
                    settings={"fields": [{"field": "contact.category", "was": [], "becomes": ["1"]}]},
                ),
            ),
            success=(
                SuccessCriterion(kind="criteria", criteria=when("contact.category", "one_of", "2")),
                SuccessCriterion(kind="sale_created"),
            ),
            steps=(
                wait(30),
                _MISS,
                wait_for_click(1, "Wait for a click", 10),
                clicked(
                    1,
                    "Still interested?",
                    yes=(
                        task(
                            "Ask to call",
                            "Call a former customer",
                            "Looked at what is new. Ask what would bring them back.",
                        ),
                    ),
                    no=(send(2, "Make an offer"), wait(14)),
                ),
            ),
            finish=Finish(),
            notes=(hint("Put what is new, and your offer, behind the buttons.", _MISS),),
        ),
        uses=(
            subscription("Offers"),
            category(1, "Former customer"),
            category(2, "Customer"),
            email(
                1,
                "Win-back 1: how are you?",
                subject="It has been a while",
                preheader="What has changed since you left",
                heading="It has been a while",
                text=(
                    (
                        'Hello {{ contact.first_name|default("there") }}, you were a customer of ours '
                        "until not long ago. We are not writing to sell you something today."
                    ),
                    (
                        "Since then we have mended what people complained about most. Have a look, or "
                        "tell us in one line why you left: we read every answer."
                    ),
                ),
                button="See what is new",
            ),
            email(
                2,
                "Win-back 2: an offer",
                subject="Come back, and begin where you stopped",
                preheader="Your data, your settings, one month on us",
                heading="Begin where you stopped",
                text=(
                    "Everything is as you left it. If you return within two weeks, the first month is on us.",
                    "If not, we wish you well, and you will not hear from us about it again.",
                ),
                button="Come back",
            ),
        ),
    ),
)
