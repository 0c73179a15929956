"""Rows of the tables as records, and the few changes that both sides of a job make."""

import secrets
import time
from typing import Any

import sqlalchemy as sa

from deployments.jobs.states import Fault, FileRecord, JobRecord, Order, PageRecord, StoredFile
from deployments.jobs.tables import files, jobs


def make_job_id(clock_s: float | None = None) -> str:
    """An id that nobody can guess, and that is larger than those made before."""
    now_s = time.time() if clock_s is None else clock_s
    return f"job_{int(now_s * 1000):012x}{secrets.token_hex(10)}"


def read_job(row: Any) -> JobRecord:
    """A row of `jobs`."""
    return JobRecord(
        id=row.id,
        owner=row.owner,
        order=Order(row.task, row.options, tuple(row.formats), row.request_id),
        state=row.state,
        created_s=row.created_s,
        started_s=row.started_s,
        ended_s=row.ended_s,
        expires_s=row.expires_s,
        files_total=row.files_total,
        files_ended=row.files_ended,
        pages_total=row.pages_total,
        pages_processed=row.pages_processed,
        pages_failed=row.pages_failed,
        size_bytes=row.size_bytes,
        seq=row.seq,
        idempotency_key=row.idempotency_key,
        fingerprint=row.fingerprint,
    )


def read_file(row: Any) -> FileRecord:
    """A row of `files`."""
    return FileRecord(
        job_id=row.job_id,
        place=row.place,
        file=StoredFile(row.name, row.key, row.size_bytes, row.sha256),
        state=row.state,
        fault=_read_fault(row),
        pages_total=row.pages_total,
        pages_processed=row.pages_processed,
        pages_failed=row.pages_failed,
        results=row.results,
        ended_s=row.ended_s,
        seq=row.seq,
    )


def read_page(row: Any) -> PageRecord:
    """A row of `pages`."""
    return PageRecord(row.place, row.number, row.state, _read_fault(row), row.attempts, row.seq)


def change_job(connection: sa.Connection, job_id: str, **values: Any) -> int | None:
    """Change a job's row, and count the change; the new count, or None when there is no such job."""
    statement = sa.update(jobs).where(jobs.c.id == job_id).values(seq=jobs.c.seq + 1, **values)
    seq: int | None = connection.execute(statement.returning(jobs.c.seq)).scalar()
    return seq


def lock_job(connection: sa.Connection, job_id: str) -> Any:
    """A job's row, which nobody else changes until the transaction ends; None when there is none."""
    return connection.execute(sa.select(jobs).where(jobs.c.id == job_id).with_for_update()).first()


def insert_files(connection: sa.Connection, job_id: str, stored: tuple[StoredFile, ...]) -> None:
    """Add the files of a new job."""
    rows = [
        {
            "job_id": job_id,
            "place": place,
            "name": file.name,
            "key": file.key,
            "sha256": file.sha256,
            "size_bytes": file.size_bytes,
            "state": "queued",
            "results": {},
        }
        for place, file in enumerate(stored)
    ]
    connection.execute(sa.insert(files), rows)


def _read_fault(row: Any) -> Fault | None:
    return None if row.fault_code is None else Fault(row.fault_code, row.fault_message or "")
