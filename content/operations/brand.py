"""Choosing the tenant's brand: audited with old and new. An email takes it over the next time it is saved."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from content.brand import BrandValues, brand_values
from content.models import Brand


@transaction.atomic
def save_brand(*, values: BrandValues, actor: User | None, now: dt.datetime) -> Brand:
    """Keep these values as the brand of the open tenant scope. The caller has checked them."""
    old = asdict(brand_values())
    new = asdict(values)
    columns = {
        **new,
        "social": [list(pair) for pair in values.social],
        "updated_at": now,
        "updated_by": actor,
    }
    brand, _ = Brand.objects.update_or_create(defaults=columns)
    changed = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    write_audit(
        actor=actor, action="brand.saved", object_kind="brand", object_id=brand.pk, object_name="Brand", payload=changed
    )  # fmt: skip
    return brand
