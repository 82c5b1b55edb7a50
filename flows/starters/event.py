"""Event sign-up with reminders: confirmed at once, reminded twice, thanked afterwards."""

from __future__ import annotations

from flows.document import SuccessCriterion, Trigger
from flows.exchange.schema import FlowFile, Used
from flows.starters.base import (
    CONSENT,
    FlowTemplate,
    document,
    email,
    form,
    hint,
    send,
    settings,
    step,
    subscription,
    until,
)

_CONFIRM = send(1, "Confirm the seat")
_WEEK = until("Until a week before")
_DAY = until("Until the day before")
_AFTER = until("Until the day after")

TEMPLATE = FlowTemplate(
    name="event",
    label="Event sign-up with reminders",
    description=(
        "A form takes the sign-ups; everybody is confirmed, reminded a week and a day before, and thanked."
    ),
    makes="4 emails, 1 form, 1 project",
    chooses=("The three dates", "Opening the form", "When and where, in the emails"),
    plain=FlowFile(
        name="Event sign-up",
        description="From the sign-up to the thank-you.",
        document=document(
            settings=settings(once_only=True),
            triggers=(Trigger(kind="form_submitted", settings={"form": 1}),),
            success=(SuccessCriterion(kind="link_clicked", settings={"link": 1}),),
            steps=(
                _CONFIRM,
                step("add_to_selection", "Add to the guest list", project=1),
                _WEEK,
                send(2, "Remind a week before"),
                _DAY,
                send(3, "Remind a day before"),
                _AFTER,
                send(4, "Say thank you"),
            ),
            notes=(
                hint("Write when and where into the first three emails, and open the form.", _CONFIRM),
                hint("Choose the three dates of the waits.", _WEEK),
            ),
        ),
        uses=(
            subscription("Events"),
            Used(kind="project", id=1, name="Event: guests"),
            Used(
                kind="link",
                id=1,
                name="Event: feedback",
                data={"key": "event_feedback", "url": "https://example.com/feedback"},
            ),
            CONSENT,
            form(
                1,
                "Event sign-up",
                heading="Sign up",
                introduction="Seats are few: tell us that you come.",
                button="Keep a seat for me",
                thanks="Your seat is kept. You get a mail with all you need.",
            ),
            email(
                1,
                "Event 1: you are in",
                subject="Your seat is kept",
                preheader="When, where, and how to get there",
                heading='You are in, {{ contact.first_name|default("see you there") }}',
                text=(
                    "We look forward to meeting you.",
                    "<strong>When:</strong> day, time<br/><strong>Where:</strong> place or link",
                    (
                        "You get a reminder a week and a day before. Cannot come? Answer this mail, and "
                        "somebody else gets the seat."
                    ),
                ),
                button="Put it into my calendar",
            ),
            email(
                2,
                "Event 2: a week to go",
                subject="One week to go",
                preheader="What you will hear about",
                heading="One week to go",
                text=(
                    "<strong>When:</strong> day, time<br/><strong>Where:</strong> place or link",
                    "These are the questions we will take up. Send us yours: simply answer this mail.",
                ),
                button="See the programme",
            ),
            email(
                3,
                "Event 3: tomorrow",
                subject="See you tomorrow",
                preheader="Everything at a glance",
                heading="See you tomorrow",
                text=(
                    "<strong>When:</strong> time<br/><strong>Where:</strong> place or link",
                    "Doors open fifteen minutes before we begin.",
                ),
                button="How to get there",
            ),
            email(
                4,
                "Event 4: thank you",
                subject="Thank you for coming",
                preheader="Slides, and one question",
                heading="Thank you for coming",
                text=(
                    "It was good to have you. Whoever could not come finds everything in the recording.",
                    "How was it for you? One minute of your time helps us to make the next one better.",
                ),
                button="Tell us",
                address="{{ links.event_feedback }}",
            ),
        ),
    ),
)
