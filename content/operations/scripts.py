"""Scripts: make, save (which checks the syntax), delete."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from accounts.audit import write_audit
from accounts.models import User
from content.models import Script, ScriptVersion
from content.scripts.runner import syntax_problem
from crm.operations.usage import check_unused

LONGEST = 20_000
# What a new script begins with.
STARTER = """# Values: contact, company, our_contact, service_contact, event, flow, today.
# What you print is kept on the visit, and so is result. updates sets fields of the contact.

print("Running for", contact["name"])
result = len(contact["interests"])
# updates = {"contact.job_title": "Chef"}
"""


class ScriptRefused(ValueError):
    """The script cannot be saved so; `field` says where, the message is for the user."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class ScriptChanged(ValueError):
    """Somebody else saved it in the meantime."""


@transaction.atomic
def save_script(
    *,
    script_id: int | None,
    name: str,
    description: str,
    source: str,
    revision: int,
    actor: User | None,
    now: dt.datetime,
) -> Script:
    """Make a script (no id) or save a new version of one; steps run it from now on.

    Raises ScriptRefused, and ScriptChanged unless `revision` is the one that the writer began with. Nothing is
    changed then.
    """
    name, source = name.strip(), source.replace("\r\n", "\n")
    _check(script_id, name, source)
    if script_id is None:
        script = Script(name=name, description=description.strip(), updated_at=now, updated_by=actor)
        script.save()
    else:
        script = Script.objects.select_for_update(no_key=True).get(pk=script_id, deleted_at=None)
        if script.revision != revision:
            raise ScriptChanged(
                "Somebody else saved this script while you were writing. Copy your text and reload."
            )
    script.name, script.description = name, description.strip()
    script.updated_at, script.updated_by = now, actor
    script.revision += 1
    script.current = ScriptVersion.objects.create(
        script=script, number=script.revision, source=source, created_at=now, created_by=actor
    )
    script.save()
    write_audit(
        actor=actor, action="script.saved", object_kind="script", object_id=script.pk, object_name=name,
        payload={"version": script.revision},
    )  # fmt: skip
    return script


def _check(script_id: int | None, name: str, source: str) -> None:
    if not name:
        raise ScriptRefused("name", "Give the script a name.")
    if Script.objects.filter(name=name, deleted_at=None).exclude(pk=script_id or 0).exists():
        raise ScriptRefused("name", "Another script has this name.")
    if not source.strip():
        raise ScriptRefused("source", "Write a script.")
    if len(source) > LONGEST:
        raise ScriptRefused("source", f"A script has at most {LONGEST:,} characters.")
    if "\x00" in source or (problem := syntax_problem(source)):
        raise ScriptRefused("source", "A script holds no NUL." if "\x00" in source else problem)


@transaction.atomic
def delete_script(*, script_id: int, actor: User | None, now: dt.datetime) -> str:
    """Delete a script that no step names, and return its name. Raises crm's InUse."""
    script = Script.objects.select_for_update().get(pk=script_id, deleted_at=None)
    check_unused("script", script.pk, script.name)
    Script.objects.filter(pk=script.pk).update(deleted_at=now)
    write_audit(
        actor=actor,
        action="script.deleted",
        object_kind="script",
        object_id=script.pk,
        object_name=script.name,
    )
    return script.name
