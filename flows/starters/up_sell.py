"""Up-sell: customers hear of what goes with what they have; who clicks is called, who does not is reminded once."""

from __future__ import annotations

from flows.document import SuccessCriterion, Trigger
from flows.exchange.schema import FlowFile, Used
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

_OFFER = send(1, "Show what is new")

TEMPLATE = FlowTemplate(
    name="up_sell",
    label="Up-sell",
    description="Customers whom you put on a list hear of an offer; a colleague calls those who click.",
    makes="2 emails, 1 selection",
    chooses=("The customers to add to the selection", "The offer's address"),
    plain=FlowFile(
        name="Up-sell",
        description="More for those who are customers already.",
        document=document(
            settings=settings(),
            triggers=(Trigger(kind="added_to_selection", settings={"selection": 1}),),
            filter=when("contact.category", "one_of", "1"),
            success=(SuccessCriterion(kind="sale_created"), SuccessCriterion(kind="sale_created_on_company")),
            steps=(
                _OFFER,
                wait_for_click(1, "Wait for a click", 7),
                clicked(
                    1,
                    "Clicked?",
                    yes=(
                        task(
                            "Ask to call",
                            "Call about the offer",
                            "Clicked on the offer. Ask what would fit.",
                        ),
                    ),
                    no=(send(2, "Remind once"), wait(7)),
                ),
            ),
            notes=(
                hint("Add customers to the selection “Customers for the offer”: each enters here.", None),
                hint("Put the offer's address behind the buttons.", _OFFER),
            ),
        ),
        uses=(
            subscription("Offers"),
            Used(kind="selection", id=1, name="Customers for the offer"),
            category(1, "Customer"),
            email(
                1,
                "Up-sell 1: the offer",
                subject="What goes well with what you have",
                preheader="For customers only",
                heading="What goes well with what you have",
                text=(
                    (
                        'Hello {{ contact.first_name|default("there") }}, many who work with us as {{ '
                        'company.name|default("you") }} do have found this useful.'
                    ),
                    (
                        "<strong>What it is:</strong> one sentence.<br/><strong>What it saves "
                        "you:</strong> one number."
                    ),
                ),
                button="See the offer",
            ),
            email(
                2,
                "Up-sell 2: once more",
                subject="In case you missed it",
                preheader="We do not ask a third time",
                heading="In case you missed it",
                text=(
                    (
                        "Last week we wrote to you about something that customers like you get most out "
                        "of. If it is not for you, do nothing: this is the last mail about it."
                    ),
                ),
                button="See the offer",
            ),
        ),
    ),
)
