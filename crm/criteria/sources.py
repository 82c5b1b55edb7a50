"""Where the things that criteria name are chosen from and how they are called: one Source for each kind of thing.

The CRM's own are in crm.criteria.choices; emails, forms, links and flows live in rooms above and come by the dotted
paths of `CRITERIA_SOURCES` (docs/architecture.md: what goes up by name).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Choice:
    """A value and its name; `retired` values are shown where used and cannot be chosen anew."""

    value: str
    name: str
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """`choices` returns what may be chosen now, in order; `names` the names of those ids that exist or existed;
    `unseen` which of them whoever the page is drawn for (accounts.looking) may not see, and so not choose."""

    choices: Callable[[], list[Choice]]
    names: Callable[[Collection[int]], Mapping[int, str]]
    unseen: Callable[[Collection[int]], Collection[int]] = lambda ids: ()


def has_source(name: str) -> bool:
    """Whether some room has such things."""
    return name in settings.CRITERIA_SOURCES


@cache
def source_named(name: str) -> Source:
    """Return the source of a room above; raises KeyError where there is none."""
    found = import_string(settings.CRITERIA_SOURCES[name])
    if not isinstance(found, Source):
        raise TypeError(f"CRITERIA_SOURCES[{name!r}] is no Source.")
    return found
