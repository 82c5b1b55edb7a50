"""Long work of content as jobs (settings.JOB_KINDS)."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass

from content import link_actions
from content.operations import collecting, rebranding, script_runs
from content.operations.clicks import JOB as LINK_JOB
from content.operations.clicks import act
from content.operations.processing import JOB, NotOpen, process_submission
from core.jobs import Slice
from core.models import Job


@dataclass(frozen=True)
class ProcessSubmission:
    """One submission whose contact was held by others when it came in."""

    name: str = JOB

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Process it; what somebody did by hand in the meantime is done."""
        with contextlib.suppress(NotOpen):
            process_submission(submission_id=job.arguments["submission"], now=now)
        return Slice(cursor={}, done=1, total=1, finished=True)


@dataclass(frozen=True)
class LinkActions:
    """The actions of a click whose contact was held by others."""

    name: str = LINK_JOB

    def slice(self, job: Job, *, now: dt.datetime) -> Slice:
        """Do them; an erased contact is left out."""
        actions = link_actions.LinkActions.model_validate(job.arguments["actions"])
        event = job.arguments.get("event")
        act(contact_id=job.arguments["contact"], actions=actions, now=now, event=event)
        return Slice(cursor={}, done=1, total=1, finished=True)


PROCESS_SUBMISSION, LINK_ACTIONS = ProcessSubmission(), LinkActions()
CONTACT_SCRIPT = script_runs.CONTACT_SCRIPT
COLLECT_FILES, REBRAND_EMAILS = collecting.CollectFiles(), rebranding.RebrandEmails()
