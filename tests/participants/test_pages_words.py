"""What happened to a participant, in words."""

from __future__ import annotations

import datetime as dt

import pytest

from participants.models import Participant, Suggestion
from participants.words import (
    VERDICTS,
    Names,
    drop_sentence,
    duration,
    ending_words,
    mentioned,
    verdict_sentence,
)

NAMES = Names({"selection": {7: "Customers 🎉"}, "flow": {3: "Onboarding"}, "user": {5: "Bob Berg"}})


@pytest.mark.parametrize(
    ("reason", "values", "sentence"),
    [
        ("no_consent", {"consent": None}, "There was no record of e-marketing consent."),
        (
            "no_consent",
            {"consent": "withdrawn", "at": "2026-11-03T08:00:00+00:00"},
            "E-marketing consent was withdrawn on 3 November 2026.",
        ),
        ("excluded", {"selection": 7}, "Was on the exclusion list “Customers 🎉”."),
        ("excluded", {"selection": 8}, "Was on the exclusion list (a selection that no longer exists)."),
        ("moved", {"flow": 3}, "Moved to the flow “Onboarding”."),
        ("removed_by_user", {"user": 5}, "Taken out by Bob Berg."),
        ("address_blocked", {"blocked": "hard_bounce"}, "The email address was blocked (hard bounce)."),
        ("no_branch", {"branch": "Everyone else"}, "The branch “Everyone else” ends in Exit flow."),
        ("step_failed", {"error": "no such field"}, "The step failed: no such field"),
    ],
)
def test_a_drop_out_says_why_with_the_values_seen(
    reason: str, values: dict[str, object], sentence: str
) -> None:
    assert drop_sentence(reason, values, NAMES) == sentence


@pytest.mark.parametrize("reason", Participant.DropReason.values)
def test_every_drop_out_reason_has_a_sentence_even_without_values(reason: str) -> None:
    sentence = drop_sentence(reason, None, Names())
    assert sentence[0].isupper()
    assert sentence.endswith(".")


@pytest.mark.parametrize("verdict", Suggestion.Verdict.values)
def test_every_verdict_has_a_sentence(verdict: str) -> None:
    assert verdict_sentence(verdict) == VERDICTS[Suggestion.Verdict(verdict)]


def test_values_tell_which_names_they_need() -> None:
    assert mentioned({"selection": 7, "error": "x", "user": 5}) == [("selection", 7), ("user", 5)]
    assert mentioned(None) == []


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (dt.timedelta(days=2, hours=3, minutes=4), "2 days 3 hours"),
        (dt.timedelta(days=1, minutes=4), "1 day"),
        (dt.timedelta(seconds=61), "1 minute 1 second"),
        (dt.timedelta(), "a moment"),
    ],
)
def test_a_span_is_told_by_its_two_largest_units(span: dt.timedelta, words: str) -> None:
    assert duration(span) == words


def test_a_visit_that_ended_by_dropping_out_names_the_reason() -> None:
    assert ending_words("left", "no_consent") == "Dropped out: no consent"
    assert ending_words("went_on", "") == "Went on"
    assert ending_words("left", "cancelled") == "Cancelled: the flow was ended"
