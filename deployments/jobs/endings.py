"""How files and jobs end, and what is told of it; each function is a part of its caller's transaction."""

import json
import secrets
import time
from typing import Any

import sqlalchemy as sa

from deployments.jobs.rows import change_job
from deployments.jobs.states import JobState
from deployments.jobs.tables import events, files, jobs

_OPEN_FILES = ("queued", "running")


def cancel_files(connection: sa.Connection, job_id: str) -> None:
    """End the files that have not ended; what was read of the others stays."""
    seq = change_job(connection, job_id)
    connection.execute(
        sa.update(files)
        .where(files.c.job_id == job_id, files.c.state.in_(_OPEN_FILES))
        .values(state="cancelled", ended_s=time.time(), seq=seq)
    )


def end_job(connection: sa.Connection, job_id: str, ttl_s: float, is_cancelled: bool = False) -> None:
    """Say how a job ended, by its files, and lay down the event that tells of it."""
    counts = sa.select(files.c.state, sa.func.count().label("many")).where(files.c.job_id == job_id)
    rows = connection.execute(counts.group_by(files.c.state)).all()
    states: dict[str, int] = {row.state: row.many for row in rows}
    state: JobState = "cancelled" if is_cancelled else _judge(states)
    now_s = time.time()
    change_job(
        connection,
        job_id,
        state=state,
        ended_s=now_s,
        expires_s=now_s + ttl_s,
        files_ended=sum(states.values()),
    )
    add_event(connection, job_id, f"job.{state}")


def _judge(states: dict[str, int]) -> JobState:
    if set(states) == {"done"}:
        return "done"
    return "partial" if {"done", "partial"} & set(states) else "failed"


def add_event(connection: sa.Connection, job_id: str, kind: str) -> None:
    """Lay down an event for the job's webhook; without one nobody is told."""
    row: Any = connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one()
    if row.webhook_url is None:
        return
    event_id = f"evt_{secrets.token_hex(16)}"
    body = {
        "id": event_id,
        "type": kind,
        "created": round(time.time(), 3),
        "job": {
            "id": job_id,
            "status": row.state,
            "task": row.task,
            "files_total": row.files_total,
            "files_ended": row.files_ended,
            "pages_total": row.pages_total,
            "pages_processed": row.pages_processed,
            "pages_failed": row.pages_failed,
        },
    }
    connection.execute(
        sa.insert(events).values(
            id=event_id,
            job_id=job_id,
            kind=kind,
            body=json.dumps(body, separators=(",", ":")),
            state="waiting",
            attempts=0,
            created_s=time.time(),
        )
    )
