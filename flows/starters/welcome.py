"""Welcome: whoever is new hears from you three times in eight days."""

from __future__ import annotations

from flows.document import SuccessCriterion, Trigger
from flows.exchange.schema import FlowFile
from flows.starters.base import (
    FlowTemplate,
    clicked,
    document,
    email,
    hint,
    send,
    settings,
    subscription,
    task,
    wait,
    when,
)

_HELLO = send(1, "Say welcome")

TEMPLATE = FlowTemplate(
    name="welcome",
    label="Welcome",
    description="Greet new contacts, show them around, and let a colleague call those who are keen.",
    makes="3 emails",
    chooses=("The address behind each button",),
    plain=FlowFile(
        name="Welcome",
        description="Greets whoever becomes a contact and may be written to.",
        document=document(
            settings=settings(once_only=True),
            triggers=(Trigger(kind="contact_created"),),
            filter=when("consent.e-marketing", "yes"),
            success=(
                SuccessCriterion(kind="follow_up_created"),
                SuccessCriterion(kind="sale_created"),
            ),
            steps=(
                _HELLO,
                wait(3),
                send(2, "Show around"),
                wait(5),
                clicked(
                    2,
                    "Did they look?",
                    yes=(
                        task(
                            "Ask to call",
                            "Call a new contact",
                            "Read our welcome and clicked. Ask what they are looking for.",
                        ),
                    ),
                    no=(send(3, "Ask what helps"),),
                ),
            ),
            notes=(hint("Put your own addresses behind the buttons of the first two emails.", _HELLO),),
        ),
        uses=(
            subscription("Newsletter"),
            email(
                1,
                "Welcome 1: hello",
                subject='Welcome, {{ contact.first_name|default("good to see you") }}',
                preheader="What you can expect from us",
                heading='Welcome, {{ contact.first_name|default("good to see you") }}',
                text=(
                    (
                        "Thank you for getting in touch. From now on you hear from us when there is "
                        "something worth reading, and not otherwise."
                    ),
                    "The best place to begin is here:",
                ),
                button="Have a look",
            ),
            email(
                2,
                "Welcome 2: around the house",
                subject="Three things worth knowing",
                preheader="Two minutes, then you know your way",
                heading="Three things worth knowing",
                text=(
                    "<strong>What we do best.</strong> Say in one sentence what people come to you for.",
                    (
                        "<strong>How others use it.</strong> A short example from a customer says more "
                        "than a list."
                    ),
                    "<strong>Who to ask.</strong> Simply answer this mail: a person reads it.",
                ),
                button="Show me how",
            ),
            email(
                3,
                "Welcome 3: what would help?",
                subject="What would help you most?",
                preheader="One question, one line is enough",
                heading="What would help you most?",
                text=(
                    (
                        'Hello {{ contact.first_name|default("there") }}, we would rather send you one '
                        "useful thing than ten others."
                    ),
                    "Answer with a line about what you are working on, and we find what fits.",
                ),
            ),
        ),
    ),
)
