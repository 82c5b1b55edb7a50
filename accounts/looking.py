"""Who a page is drawn for, so that lists of choices deep inside it offer only what this member may see.

The middleware says it for each request. Workers, commands and API keys look as nobody: they show nothing to a person,
and are not narrowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from accounts.models import Membership

_member: ContextVar[Membership | None] = ContextVar("millrace_looking", default=None)


@contextmanager
def looking_as(member: Membership) -> Iterator[None]:
    """Draw what is inside for this member."""
    token = _member.set(member)
    try:
        yield
    finally:
        _member.reset(token)


def who_looks() -> Membership | None:
    """Return the member that the page is drawn for; None where nobody looks."""
    return _member.get()
