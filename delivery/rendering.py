"""What delivery asks of whoever renders (settings.DELIVERY_RENDERER, a dotted path: content lies above)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from delivery.files import FileSet
from delivery.short_tokens import UNSUBSCRIBE, make_short_token
from delivery.tokens import MessageRef, Purpose, make_message_token, make_message_tokens


@dataclass(frozen=True, slots=True)
class MessageLinks:
    """The addresses that lead from a message back to us. A click address is `click` and the link's number.

    An SMS has shorter ones, which are made from `ref` (`short_links`).
    """

    click: str
    open: str
    unsubscribe: str
    preferences: str
    view: str
    ref: MessageRef | None = None


@dataclass(frozen=True, slots=True)
class RenderJob:
    """A message to render."""

    message_id: int
    content_version_id: int
    contact_id: int | None
    channel: str
    values: Mapping[str, Any]
    links: MessageLinks


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one recipient gets. `version_id` is the version really rendered: the newest when it goes.

    An SMS has a text only, and no email.
    """

    version_id: int
    email_id: int | None
    subject: str
    html: str
    text: str
    # What the message keeps of it, to be shown again as it was: added to its values when it is handed over.
    kept: Mapping[str, Any] = field(default_factory=dict)
    files: FileSet | None = None


@dataclass(frozen=True, slots=True)
class RenderFailed:
    """A message that cannot be rendered; it fails alone."""

    error: str


Renderer = Callable[[Sequence[RenderJob]], dict[int, Rendered | RenderFailed]]


@lru_cache(maxsize=1)
def renderer() -> Renderer:
    """Return the renderer: (jobs of the open tenant scope) → result by message id, in constant queries."""
    return cast(Renderer, import_string(settings.DELIVERY_RENDERER))


def message_links(ref: MessageRef, today: dt.date) -> MessageLinks:
    """Return the message's own addresses; preferences are good for some weeks from `today`."""
    base = f"{settings.PUBLIC_URL}/m/"
    dated = MessageRef(ref.tenant_id, ref.enrolled_on, ref.message_id, today)
    click, opened, unsubscribe, view = make_message_tokens(
        ref, Purpose.CLICK, Purpose.OPEN, Purpose.UNSUBSCRIBE, Purpose.VIEW
    )
    return MessageLinks(
        click=f"{base}c/{click}/",
        open=f"{base}o/{opened}",
        unsubscribe=f"{base}u/{unsubscribe}",
        preferences=f"{base}p/{make_message_token(Purpose.PREFERENCES, dated)}",
        view=f"{base}v/{view}",
        ref=ref,
    )


def short_links(links: MessageLinks) -> MessageLinks:
    """Return the message's addresses as an SMS has them: clicks and unsubscribing by one short token."""
    if links.ref is None:
        return links
    click = f"{settings.PUBLIC_URL}/{make_short_token(links.ref)}"
    return replace(links, click=click, unsubscribe=f"{click}{UNSUBSCRIBE}")
