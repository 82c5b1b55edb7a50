"""Webhook: a request to the tenant's own system for each participant. The engine only writes the row; a delivery task
makes the request, signed, with retries, and never to a private address. The participant goes on at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
from django import forms
from pydantic import BaseModel, ConfigDict

from content.operations.webhook_versions import webhook_version
from content.problems import Problem as ContentProblem
from content.tags import TAG
from content.tree import known_tree
from content.webhooks import (
    METHODS,
    MOST_BODY,
    MOST_HEADERS,
    WITH_BODY,
    Header,
    address_problems,
    body_problems,
    definition,
    header_problem,
    without_links,
)
from delivery.models import WebhookSecret
from delivery.webhooks.base import AddressRefused, check_address
from delivery.webhooks.queue import NewWebhook, queue_webhooks
from flows.document import StepNode
from flows.steps.base import (
    CheckContext,
    Cohort,
    Outcomes,
    Problem,
    Reference,
    StepBroken,
    StepContext,
    StepKind,
    StepSettings,
)
from flows.steps.forms import StepForm

MARK = "$"
EXAMPLE = """{
  "email": "{{ contact.email }}",
  "name": "{{ contact.name }}"
}"""


class HeaderSetting(BaseModel):
    """A header: a plain value, or a secret by its id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    value: str = ""
    secret: int | None = None


class WebhookSettings(StepSettings):
    """The request."""

    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    url: str = ""
    headers: tuple[HeaderSetting, ...] = ()
    body: str = EXAMPLE


class WebhookForm(StepForm):
    """The settings panel."""

    method = forms.ChoiceField(label="Method", choices=[(name, name) for name in METHODS])
    url = forms.CharField(
        label="Address",
        required=False,
        max_length=1000,
        help_text="Begins with https://. Merge tags may stand after the site's name.",
    )
    headers = forms.CharField(
        label="Headers",
        required=False,
        max_length=8000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One a line, as Name: value. $name is the secret of that name (Settings, Webhooks).",
    )
    body = forms.CharField(
        label="Body (JSON)",
        required=False,
        max_length=MOST_BODY,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        help_text="Merge tags stand inside texts. A text that is one tag alone keeps numbers as numbers.",
    )
    template = "flows/steps/webhook.html"

    def prepare(self) -> None:
        """Show headers as lines, secrets by their names."""
        headers = self.initial.get("headers")
        if isinstance(headers, tuple):
            names = dict(WebhookSecret.objects.exclude(name="").values_list("pk", "name"))
            self.initial["headers"] = "\n".join(_line(header, names) for header in headers)

    def clean_url(self) -> str:
        """Refuse an address that cannot be called."""
        url = str(self.cleaned_data["url"]).strip()
        for problem in url_problems(url) if url else ():
            self.add_error("url", problem.message)
        return url

    def clean_headers(self) -> tuple[HeaderSetting, ...]:
        """Read the lines."""
        lines = [line for line in str(self.cleaned_data["headers"]).splitlines() if line.strip()]
        if len(lines) > MOST_HEADERS:
            raise forms.ValidationError(f"At most {MOST_HEADERS} headers.")
        secrets = {name: pk for pk, name in WebhookSecret.objects.exclude(name="").values_list("pk", "name")}
        return tuple(_header(line, secrets) for line in lines)

    def clean_body(self) -> str:
        """Refuse what is no JSON, or holds tags that are none."""
        body = str(self.cleaned_data["body"]).replace("\r\n", "\n").strip()
        if self.cleaned_data.get("method") in WITH_BODY:
            for problem in body_problems(body, tree=known_tree()):
                self.add_error("body", _said(problem))
        return body

    def settings(self) -> dict[str, Any]:
        """Return the settings as JSON; a body may be empty."""
        return {**super().settings(), "body": self.cleaned_data["body"]}

    @property
    def tag_groups(self) -> Mapping[str, Any]:
        """The merge tags, for the menu."""
        return {name: items for name, items in without_links(known_tree()).groups.items() if items}


def _line(header: HeaderSetting, names: Mapping[int, str]) -> str:
    if header.secret is None:
        return f"{header.name}: {header.value}"
    return f"{header.name}: {MARK}{names.get(header.secret, '')}"


def _header(line: str, secrets: Mapping[str, int]) -> HeaderSetting:
    name, colon, value = (part.strip() for part in line.partition(":"))
    if not colon:
        raise forms.ValidationError(f"“{line.strip()[:40]}” is no header: write Name: value.")
    if value.startswith(MARK):
        secret = secrets.get(value[1:])
        if secret is None:
            raise forms.ValidationError(
                f"There is no secret “{value[1:41]}”: make it under Settings, Webhooks."
            )
        made = HeaderSetting(name=name, secret=secret)
    else:
        made = HeaderSetting(name=name, value=value)
    problem = header_problem(made.name, made.value)
    if problem:
        raise forms.ValidationError(problem)
    return made


def _said(problem: ContentProblem) -> str:
    return (
        f"Line {problem.line}, column {problem.column}: {problem.message}"
        if problem.line
        else problem.message
    )


def url_problems(url: str) -> list[ContentProblem]:
    """Return what is wrong with an address: how it is written, and where it leads as far as that can be told."""
    found = address_problems(url, tree=known_tree())
    if found:
        return found
    try:
        check_address(TAG.sub("x", url))
    except AddressRefused as refused:
        return [ContentProblem("url", str(refused))]
    return []


class Webhook(StepKind):
    """See the module."""

    name = "webhook"
    label = "Webhook"
    description = "Call a system of your own, with the contact's values."
    icon = "webhooks-logo"
    family = "data"
    Settings = WebhookSettings
    Form = WebhookForm

    def summary(self, node: StepNode, names: CheckContext) -> str:
        """Return the method and the site."""
        settings: WebhookSettings = self.settings(node)
        return (
            f"{settings.method} {urlsplit(settings.url).netloc or settings.url}"
            if settings.url
            else "No address yet"
        )

    def problems(self, node: StepNode, ctx: CheckContext) -> list[Problem]:
        """Address, headers and body must be right, and secrets there."""
        settings: WebhookSettings = self.settings(node)
        found = [Problem(p.message, place="url") for p in url_problems(settings.url)]
        for header in settings.headers:
            problem = header_problem(header.name, header.value)
            if problem:
                found.append(Problem(problem, place="headers"))
            if header.secret is not None and ctx.name("webhook_secret", header.secret) is None:
                found.append(Problem(f"The secret for {header.name} was deleted", place="headers"))
        if settings.method in WITH_BODY:
            found += [
                Problem(_said(p), place="body") for p in body_problems(settings.body, tree=known_tree())
            ]
        return found

    def references(self, node: StepNode) -> Iterable[Reference]:
        """Yield the secrets."""
        settings: WebhookSettings = self.settings(node)
        ids = {header.secret for header in settings.headers if header.secret is not None}
        yield from (Reference("webhook_secret", number) for number in sorted(ids))

    def saved(self, node: StepNode, *, cursor: psycopg.Cursor[Any], tenant_id: int, now: dt.datetime) -> None:
        """Make the version, for what is queued already."""
        settings: WebhookSettings = self.settings(node)
        if not url_problems(settings.url) and not _broken_body(settings):
            made = _definition(settings)
            webhook_version(cursor, tenant_id=tenant_id, step_id=node.id, definition=made, now=now)

    def run(self, cohort: Cohort, ctx: StepContext) -> Outcomes:
        """Write one row each."""
        settings: WebhookSettings = self.settings(cohort.node)
        if not settings.url:
            raise StepBroken(f"The webhook of “{cohort.node.title}” has no address.")
        version = webhook_version(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            step_id=cohort.node.id,
            definition=_definition(settings),
            now=ctx.now,
        )
        queue_webhooks(
            ctx.cursor,
            tenant_id=ctx.tenant_id,
            stream_id=ctx.stream_id,
            flow_id=ctx.flow_id,
            step_id=cohort.node.id,
            content_version_id=version,
            rows=[
                NewWebhook(t.contact_id, t.id, t.visit_number, t.event_data or {}) for t in cohort.travellers
            ],
            now=ctx.now,
        )
        return Outcomes()


def _broken_body(settings: WebhookSettings) -> bool:
    return settings.method in WITH_BODY and bool(body_problems(settings.body, tree=known_tree()))


def _definition(settings: WebhookSettings) -> dict[str, Any]:
    headers = [Header(header.name, header.value, header.secret) for header in settings.headers]
    return definition(method=settings.method, url=settings.url, headers=headers, body=settings.body)
