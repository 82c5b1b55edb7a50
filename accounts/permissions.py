"""Object permissions (django-guardian with direct foreign keys): who may see one object of a tenant.

The only module that imports guardian. A grant belongs to a tenant and is behind both walls like any other row; group
grants hang on the auth group behind `accounts.Group`. Knows nothing of what is granted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from guardian.models.models import GroupObjectPermissionBase, UserObjectPermissionBase

from core.models import TenantManager, TenantModel


class UserGrant(UserObjectPermissionBase, TenantModel):
    """Base: one user has one permission on `content_object` (a foreign key that the subclass adds)."""

    objects: ClassVar[models.Manager[Self]] = TenantManager()  # type: ignore[assignment]

    class Meta(TenantModel.Meta):
        abstract = True


class GroupGrant(GroupObjectPermissionBase, TenantModel):
    """Base: one auth group has one permission on `content_object`."""

    objects: ClassVar[models.Manager[Self]] = TenantManager()  # type: ignore[assignment]

    class Meta(TenantModel.Meta):
        abstract = True


def set_grants(model: type[Any], *, codename: str, content_object: models.Model, ids: Iterable[int]) -> None:
    """Make exactly these users (of a UserGrant model) or auth groups the ones with the permission on the object."""
    permission, _ = Permission.objects.get_or_create(
        codename=codename,
        content_type=ContentType.objects.get_for_model(content_object),
        defaults={"name": codename},
    )
    key = "user_id" if issubclass(model, UserGrant) else "group_id"
    wanted = set(ids)
    held = model.objects.filter(content_object=content_object, permission=permission)
    held.exclude(**{f"{key}__in": wanted}).delete()
    missing = wanted - set(held.values_list(key, flat=True))
    model.objects.bulk_create(
        model(content_object=content_object, permission=permission, **{key: one}) for one in sorted(missing)
    )
