"""The home page's parts. Accounts knows neither flows nor contacts: rooms above bring their parts by a dotted path.

settings.HOME_PARTS lists functions (member, now) -> list of HomePart, in the order of the page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.models import Membership


@dataclass(frozen=True)
class HomePart:
    """A section of the home page: a template and what it shows."""

    template: str
    context: Mapping[str, Any]


Provider = Callable[[Membership, dt.datetime], list[HomePart]]


def home_parts(member: Membership, now: dt.datetime) -> list[HomePart]:
    """Return the sections for one member."""
    providers = [cast("Provider", import_string(path)) for path in settings.HOME_PARTS]
    return [part for provide in providers for part in provide(member, now)]
