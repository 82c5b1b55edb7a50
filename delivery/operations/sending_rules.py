"""Setting how many marketing messages one contact may get, and how fast messages go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from delivery.models import Pace, SendingRules


def sending_rules() -> SendingRules | None:
    """Return the open tenant's rules, None where none were ever set."""
    return SendingRules.objects.first()


@transaction.atomic
def set_sending_rules(
    *, most_a_day: int | None, most_a_week: int | None, when_full: str, actor: User, now: dt.datetime
) -> SendingRules:
    """Set the cap (None is no limit). It counts for every flow from the next message on."""
    rules, _ = SendingRules.objects.update_or_create(
        defaults={
            "most_a_day": most_a_day,
            "most_a_week": most_a_week,
            "when_full": when_full,
            "updated_at": now,
        }
    )
    write_audit(
        actor=actor,
        action="sending_rules.changed",
        object_kind="sending_rules",
        object_id=rules.pk,
        object_name="Frequency cap",
        payload={"most_a_day": most_a_day, "most_a_week": most_a_week, "when_full": when_full},
    )
    return rules


def paces() -> dict[str, int]:
    """Return the pace by channel, where there is one."""
    return dict(Pace.objects.values_list("channel", "most_a_minute"))


@transaction.atomic
def set_paces(*, most: Mapping[str, int | None], actor: User) -> None:
    """Set how many messages of each channel go a minute at most (None: as fast as it goes), from the next ones on."""
    for channel, number in most.items():
        if number is None:
            Pace.objects.filter(channel=channel).delete()
        else:
            Pace.objects.update_or_create(channel=channel, defaults={"most_a_minute": number})
    write_audit(
        actor=actor, action="pace.changed", object_kind="sending_rules", object_id=0, object_name="Pace",
        payload=dict(most),
    )  # fmt: skip
