"""Link clicked: a person clicks the chosen registered link, in any message. Machines' clicks are none."""

from __future__ import annotations

from flows.content_parts import LinkPartForm
from flows.steps.base import StepSettings
from flows.triggers.content import ContentTrigger


class LinkClickedSettings(StepSettings):
    """The registered link."""

    link: int | None = None


class LinkClicked(ContentTrigger):
    """See the module."""

    name = "link_clicked"
    label = "Link clicked"
    description = "The contact clicks a tracked link, in any message."
    icon = "cursor-click"
    event_kinds = frozenset({"link.clicked"})
    Settings = LinkClickedSettings
    Form = LinkPartForm
    content = "link"
    verb = "clicked"
