"""Intake: takes events from the inbox, set-based, and turns them into suggestions, success marks and wakings.

One intake per tenant at a time (advisory lock). In one transaction it deletes a slice of the inbox, locks the
contacts concerned (the contact is the mutex), matches the triggers of every running or paused flow, and marks
success. What it enrolled or hurried is due at once; the caller wakes those flows.
"""

from participants.intake.take import SLICE, IntakeResult, take_events

__all__ = ["SLICE", "IntakeResult", "take_events"]
