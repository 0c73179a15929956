"""Jobs as the API sees them: accepted, looked up by their owner, cancelled, deleted."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from deployments.jobs.database import JobDatabase
from deployments.jobs.endings import cancel_files, end_job
from deployments.jobs.rows import change_job, insert_files, lock_job, read_file, read_job, read_page
from deployments.jobs.states import OPEN_STATES, FileRecord, JobRecord, JobState, NewJob, PageRecord
from deployments.jobs.tables import files, jobs, pages


@dataclass(frozen=True)
class Changes:
    """What became of a job since a count of its changes: the job now, and the files and pages concerned."""

    job: JobRecord
    files: tuple[FileRecord, ...]
    pages: tuple[PageRecord, ...]


class JobRecords:
    """The records of all jobs. A job of somebody else is one that does not exist.

    Every method blocks for as long as the database takes, and raises `JobsUnavailable`.
    """

    def __init__(self, database: JobDatabase, ttl_s: float) -> None:
        self._database = database
        self._ttl_s = ttl_s

    def accept(self, new: NewJob) -> JobRecord:
        """Record a job with its files in one go.

        Where its owner has used the idempotency key before, that job is returned, and nothing recorded.
        """
        with self._database.write() as connection:
            if new.idempotency_key is not None:
                found = connection.execute(_by_key(new.owner, new.idempotency_key)).first()
                if found is not None:
                    return read_job(found)
            # Another head may have recorded the key meanwhile: then this waits for it, and inserts nothing.
            inserted = connection.execute(_insert(self._database, _new_row(new)))
            if inserted.rowcount == 0:
                assert new.idempotency_key is not None
                return read_job(connection.execute(_by_key(new.owner, new.idempotency_key)).one())
            insert_files(connection, new.id, new.files)
            return read_job(connection.execute(sa.select(jobs).where(jobs.c.id == new.id)).one())

    def find_by_key(self, owner: str, idempotency_key: str) -> JobRecord | None:
        """The job that was accepted with this idempotency key."""
        with self._database.read() as connection:
            row = connection.execute(_by_key(owner, idempotency_key)).first()
        return None if row is None else read_job(row)

    def get(self, owner: str, job_id: str) -> JobRecord | None:
        """A job of this owner."""
        with self._database.read() as connection:
            row = connection.execute(_of_owner(owner, job_id)).first()
        return None if row is None else read_job(row)

    def count_open(self, owner: str) -> tuple[int, int]:
        """Jobs that have not ended: those of all owners, and of this one."""
        with self._database.read() as connection:
            own = sa.func.count().filter(jobs.c.owner == owner)
            count = sa.select(sa.func.count(), own).where(jobs.c.state.in_(OPEN_STATES))
            total, of_owner = connection.execute(count).one()
            return int(total), int(of_owner)

    def list_jobs(
        self, owner: str, limit: int, after: str | None = None, state: JobState | None = None
    ) -> tuple[list[JobRecord], bool]:
        """Jobs of this owner, the newest first, those older than ``after``; and whether there are more."""
        query = sa.select(jobs).where(jobs.c.owner == owner, jobs.c.is_deleted.is_(False))
        if after is not None:
            query = query.where(jobs.c.id < after)
        if state is not None:
            query = query.where(jobs.c.state == state)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(jobs.c.id.desc()).limit(limit + 1)).all()
        return [read_job(row) for row in rows[:limit]], len(rows) > limit

    def list_files(self, job_id: str) -> list[FileRecord]:
        """The files of a job, in their order."""
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(files).where(files.c.job_id == job_id).order_by(files.c.place)
            ).all()
        return [read_file(row) for row in rows]

    def get_file(self, job_id: str, place: int) -> tuple[FileRecord, list[PageRecord]] | None:
        """A file of a job, with its pages that were begun."""
        with self._database.read() as connection:
            row = connection.execute(
                sa.select(files).where(files.c.job_id == job_id, files.c.place == place)
            ).first()
            begun = connection.execute(
                sa.select(pages)
                .where(pages.c.job_id == job_id, pages.c.place == place)
                .order_by(pages.c.number)
            ).all()
        return None if row is None else (read_file(row), [read_page(page) for page in begun])

    def list_changes(self, owner: str, job_id: str, since: int) -> Changes | None:
        """What has changed since the count ``since``; None when the owner has no such job."""
        with self._database.read() as connection:
            job = connection.execute(_of_owner(owner, job_id)).first()
            if job is None:
                return None
            changed_files: Sequence[sa.Row[tuple[object, ...]]] = connection.execute(
                sa.select(files).where(files.c.job_id == job_id, files.c.seq > since).order_by(files.c.seq)
            ).all()
            changed_pages = connection.execute(
                sa.select(pages).where(pages.c.job_id == job_id, pages.c.seq > since).order_by(pages.c.seq)
            ).all()
        return Changes(
            read_job(job), tuple(map(read_file, changed_files)), tuple(map(read_page, changed_pages))
        )

    def cancel(self, owner: str, job_id: str, is_deleted: bool = False) -> JobRecord | None:
        """End a job that has not ended, and, for one that is to be deleted, show it to nobody any more.

        Pages that wait are not read then. The job as it is now; None when the owner has no such job.
        """
        with self._database.write() as connection:
            row = lock_job(connection, job_id)
            if row is None or row.owner != owner or row.is_deleted:
                return None
            if row.state in OPEN_STATES:
                cancel_files(connection, job_id)
                end_job(connection, job_id, self._ttl_s, is_cancelled=True)
            if is_deleted:
                # The key may be used again at once: the job that had it is gone for its owner.
                change_job(connection, job_id, is_deleted=True, idempotency_key=None)
            return read_job(connection.execute(sa.select(jobs).where(jobs.c.id == job_id)).one())


def _new_row(new: NewJob) -> dict[str, object]:
    return {
        "id": new.id,
        "owner": new.owner,
        "task": new.order.task,
        "options": dict(new.order.options),
        "formats": list(new.order.formats),
        "request_id": new.order.request_id,
        "state": "queued",
        "created_s": time.time(),
        "files_total": len(new.files),
        "size_bytes": sum(file.size_bytes for file in new.files),
        "idempotency_key": new.idempotency_key,
        "fingerprint": new.fingerprint,
        "webhook_url": None if new.webhook is None else new.webhook.url,
        "webhook_secret": None if new.webhook is None else new.webhook.secret,
        # Those that the engine does not know yet, it asks for.
        "is_dispatched": False,
        "is_deleted": False,
        "files_ended": 0,
        "pages_total": 0,
        "pages_processed": 0,
        "pages_failed": 0,
        "seq": 0,
    }


def _insert(database: JobDatabase, row: dict[str, object]) -> sa.Executable:
    from sqlalchemy.dialects import postgresql, sqlite

    dialect = sqlite if database.is_sqlite else postgresql
    statement: sa.Executable = (
        dialect.insert(jobs).values(row).on_conflict_do_nothing(index_elements=["owner", "idempotency_key"])
    )
    return statement


def _by_key(owner: str, idempotency_key: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(jobs).where(jobs.c.owner == owner, jobs.c.idempotency_key == idempotency_key)


def _of_owner(owner: str, job_id: str) -> sa.Select[tuple[object, ...]]:
    return sa.select(jobs).where(jobs.c.id == job_id, jobs.c.owner == owner, jobs.c.is_deleted.is_(False))
