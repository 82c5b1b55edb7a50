"""Long work of content as jobs (settings.JOB_KINDS)."""

from __future__ import annotations

import contextlib
import datetime as dt
from dataclasses import dataclass

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


PROCESS_SUBMISSION = ProcessSubmission()
