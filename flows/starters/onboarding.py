"""Onboarding: new customers are helped over their first month."""

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
    step,
    subscription,
    task,
    wait,
)

_START = send(1, "Say how to begin")

TEMPLATE = FlowTemplate(
    name="onboarding",
    label="Onboarding",
    description="New customers get three short lessons, help if they are stuck, and a call after a month.",
    makes="4 emails, 1 selection",
    chooses=("The addresses of your lessons",),
    plain=FlowFile(
        name="Onboarding",
        description="The first month of a new customer.",
        document=document(
            settings=settings(once_only=True),
            triggers=(
                Trigger(
                    kind="contact_updated",
                    settings={"fields": [{"field": "contact.category", "was": [], "becomes": ["1"]}]},
                ),
            ),
            success=(SuccessCriterion(kind="added_to_selection", settings={"selection": 1}),),
            steps=(
                _START,
                wait(2),
                send(2, "First lesson"),
                wait(5),
                clicked(
                    2,
                    "Under way?",
                    yes=(send(3, "Second lesson"),),
                    no=(
                        send(4, "Offer help"),
                        task(
                            "Help them start",
                            "Help a new customer to start",
                            "Has not opened the first lesson. Ask what is in the way.",
                        ),
                    ),
                ),
                wait(3, "weeks"),
                task("Call after a month", "How is the first month?", "Ask what works and what does not."),
                step("add_to_selection", "Note as onboarded", selection=1),
            ),
            notes=(hint("Put the addresses of your lessons behind the buttons.", _START),),
        ),
        uses=(
            subscription("Newsletter"),
            category(1, "Customer"),
            Used(kind="selection", id=1, name="Onboarded customers"),
            email(
                1,
                "Onboarding 1: how to begin",
                subject="Good to have you: how to begin",
                preheader="Three lessons, ten minutes each",
                heading="Good to have you",
                text=(
                    (
                        'Hello {{ contact.first_name|default("there") }}, thank you for choosing us. In '
                        "the next days you get three short lessons; after them you know what you need."
                    ),
                    (
                        "Your contact here is {{ our_contact.name|default('our team') }}: answer this "
                        "mail whenever you are stuck."
                    ),
                ),
                button="Begin",
            ),
            email(
                2,
                "Onboarding 2: first lesson",
                subject="Lesson one: the first ten minutes",
                preheader="Set it up once, and it runs",
                heading="The first ten minutes",
                text=(
                    (
                        "Three settings decide how well it works for you. Do them now, together with us, "
                        "and forget about them."
                    ),
                ),
                button="Open lesson one",
            ),
            email(
                3,
                "Onboarding 3: second lesson",
                subject="Lesson two: what most people miss",
                preheader="The shortcut that saves an hour a week",
                heading="What most people miss",
                text=(
                    (
                        "You are under way, and faster than most. Here is the part that our best "
                        "customers wish they had known from the start."
                    ),
                ),
                button="Open lesson two",
            ),
            email(
                4,
                "Onboarding 4: need a hand?",
                subject="Need a hand?",
                preheader="We do the first steps with you",
                heading="Need a hand?",
                text=(
                    (
                        "The first step is the hardest. Somebody of ours will get in touch and do it "
                        "with you; it takes a quarter of an hour."
                    ),
                    "In a hurry? Answer this mail with a time that suits you.",
                ),
            ),
        ),
    ),
)
