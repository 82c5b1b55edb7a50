"""The one error of this package: its text is meant for the person at the terminal."""


class EmbeddedProblem(RuntimeError):
    """A server cannot be brought up; the text says why and what helps."""
