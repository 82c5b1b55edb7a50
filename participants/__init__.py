"""Who is in a flow and how they move: suggestions, enrolment, participants, visits and the engine."""
