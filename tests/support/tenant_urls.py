"""Every page of a tenant, found by the resolver: pages that come later are covered without a word here."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Tenant

PREFIX = "t/<slug:tenant>/"
# What a parameter stands for where no real object of that name is at hand.
PLACEHOLDERS: dict[str, Any] = {"int": 1, "uuid": uuid.UUID(int=1), "slug": "x", "str": "x", "path": "x"}


@dataclass(frozen=True)
class TenantPage:
    """A page and the parameters in its path, with the kind of each."""

    name: str
    parameters: tuple[tuple[str, str], ...]

    def path(self, tenant: Tenant, known: dict[str, Any]) -> str:
        """Return the path in a tenant, with real ids where they are known."""
        values = {name: known.get(name, PLACEHOLDERS[kind]) for name, kind in self.parameters}
        return reverse(self.name, kwargs={"tenant": tenant.slug, **values})


def tenant_pages() -> list[TenantPage]:
    """Return every page under /t/<slug>/."""
    found = []
    for entry in get_resolver().url_patterns:
        if isinstance(entry, URLResolver) and str(entry.pattern) == PREFIX:
            found += list(_walk(entry, namespace="", above={}))
    return sorted(found, key=lambda page: page.name)


def _walk(entry: URLResolver, *, namespace: str, above: dict[str, str]) -> Iterator[TenantPage]:
    for inner in entry.url_patterns:
        kinds = above | {name: _kind(converter) for name, converter in inner.pattern.converters.items()}
        if isinstance(inner, URLPattern):
            parameters = tuple((name, kind) for name, kind in kinds.items() if name != "tenant")
            yield TenantPage(name=f"{namespace}{inner.name}", parameters=parameters)
        else:
            space = f"{namespace}{inner.namespace}:" if inner.namespace else namespace
            yield from _walk(inner, namespace=space, above=kinds)


def _kind(converter: object) -> str:
    return (
        type(converter)
        .__name__.removesuffix("Converter")
        .replace("String", "str")
        .lower()
        .replace("string", "str")
    )
