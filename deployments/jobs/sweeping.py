"""What is kept for too long, or nobody wants any more, is deleted: from the storage first, then the records.

A clock that jumps must not delete anything: after a jump nothing expires for a while, until somebody had
the time to set it right.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from deployments.jobs.database import JobDatabase
from deployments.jobs.rows import change_job
from deployments.jobs.states import ENDED_STATES
from deployments.jobs.storage import JobStorage, job_prefix, job_time_s
from deployments.jobs.tables import events, files, jobs, uploads

logger = logging.getLogger(__name__)

_JUMP_S = 60.0
_CALM_AFTER_JUMP_S = 900.0
# A page that was under way when its job was deleted may still be written.
_LATE_WRITES_S = 120.0
_ORPHAN_AGE_S = 6 * 3_600.0
_BATCH = 50


@dataclass(frozen=True)
class Removed:
    """A job of which nothing is left in the records, with what the engine knows it by."""

    job_id: str
    files_total: int
    event_ids: tuple[str, ...]


class SteadyClock:
    """Tells when the time of day can be believed. It is compared with a clock that nobody sets."""

    def __init__(
        self,
        read_wall_s: Callable[[], float] = time.time,
        read_steady_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_wall_s = read_wall_s
        self._read_steady_s = read_steady_s
        self._offset_s = read_wall_s() - read_steady_s()
        self._calm_from_s = read_steady_s()

    def read(self) -> float | None:
        """Seconds since the epoch, or None for a while after the clock has jumped."""
        wall_s, steady_s = self._read_wall_s(), self._read_steady_s()
        if abs(wall_s - steady_s - self._offset_s) > _JUMP_S:
            logger.warning("the clock jumped by %.0f s", wall_s - steady_s - self._offset_s)
            self._calm_from_s = steady_s + _CALM_AFTER_JUMP_S
        self._offset_s = wall_s - steady_s
        return wall_s if steady_s >= self._calm_from_s else None


class Sweeper:
    """Deletes. Raises `JobsUnavailable` and `StorageUnavailable`; what is left then waits for next time."""

    def __init__(
        self, database: JobDatabase, storage: JobStorage, ttl_s: float, clock: SteadyClock | None = None
    ) -> None:
        self._database = database
        self._storage = storage
        self._ttl_s = ttl_s
        self._clock = clock or SteadyClock()

    async def sweep(self) -> list[Removed]:
        """Delete what its owners have deleted, and what is over; the jobs of which nothing is left."""
        removed = await self._sweep_deleted()
        now_s = self._clock.read()
        if now_s is None:
            return removed
        for job_id in self._list(jobs.c.state.in_(ENDED_STATES), jobs.c.state != "expired", now_s):
            await self._storage.delete_all(job_prefix(job_id))
            self._note_expired(job_id, now_s)
        removed += [self._remove(job_id) for job_id in self._list(jobs.c.state == "expired", None, now_s)]
        await self._sweep_uploads(now_s)
        return removed

    async def sweep_orphans(self) -> int:
        """Delete what lies in the storage for jobs that were never recorded; how many objects."""
        now_s = self._clock.read()
        if now_s is None:
            return 0
        names = await self._storage.list_jobs()
        old = [name for name in names if now_s - job_time_s(name) > _ORPHAN_AGE_S]
        with self._database.read() as connection:
            known = set(connection.execute(sa.select(jobs.c.id).where(jobs.c.id.in_(old))).scalars())
        counts = [await self._storage.delete_all(job_prefix(name)) for name in old if name not in known]
        return sum(counts)

    async def _sweep_deleted(self) -> list[Removed]:
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(jobs.c.id, jobs.c.ended_s).where(jobs.c.is_deleted.is_(True)).limit(_BATCH)
            ).all()
        removed = []
        for row in rows:
            await self._storage.delete_all(job_prefix(row.id))
            # By the distance, so that a clock that was set back does not keep it for ever.
            if abs(time.time() - (row.ended_s or 0.0)) > _LATE_WRITES_S:
                removed.append(self._remove(row.id))
        return removed

    async def _sweep_uploads(self, now_s: float) -> None:
        with self._database.read() as connection:
            rows = connection.execute(
                sa.select(uploads.c.id, uploads.c.key).where(uploads.c.expires_s < now_s).limit(_BATCH)
            ).all()
        for row in rows:
            await self._storage.delete(row.key)
            with self._database.write() as connection:
                connection.execute(sa.delete(uploads).where(uploads.c.id == row.id))

    def _list(
        self, which: sa.ColumnElement[bool], more: sa.ColumnElement[bool] | None, now_s: float
    ) -> list[str]:
        query = sa.select(jobs.c.id).where(which, jobs.c.expires_s < now_s, jobs.c.is_deleted.is_(False))
        if more is not None:
            query = query.where(more)
        with self._database.read() as connection:
            return list(connection.execute(query.limit(_BATCH)).scalars())

    def _note_expired(self, job_id: str, now_s: float) -> None:
        with self._database.write() as connection:
            change_job(
                connection,
                job_id,
                state="expired",
                expires_s=now_s + self._ttl_s,
                webhook_url=None,
                webhook_secret=None,
            )
            connection.execute(sa.update(files).where(files.c.job_id == job_id).values(results={}))

    def _remove(self, job_id: str) -> Removed:
        with self._database.write() as connection:
            files_total = connection.execute(
                sa.select(jobs.c.files_total).where(jobs.c.id == job_id)
            ).scalar()
            event_ids = connection.execute(sa.select(events.c.id).where(events.c.job_id == job_id)).scalars()
            removed = Removed(job_id, files_total or 0, tuple(event_ids))
            connection.execute(sa.delete(jobs).where(jobs.c.id == job_id))
        return removed
