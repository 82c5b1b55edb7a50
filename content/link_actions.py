"""What a click does: what every action does, and a follow-up or a request for our own people. One document."""

from __future__ import annotations

from collections.abc import Iterator

from content.actions import ContactActions


class LinkActions(ContactActions):
    """Actions of a registered link. A follow-up is a task of our contact's, else of `fallback_user`'s."""

    follow_up: bool = False
    follow_up_title: str = ""
    follow_up_days: int = 0
    fallback_user: int | None = None
    # Needs the Service licence.
    request: bool = False
    request_title: str = ""
    request_type: int | None = None
    request_category: int | None = None
    request_priority: int | None = None

    def references(self) -> Iterator[tuple[str, int]]:
        """Yield what the actions use."""
        yield from super().references()
        if self.follow_up and self.fallback_user is not None:
            yield "user", self.fallback_user
        if self.request:
            chosen = ("request_type", "request_category", "request_priority")
            yield from ((kind, pk) for kind in chosen if (pk := getattr(self, kind)) is not None)
