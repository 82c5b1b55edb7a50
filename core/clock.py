"""What time it is. The clock is an argument everywhere else: read it here, at the edge, and pass it down."""

from __future__ import annotations

import datetime as dt


def now() -> dt.datetime:
    """Return the real time, aware, in UTC. For a tenant's own time see accounts.queries.tenant_now."""
    return dt.datetime.now(dt.UTC)
