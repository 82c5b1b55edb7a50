"""PostgreSQL and Valkey of our own, so that a newcomer, a test run and a benchmark need no server.

Knows where the servers' binaries are and how to start, share and stop them. Must not know Django or any app:
it runs before the settings are read and hands everything on through the environment.
"""

from config.embedded.launcher import ensure_environment
from config.embedded.problem import EmbeddedProblem

__all__ = ["EmbeddedProblem", "ensure_environment"]
