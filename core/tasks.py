"""Tasks of core: one slice of a job, then again while there is more."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils.module_loading import import_string

from core import clock
from core.jobs import run_slice


@shared_task(name="core.run_job")
def run_job(tenant_id: int, job_id: int) -> None:
    """Do one slice; ask for the next while there is more. A slice that broke is tried again a little later.

    The work goes by the tenant's own clock (a trial's may be ahead), the job's sign of life by the real one.
    """
    tenants_clock = import_string(settings.TENANT_CLOCK)
    if run_slice(tenant_id=tenant_id, job_id=job_id, now=tenants_clock(tenant_id), touched_at=clock.now()):
        run_job.delay(tenant_id, job_id)
