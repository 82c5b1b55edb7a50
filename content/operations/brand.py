"""Choosing the tenant's brand: audited with old and new. A job brings the emails into it (see rebranding)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from content.brand import BrandValues, brand_values
from content.models import Brand
from content.operations.rebranding import rebrand_soon
from crm.operations.usage import write_uses


@transaction.atomic
def save_brand(*, values: BrandValues, actor: User | None, now: dt.datetime) -> Brand:
    """Keep these values as the brand of the open tenant scope. The caller has checked them."""
    old, new = _plain(brand_values()), _plain(values)
    social = [list(pair) for pair in values.social]
    columns = {**new, "logo": values.logo, "social": social, "updated_at": now, "updated_by": actor}
    brand, _ = Brand.objects.update_or_create(defaults=columns)
    logo = [("image", values.logo.pk)] if values.logo else []
    write_uses(
        user_kind="brand", user_id=brand.pk, user_name="Brand", page="content:brand", page_has_id=False, references=logo
    )  # fmt: skip
    changed = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    write_audit(
        actor=actor, action="brand.saved", object_kind="brand", object_id=brand.pk, object_name="Brand", payload=changed
    )  # fmt: skip
    if changed:
        rebrand_soon(actor=actor, now=now)
    return brand


def _plain(values: BrandValues) -> dict[str, Any]:
    """Return the values as the audit log keeps them."""
    plain = {name: getattr(values, name) for name in BrandValues.__dataclass_fields__}
    return {**plain, "logo": values.logo.pk if values.logo else None}
