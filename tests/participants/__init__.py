"""Tests of participants: enrolment, the engine, intake, counters."""
