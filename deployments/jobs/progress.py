"""Jobs as the engine sees them: each file and page is begun and ended in a transaction of its own.

A step of the engine may be run again after a crash, so each change here may be asked for again: what has
ended already stays as it is.
"""

import time
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from deployments.jobs.database import JobDatabase
from deployments.jobs.endings import add_event, end_job
from deployments.jobs.rows import change_job, lock_job, read_file, read_job
from deployments.jobs.states import OPEN_STATES, Fault, FileRecord, FileState, Order
from deployments.jobs.tables import files, jobs, pages

# A document or page that has taken so many processes with it is given up.
MAX_ATTEMPTS = 10

PageStart = Literal["read", "ended", "given_up", "cancelled"]


@dataclass(frozen=True)
class FileStart:
    """A file that may be read: what, how, and whether it has killed too many processes to be tried again."""

    file: FileRecord
    order: Order
    is_given_up: bool


class JobProgress:
    """Writes down how far jobs have come. Every method blocks, and raises `JobsUnavailable`."""

    def __init__(self, database: JobDatabase, ttl_s: float) -> None:
        self._database = database
        self._ttl_s = ttl_s

    def list_undispatched(self, limit: int = 100) -> list[tuple[str, int]]:
        """Jobs that the engine does not know yet, the oldest first, each with the number of its files."""
        with self._database.read() as connection:
            query = (
                sa.select(jobs.c.id, jobs.c.files_total)
                .where(jobs.c.state.in_(OPEN_STATES), jobs.c.is_dispatched.is_(False))
                .order_by(jobs.c.id)
                .limit(limit)
            )
            return [(row.id, row.files_total) for row in connection.execute(query)]

    def note_dispatched(self, job_id: str) -> None:
        """The engine has taken over all files of a job."""
        with self._database.write() as connection:
            connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(is_dispatched=True))

    def begin_file(self, job_id: str, place: int) -> FileStart | None:
        """A file that is to be read now; None when it has ended, or its job is gone or has ended."""
        with self._database.write() as connection:
            job = lock_job(connection, job_id)
            if job is None or job.state not in OPEN_STATES:
                return None
            row = connection.execute(_file(job_id, place)).one()
            if row.state not in ("queued", "running"):
                return None
            if job.state == "queued":
                change_job(connection, job_id, state="running", started_s=time.time())
                add_event(connection, job_id, "job.running")
            seq = change_job(connection, job_id)
            connection.execute(
                sa.update(files)
                .where(files.c.job_id == job_id, files.c.place == place)
                .values(state="running", attempts=row.attempts + 1, seq=seq)
            )
            return FileStart(read_file(row), read_job(job).order, row.attempts >= MAX_ATTEMPTS)

    def note_pages(self, job_id: str, place: int, pages_total: int) -> None:
        """A file has so many pages to read."""
        with self._database.write() as connection:
            job = lock_job(connection, job_id)
            row = connection.execute(_file(job_id, place)).first()
            if job is None or row is None or row.pages_total is not None:
                return
            seq = change_job(connection, job_id, pages_total=job.pages_total + pages_total)
            connection.execute(
                sa.update(files)
                .where(files.c.job_id == job_id, files.c.place == place)
                .values(pages_total=pages_total, seq=seq)
            )

    def begin_page(self, job_id: str, place: int, number: int) -> PageStart:
        """Whether a page is to be read now."""
        with self._database.write() as connection:
            job = lock_job(connection, job_id)
            if job is None or job.state not in OPEN_STATES:
                return "cancelled"
            row = connection.execute(_page(job_id, place, number)).first()
            if row is not None and row.state != "running":
                return "ended"
            if row is not None and row.attempts >= MAX_ATTEMPTS:
                return "given_up"
            seq = change_job(connection, job_id)
            if row is None:
                connection.execute(
                    sa.insert(pages).values(
                        job_id=job_id, place=place, number=number, state="running", attempts=1, seq=seq
                    )
                )
            else:
                connection.execute(
                    sa.update(pages)
                    .where(pages.c.job_id == job_id, pages.c.place == place, pages.c.number == number)
                    .values(attempts=row.attempts + 1, seq=seq)
                )
            return "read"

    def end_page(self, job_id: str, place: int, number: int, fault: Fault | None) -> None:
        """A page was read, or could not be. The first who says so is right."""
        with self._database.write() as connection:
            job = lock_job(connection, job_id)
            row = connection.execute(_page(job_id, place, number)).first()
            if job is None or row is None or row.state != "running":
                return
            column = "pages_processed" if fault is None else "pages_failed"
            seq = change_job(connection, job_id, **{column: jobs.c[column] + 1})
            connection.execute(
                sa.update(pages)
                .where(pages.c.job_id == job_id, pages.c.place == place, pages.c.number == number)
                .values(
                    state="done" if fault is None else "failed",
                    fault_code=None if fault is None else fault.code,
                    fault_message=None if fault is None else fault.message,
                    seq=seq,
                )
            )
            connection.execute(
                sa.update(files)
                .where(files.c.job_id == job_id, files.c.place == place)
                .values({column: files.c[column] + 1, "seq": seq})
            )

    def end_file(
        self, job_id: str, place: int, state: FileState, fault: Fault | None, results: dict[str, int]
    ) -> None:
        """A file has ended; with the last one its job has. What has ended already stays as it is."""
        with self._database.write() as connection:
            job = lock_job(connection, job_id)
            row = connection.execute(_file(job_id, place)).first()
            if job is None or row is None or row.state not in ("queued", "running"):
                return
            files_ended = job.files_ended + 1
            seq = change_job(connection, job_id, files_ended=files_ended)
            connection.execute(
                sa.update(files)
                .where(files.c.job_id == job_id, files.c.place == place)
                .values(
                    state=state,
                    fault_code=None if fault is None else fault.code,
                    fault_message=None if fault is None else fault.message,
                    results=results,
                    ended_s=time.time(),
                    seq=seq,
                )
            )
            if files_ended == job.files_total and job.state in OPEN_STATES:
                end_job(connection, job_id, self._ttl_s)

    def list_ended(self, job_ids: tuple[str, ...]) -> set[str]:
        """Those of the jobs whose pages need not be read any more: they have ended, or are gone."""
        if not job_ids:
            return set()
        with self._database.read() as connection:
            query = sa.select(jobs.c.id).where(jobs.c.id.in_(job_ids), jobs.c.state.in_(OPEN_STATES))
            return set(job_ids) - set(connection.execute(query).scalars())

    def count_states(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        with self._database.read() as connection:
            query = sa.select(jobs.c.state, sa.func.count().label("many")).group_by(jobs.c.state)
            return {row.state: row.many for row in connection.execute(query)}

    def count_waiting_files(self) -> int:
        """Files that wait for their turn."""
        with self._database.read() as connection:
            query = sa.select(sa.func.count()).select_from(files).where(files.c.state == "queued")
            return int(connection.execute(query).scalar_one())


def _file(job_id: str, place: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(files).where(files.c.job_id == job_id, files.c.place == place)


def _page(job_id: str, place: int, number: int) -> sa.Select[tuple[object, ...]]:
    return sa.select(pages).where(pages.c.job_id == job_id, pages.c.place == place, pages.c.number == number)
