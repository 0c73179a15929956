"""What is deleted, when, and what never is."""

import logging

import pytest
import sqlalchemy as sa
from job_process import OWNER, JobBox

from deployments.jobs.states import Webhook
from deployments.jobs.storage import job_prefix
from deployments.jobs.sweeping import SteadyClock, Sweeper
from deployments.jobs.tables import jobs, uploads
from deployments.jobs.uploads import Uploads

DAY_S = 86_400.0


class Clocks:
    """A time of day that somebody sets, and one that only goes on."""

    def __init__(self, wall_s: float) -> None:
        self.wall_s = wall_s
        self.steady_s = 0.0

    def go(self, seconds: float) -> None:
        """Time goes by."""
        self.wall_s += seconds
        self.steady_s += seconds

    def steady_clock(self) -> SteadyClock:
        """What the sweeper asks."""
        return SteadyClock(lambda: self.wall_s, lambda: self.steady_s)


async def end_job(box: JobBox) -> tuple[str, float]:
    """A job that has ended, and when it expires."""
    job_id = await box.hand_in("1", webhook=Webhook("https://example.com", "s" * 16))
    job = box.records.cancel(OWNER, job_id)
    assert job is not None
    assert job.expires_s is not None
    return job_id, job.expires_s


async def test_a_job_expires_and_is_forgotten_later(box: JobBox) -> None:
    """First its documents go, after as long again the rest."""
    job_id, expires_s = await end_job(box)
    clocks = Clocks(expires_s - 10)
    sweeper = Sweeper(box.database, box.storage, DAY_S, clocks.steady_clock())
    assert await sweeper.sweep() == []
    assert await box.storage.list_keys(job_prefix(job_id))
    clocks.go(11)
    assert await sweeper.sweep() == []
    assert box.job(job_id).state == "expired"
    assert await box.storage.list_keys(job_prefix(job_id)) == []
    clocks.go(DAY_S + 1)
    removed = await sweeper.sweep()
    assert [one.job_id for one in removed] == [job_id]
    assert box.records.get(OWNER, job_id) is None


async def test_a_clock_that_jumps_deletes_nothing(box: JobBox, caplog: pytest.LogCaptureFixture) -> None:
    """Neither at once, nor when it is set right again."""
    job_id, expires_s = await end_job(box)
    clocks = Clocks(expires_s - DAY_S)
    sweeper = Sweeper(box.database, box.storage, DAY_S, clocks.steady_clock())
    await sweeper.sweep()
    clocks.wall_s += 10 * DAY_S
    with caplog.at_level(logging.WARNING):
        await sweeper.sweep()
    assert "the clock jumped" in caplog.text
    clocks.go(600)
    await sweeper.sweep()
    clocks.wall_s -= 10 * DAY_S
    await sweeper.sweep()
    clocks.go(2000)
    await sweeper.sweep()
    assert box.job(job_id).state == "cancelled"
    clocks.go(DAY_S)
    await sweeper.sweep()
    assert box.job(job_id).state == "expired"


async def test_a_deleted_job_leaves_nothing(box: JobBox) -> None:
    """Its owner does not find it at once; documents go with the next sweep, the record when none can come."""
    job_id, _ = await end_job(box)
    box.records.cancel(OWNER, job_id, is_deleted=True)
    assert box.records.get(OWNER, job_id) is None
    sweeper = Sweeper(box.database, box.storage, DAY_S)
    assert await sweeper.sweep() == []
    assert await box.storage.list_keys(job_prefix(job_id)) == []
    with box.database.write() as connection:
        connection.execute(sa.update(jobs).values(ended_s=jobs.c.ended_s - 1000))
    assert [one.job_id for one in await sweeper.sweep()] == [job_id]


async def test_what_was_stored_for_no_job_is_found(box: JobBox) -> None:
    """A crash between the storage and the record; what is new may be a job that is being handed in."""
    known = await box.hand_in("1")
    old, new = "job_000000000001aaaa", f"job_{2**47:012x}aaaa"
    for name in (old, new):
        await box.storage.put(f"jobs/{name}/inputs/x", b"1")
    sweeper = Sweeper(box.database, box.storage, DAY_S)
    assert await sweeper.sweep_orphans() == 1
    assert sorted(await box.storage.list_jobs()) == sorted([known, new])


async def test_an_upload_that_nobody_takes_is_deleted(box: JobBox) -> None:
    """After its time, with its document."""
    upload = Uploads(box.database, 60).add(OWNER, "a.pdf")
    await box.storage.put(upload.key, b"1")
    clocks = Clocks(upload.expires_s + 1)
    await Sweeper(box.database, box.storage, DAY_S, clocks.steady_clock()).sweep()
    assert await box.storage.find_size(upload.key) is None
    with box.database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(uploads)).scalar() == 0
