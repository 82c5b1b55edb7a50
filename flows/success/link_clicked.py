"""Link clicked: a person clicks the chosen registered link, in any message."""

from __future__ import annotations

from flows.content_parts import LinkPartForm
from flows.success.content import ContentSuccess
from flows.triggers.link_clicked import LinkClickedSettings


class LinkClick(ContentSuccess):
    """See the module."""

    name = "link_clicked"
    label = "Link clicked"
    description = "The contact clicks a tracked link, in any message."
    icon = "cursor-click"
    Settings = LinkClickedSettings
    Form = LinkPartForm
    content = "link"
    event = "link.clicked"
    verb = "clicked"
